#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace watchpost::mime {

// What is wrong with a message. None of it makes it unreadable: each reader of mail decides
// differently here, and that is what an attacker uses.
enum class Defect : uint8_t {
  // of a header block
  field_without_colon,  // a line that is neither a field nor the continuation of one
  bad_field_name,       // blanks before the colon, or bytes that no name may hold
  bad_folding,          // a continuation line of nothing but blanks, or one before any field
  nul_byte,
  eight_bit,  // in a header, and not valid UTF-8
  bare_cr,
  bare_lf,           // in a message that else ends its lines with CRLF
  long_line,         // over 998 bytes (RFC 5322 section 2.1.1)
  doubled_field,     // one that may be there once (RFC 5322 section 3.6, RFC 2045)
  header_too_large,  // Bounds::header_bytes or Bounds::fields
  no_header,         // the message begins with its body
  no_blank_line,     // the header ends with the message, or a body follows it directly
  // of values
  bad_address,
  bad_encoded_word,
  bad_parameter,      // of a structured value: Content-Type, Content-Disposition
  doubled_parameter,  // `boundary`, `name`, `charset` ... given twice with two values
  bad_content_type,   // what cannot be read is text/plain (RFC 2045 section 5.2)
  // of the structure
  no_boundary,           // a multipart without one
  bad_boundary,          // empty, over 70 bytes, or of forbidden characters
  missing_end_boundary,  // the last part goes on to the end of the message
  boundary_never_found,  // a multipart without a single part
  ambiguous_boundary,    // the beginning of its parent's or the same; or a line that readers may
                         // take for one or not
  text_after_end,        // more than blanks behind the last boundary
  bad_encoding,  // an unknown Content-Transfer-Encoding, or content that is not in it (uuencode)
  encoded_multipart,  // a multipart or message/rfc822 that claims an encoding (RFC 2045
                      // section 6.4)
  too_deep,           // Bounds::depth
  too_many_parts,     // Bounds::parts
  // of content
  bad_base64,            // bytes that are none of it, or a wrong end
  base64_after_padding,  // more behind what should be its end
  bad_quoted_printable,
  unknown_charset,
  bad_charset_bytes,  // that the charset does not have
  decoded_too_large,  // Bounds::decoded_bytes
};
inline constexpr size_t kDefects = static_cast<size_t>(Defect::decoded_too_large) + 1;
std::string_view name_of(Defect defect);           // "missing_end_boundary"
std::span<const std::string_view> defect_names();  // in the order of the enum

struct Finding {
  Defect what;
  size_t at = 0;  // byte of the message (of the text given, where that is all there is)
  bool operator==(const Finding&) const = default;
};

// Findings of one reading. At most kMost are kept, and each defect at least once: a message of
// nothing but defects costs no more than another.
class Findings {
 public:
  static constexpr size_t kMost = 200;
  void add(Defect what, size_t at);
  bool has(Defect what) const;
  std::span<const Finding> all() const { return kept_; }  // in the order found
  size_t count() const { return count_; }                 // with those not kept

 private:
  std::vector<Finding> kept_;
  size_t count_ = 0;
  uint64_t seen_ = 0;  // bit by Defect
};
static_assert(kDefects <= 64);

}  // namespace watchpost::mime
