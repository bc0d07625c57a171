// The part of the checker that knows comparisons.
#include "base/text.h"
#include "expr/checker.h"
#include "expr/evaluation.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

constexpr double kLargestExpected = 1e9;

std::string_view name_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::number: return "a plain number";
    case Quantity::count: return "a plain number";
    case Quantity::seconds: return "a time";
    case Quantity::bytes: return "a size";
  }
  return "";
}

Relation relation_of(std::string_view symbol) {
  static constexpr std::array kAll{Relation::equal,   Relation::not_equal,
                                   Relation::less,    Relation::less_or_equal,
                                   Relation::greater, Relation::greater_or_equal};
  return *std::ranges::find(kAll, symbol, symbol_of);
}

}  // namespace

Result<Checker::Checked> Checker::compare(const Syntax& syntax) {
  const auto left = check(syntax.parts[0]);
  if (!left) return left;
  if (left->type == Type::boolean) {
    const std::string hint = left->field != nullptr
                                 ? fmt::format("; write `{0}` or `not {0}`", left->field->name)
                                 : std::string("; join conditions with `and` and `or`");
    return wrong(syntax.parts[0], "a condition is not compared" + hint);
  }
  const auto right = against(*left, syntax.parts[1]);
  if (!right) return right;
  const Relation relation = relation_of(syntax.token.text);
  if (left->type == Type::number) {
    const auto common = agree(*left, *right, syntax);
    if (!common) return fail(common.error());
  }
  return condition({.op = left->type == Type::number ? Op::compare_numbers : Op::compare_texts,
                    .relation = relation,
                    .left = left->node,
                    .right = right->node});
}

Result<Checker::Checked> Checker::in(const Syntax& syntax) {
  const auto left = check(syntax.parts[0]);
  if (!left) return left;
  if (left->type == Type::boolean) return wrong(syntax.parts[0], "a condition is in no list");
  std::vector<Node> values;
  for (const Syntax& part : syntax.parts[1].parts) {
    const bool is_literal =
        part.kind == SyntaxKind::number || part.kind == SyntaxKind::text ||
        (part.kind == SyntaxKind::word && left->field != nullptr && !left->field->words.empty());
    if (!is_literal) return wrong(part, "a list holds only numbers, or only texts in quotes");
    const auto value = against(*left, part);
    if (!value) return value;
    const auto common = agree(*left, *value, part);
    if (!common) return fail(common.error());
    values.push_back(program_[value->node]);
    program_.nodes.pop_back();
  }
  const auto first = static_cast<NodeIndex>(program_.nodes.size());
  program_.nodes.insert(program_.nodes.end(), values.begin(), values.end());
  return condition({.op = left->type == Type::number ? Op::number_in : Op::text_in,
                    .negated = syntax.negated,
                    .left = left->node,
                    .right = first,
                    .index = static_cast<uint16_t>(values.size())});
}

Result<Checker::Checked> Checker::search(const Syntax& syntax, Op op) {
  const std::string where = fmt::format("each side of `{}`", syntax.token.text);
  const auto left = check_as(Type::text, syntax.parts[0], where);
  if (!left) return left;
  const auto right = check_as(Type::text, syntax.parts[1], where);
  if (!right) return right;
  return condition({.op = op, .negated = syntax.negated, .left = left->node, .right = right->node});
}

Result<Checker::Checked> Checker::matches(const Syntax& syntax) {
  const auto left = check_as(Type::text, syntax.parts[0], "the left side of `matches`");
  if (!left) return left;
  const Syntax& pattern = syntax.parts[1];
  if (pattern.kind != SyntaxKind::text)
    return wrong(pattern, "`matches` needs a pattern in quotes");
  if (++program_.pattern_count > kMostPatterns) {
    return wrong(pattern, fmt::format("a condition has at most {} patterns", kMostPatterns));
  }
  auto compiled = Pattern::make(pattern.token.text);
  if (!compiled) {
    const Pattern::Fault& fault = compiled.error();
    return fault_at(text_, pattern.token.at + 1 + fault.at, "not a pattern: " + fault.what);
  }
  program_.patterns.push_back(std::move(*compiled));
  return condition({.op = Op::matches,
                    .negated = syntax.negated,
                    .costly = true,
                    .left = left->node,
                    .right = add_text(pattern.token.text),
                    .index = static_cast<uint16_t>(program_.patterns.size() - 1)});
}

Result<Checker::Checked> Checker::known(const Syntax& syntax) {
  const auto left = check(syntax.parts[0]);
  if (!left) return left;
  if (left->field == nullptr) {
    return wrong(syntax.parts[0], "only a field can be known or unknown");
  }
  return condition(
      {.op = Op::known, .negated = syntax.negated, .index = program_[left->node].index});
}

Result<Checker::Checked> Checker::exceeds(const Syntax& syntax) {
  const auto left = check_as(Type::number, syntax.parts[0], "the left side of `exceeds`");
  if (!left) return left;
  const Node& node = program_[left->node];
  const bool is_share = node.op == Op::divide;
  const bool tried = is_share && is_sum_of_counts(node.left) && is_sum_of_counts(node.right);
  if (!tried && !is_sum_of_counts(left->node)) {
    return wrong(syntax.parts[0],
                 "the left side of `exceeds` must be a sum of counts, or one such sum divided by "
                 "another");
  }
  const auto right = constant(syntax.parts[1], "the right side of `exceeds`");
  if (!right) return right;
  const double limit = Evaluation(program_, {}, 0).number(right->node);
  if (tried && !(limit > 0 && limit < 1)) {
    return wrong(syntax.parts[1], "the rate that `exceeds` tests must be between 0 and 1 (100%)");
  }
  if (!tried && !(limit > 0 && limit <= kLargestExpected)) {
    return wrong(syntax.parts[1],
                 "the number that `exceeds` tests must be above 0 and at most 1e9");
  }
  NodeIndex error_rate = kNoNode;
  if (syntax.parts.size() == 3) {
    const auto rate = constant(syntax.parts[2], "the error rate after `at`");
    if (!rate) return rate;
    const double value = Evaluation(program_, {}, 0).number(rate->node);
    if (!(value > 0 && value < 0.5)) {
      return wrong(syntax.parts[2], "an error rate must be above 0 and below 0.5");
    }
    error_rate = rate->node;
  }
  return condition({.op = Op::exceeds,
                    .costly = true,
                    .left = left->node,
                    .right = right->node,
                    .index = error_rate});
}

Result<Checker::Checked> Checker::against(const Checked& left, const Syntax& syntax) {
  const bool closed = left.field != nullptr && !left.field->words.empty();
  if (closed && (syntax.kind == SyntaxKind::word || syntax.kind == SyntaxKind::text)) {
    const auto checked = one_of(*left.field, syntax.token.text, syntax);
    if (!checked) return fail(checked.error());
    return Checked{.type = Type::text, .node = add_text(syntax.token.text)};
  }
  if (left.type == Type::text && syntax.kind == SyntaxKind::word && subject_ == Subject::row &&
      std::ranges::find(program_.schema.fields, syntax.token.text, &FieldName::name) ==
          program_.schema.fields.end()) {
    return wrong(syntax, fmt::format("`{0}` is not a field; a text stands in quotes: \"{0}\"",
                                     syntax.token.text));
  }
  return check_as(left.type, syntax,
                  fmt::format("what a {} is compared with", expr::name_of(left.type)));
}

Result<Done> Checker::one_of(const FieldName& field, std::string_view word,
                             const Syntax& syntax) const {
  if (std::ranges::find(field.words, word) != field.words.end()) return Done{};
  return wrong(syntax, fmt::format("`{}` is never {}{}", field.name, escaped(word, 40),
                                   suggestion(word, field.words)));
}

Result<Quantity> Checker::agree(const Checked& left, const Checked& right,
                                const Syntax& syntax) const {
  if (left.quantity == Quantity::number) return right.quantity;
  if (right.quantity == Quantity::number || right.quantity == left.quantity) return left.quantity;
  const Syntax& last = syntax.parts.empty() ? syntax : syntax.parts.back();
  return wrong(last, fmt::format("this is {}, and what it stands against is {}",
                                 name_of(right.quantity), name_of(left.quantity)));
}

Result<Checker::Checked> Checker::constant(const Syntax& syntax, std::string_view what) {
  const auto checked = check_as(Type::number, syntax, what);
  if (!checked) return checked;
  if (!is_constant(checked->node)) {
    return wrong(syntax, fmt::format("{} must be a number, not a count", what));
  }
  if (checked->quantity != Quantity::number) {
    return wrong(
        syntax, fmt::format("{} must be a plain number, not {}", what, name_of(checked->quantity)));
  }
  return checked;
}

bool Checker::is_sum_of_counts(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::add) return is_sum_of_counts(node.left) && is_sum_of_counts(node.right);
  return node.op == Op::term;
}

bool Checker::is_constant(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::term || node.op == Op::number_field) return false;
  return (node.left == kNoNode || is_constant(node.left)) &&
         (node.right == kNoNode || is_constant(node.right));
}

}  // namespace watchpost::expr
