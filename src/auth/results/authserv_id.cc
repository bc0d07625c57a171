#include "auth/results/authserv_id.h"

#include "base/ascii.h"

namespace watchpost::auth {
namespace {

constexpr size_t kMostDigits = 9;

size_t token_size(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && is_token_char(text[size])) ++size;
  return size;
}

}  // namespace

bool is_token_char(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7F &&
         !std::string_view("()<>@,;:\\\"/[]?=").contains(c);
}

std::optional<std::string> read_value(mime::Lexer& lexer) {
  if (lexer.peek() == '"') return lexer.quoted();
  const size_t size = token_size(lexer.rest());
  if (size == 0) return std::nullopt;
  std::string value(lexer.rest().substr(0, size));
  lexer.go_to(lexer.at() + size);
  return value;
}

std::optional<uint32_t> read_number(mime::Lexer& lexer) {
  uint32_t number = 0;
  size_t digits = 0;
  while (is_digit(lexer.peek())) {
    if (++digits > kMostDigits) return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(lexer.peek() - '0');
    lexer.skip();
  }
  if (digits == 0) return std::nullopt;
  return number;
}

std::optional<AuthservId> read_authserv_id(mime::Lexer& lexer) {
  lexer.skip_blanks();
  auto id = read_value(lexer);
  if (!id || id->empty()) return std::nullopt;
  AuthservId read{.id = std::move(*id), .version = std::nullopt};
  const bool spaced = lexer.skip_blanks();
  if (!lexer.done() && lexer.peek() != ';') {
    read.version = read_number(lexer);
    lexer.skip_blanks();
    if (!spaced || !read.version) return std::nullopt;
  }
  if (lexer.unclosed() || (!lexer.done() && lexer.peek() != ';')) return std::nullopt;
  return read;
}

}  // namespace watchpost::auth
