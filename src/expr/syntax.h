#pragma once
#include "expr/lexer.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace watchpost::expr {

enum class SyntaxKind : uint8_t {
  number,
  text,
  word,
  call,  // a word and what stands in parentheses behind it, one part or several
  list,
  negate,
  add,
  subtract,
  multiply,
  divide,
  compare,  // which one says the token
  in,
  matches,
  contains,
  starts_with,
  ends_with,
  known,    // `is known`; negated: `is unknown`
  exceeds,  // two parts, or three with `at`
  climbs,   // three parts, or four with `at`
  negation,
  both,
  either,
};

// An expression as it was written, before it is known what its words mean.
struct Syntax {
  SyntaxKind kind = SyntaxKind::word;
  bool negated = false;  // `not in` and its like
  Token token;           // the word, the literal or the operator
  std::vector<Syntax> parts;

  // Where an error about it points: its first byte.
  size_t at() const;
};

// Errors: bad_input at a column. Bounded in depth and size, so that whoever walks the tree may
// recurse.
Result<Syntax> syntax_of(std::string_view text);

}  // namespace watchpost::expr
