#pragma once
#include "expr/expression.h"
#include "expr/lexer.h"
#include "expr/pattern.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::expr {

enum class Op : uint8_t {
  // conditions
  both,
  either,
  negation,
  is_true,  // a boolean field
  known,
  compare_numbers,
  compare_texts,
  number_in,
  text_in,
  matches,
  contains,
  starts_with,
  ends_with,
  exceeds,
  climbs,
  // numbers
  number,
  number_field,
  term,
  negate,
  add,
  subtract,
  multiply,
  divide,
  expected,  // what `exceeds` tests where the stream's own past says it
  // texts
  text,
  text_field,
};

enum class Relation : uint8_t { equal, not_equal, less, less_or_equal, greater, greater_or_equal };
std::string_view symbol_of(Relation relation);

using NodeIndex = uint16_t;
inline constexpr NodeIndex kNoNode = 0xFFFF;

// One step of a checked expression. Operands stand before the node that uses them.
struct Node {
  Op op = Op::number;
  Relation relation = Relation::equal;  // compare_*
  bool negated = false;                 // `not in` and its like; `is unknown`
  bool costly = false;                  // this or an operand runs a pattern or a test
  Unit unit = Unit::none;               // number: as written
  NodeIndex left = kNoNode;
  // *_in: the first of its values, which stand in a row. expected: the term of the spread, beside
  // the mean on the left. climbs: none; its left is the term of the evidence.
  NodeIndex right = kNoNode;
  // *_field, is_true, known: the field. term: the term. text: index into texts. *_in: how many
  // values. matches: the pattern. exceeds, climbs: the node of the error rate, or kNoNode.
  uint16_t index = 0;
  double value = 0;    // number: its value, with its unit
  double written = 0;  // number: as written, before its unit
};

struct Program {
  Schema schema;
  std::vector<Node> nodes;
  NodeIndex root = 0;
  NodeIndex first_comparison = kNoNode;  // in source order
  std::vector<std::string> texts;
  std::vector<Pattern> patterns;
  std::vector<CountTerm> terms;
  size_t pattern_count = 0;  // with those inside the terms
  size_t term_count = 0;     // with those inside the terms
  std::string text;          // canonical

  const Node& operator[](NodeIndex node) const { return nodes[node]; }
};

}  // namespace watchpost::expr
