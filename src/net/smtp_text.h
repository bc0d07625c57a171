#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::net {

// Pure and total.

// Without overlong forms, surrogates and what is beyond U+10FFFF (RFC 3629 section 4).
bool is_utf8(std::string_view text);
// false, and nothing appended, where there is no such character.
bool append_utf8(std::string& text, uint32_t code);

// As it may stand in a reply: printable ASCII, short enough for its line of 512 bytes (RFC 5321
// section 4.5.3.1.5).
std::string reply_text(std::string_view text);

}  // namespace watchpost::net
