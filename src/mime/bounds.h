#pragma once
#include <cstddef>

namespace watchpost::mime {

// Of a line without its end (RFC 5322 section 2.1.1); a longer one is a defect.
inline constexpr size_t kLongestLine = 998;

// What one message may make us do. Depth and boundary are Postfix's own (mime_nesting_limit,
// mime_boundary_length_limit), so that both see the same message; past a bound the rest is not
// taken apart, and a finding says so.
struct Bounds {
  size_t depth = 100;                       // parts within parts
  size_t header_bytes = 256 * 1024;         // of one header block; fields behind it are not read
  size_t boundary_bytes = 2'048;            // compared of a boundary
  size_t parts = 1'000;                     // of the whole message
  size_t fields = 10'000;                   // of one header block
  size_t decoded_bytes = 64 * 1024 * 1024;  // of one part, decoded or turned into UTF-8
};

}  // namespace watchpost::mime
