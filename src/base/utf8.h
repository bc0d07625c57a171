#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace watchpost {

// A character of Unicode as it stands in a text.
struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;  // bytes; 0 where they are not UTF-8
};

// The character that begins at text[at]; `at` is inside the text. Shortest form only, no
// surrogates, nothing above U+10FFFF (RFC 3629 section 4). Pure.
CodePoint code_point_at(std::string_view text, size_t at);

}  // namespace watchpost
