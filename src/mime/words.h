#pragma once
#include "mime/defect.h"

#include <string>
#include <string_view>

namespace watchpost::mime {

// A field body as a person reads it: unfolded, encoded words decoded (RFC 2047; those split within
// a character and those that claim a language, RFC 2231 section 5, as well), valid UTF-8. Raw 8-bit
// bytes that are not UTF-8 are read as windows-1252.
std::string readable(std::string_view body);
std::string readable(std::string_view body, size_t begin, Findings& findings);

// Bytes of the encoded word that `text` begins with, 0 where it begins with none: one of at most
// 500 bytes without blanks, quotes and angle brackets. Others of RFC 5322's special characters may
// be in it, as some senders have them.
size_t encoded_word_size(std::string_view text);

}  // namespace watchpost::mime
