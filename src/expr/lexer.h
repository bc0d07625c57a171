#pragma once
#include "base/result.h"
#include "expr/expression.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::expr {

// What may directly follow a number, in the order of kUnits in lexer.cc.
enum class Unit : uint8_t {
  none,
  percent,
  second,
  minute,
  hour,
  day,
  k,
  M,
  G,
  kB,
  MB,
  GB,
  KiB,
  MiB,
  GiB
};
std::string_view name_of(Unit unit);
Quantity quantity_of(Unit unit);
double with_unit(double number, Unit unit);

enum class TokenKind : uint8_t { end, word, number, text, symbol };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;  // as written; of a text, what stands between its quotes
  size_t at = 0;          // offset of its first byte
  double number = 0;      // as written, before its unit
  Unit unit = Unit::none;
};

// The tokens of an expression, with one `end` at its end. Their views point into `text`.
Result<std::vector<Token>> tokens_of(std::string_view text);

// An error at a byte of `text`: bad_input, about "column N", counted in characters from 1.
std::unexpected<Error> fault_at(std::string_view text, size_t at, std::string what);

// A name as the language writes it: letters, digits, `_`, and dots between them.
bool is_word(std::string_view text);

}  // namespace watchpost::expr
