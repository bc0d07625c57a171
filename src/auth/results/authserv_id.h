#pragma once
#include "mime/lexer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace watchpost::auth {

// What an Authentication-Results field begins with (RFC 8601 section 2.2).
struct AuthservId {
  std::string id;                   // quotes and comments gone
  std::optional<uint32_t> version;  // where one is given
};

// Reads it and leaves the place at the first semicolon or at the end. Nothing where anything else
// stands there: then nobody knows what another reader takes for the id.
std::optional<AuthservId> read_authserv_id(mime::Lexer& lexer);

// A token of RFC 2045 section 5.1 or, by RFC 8616, UTF-8.
bool is_token_char(char c);
// A token or what is quoted; nothing where there is neither.
std::optional<std::string> read_value(mime::Lexer& lexer);
// Digits at the place; nothing where there are none or too many.
std::optional<uint32_t> read_number(mime::Lexer& lexer);

}  // namespace watchpost::auth
