#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::mime {

// UTF-8 in its shortest form, no surrogates, nothing above U+10FFFF (RFC 3629 section 4).

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Step {
  size_t length = 0;  // bytes of the character, or of the longest piece that could begin one
  bool valid = false;
};
// The character that begins at text[at]; `at` is inside the text. The length is at least 1.
Utf8Step utf8_step(std::string_view text, size_t at);

// Bytes before the first that is no UTF-8; text.size() where all is.
size_t valid_utf8_prefix(std::string_view text);
// Bytes before the first with its high bit set.
size_t ascii_prefix(std::string_view text);

// `code` is a character of Unicode, no surrogate.
void append_utf8(std::string& text, uint32_t code);

// Takes off the last character where only a part of it is there.
void drop_cut_character(std::string& text);

}  // namespace watchpost::mime
