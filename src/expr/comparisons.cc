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
  const bool tried = is_share && is_count(node.left) && is_sum_of_counts(node.right);
  if (!tried && !is_count(left->node)) {
    return wrong(syntax.parts[0],
                 "the left side of `exceeds` must be a sum of counts, counts taken off one, or "
                 "such a number divided by a sum of counts");
  }
  const auto right = limit(syntax.parts[1], tried);
  if (!right) return right;
  const auto rate = error_rate(syntax, 2);
  if (!rate) return fail(rate.error());
  return condition({.op = Op::exceeds,
                    .costly = true,
                    .left = left->node,
                    .right = right->node,
                    .index = *rate});
}

Result<Checker::Checked> Checker::limit(const Syntax& syntax, bool is_share) {
  constexpr std::string_view kWhat = "the right side of `exceeds`";
  const auto right = check_as(Type::number, syntax, kWhat);
  if (!right) return right;
  std::vector<uint16_t> terms;
  collect_terms(right->node, terms);
  const auto is_usual = [&](uint16_t term) { return program_.terms[term].kind == TermKind::usual; };
  if (!terms.empty() && std::ranges::all_of(terms, is_usual)) {
    if (is_share) return wrong(syntax, "a share is not held against what is usual: write a rate");
    if (terms.size() > 1) return wrong(syntax, "only one `usual` stands behind `exceeds`");
    return usual_limit(*right, syntax);
  }
  const auto checked = constant(*right, syntax, kWhat);
  if (!checked) return checked;
  const double value = Evaluation(program_, {}, 0).number(right->node);
  if (is_share && !(value > 0 && value < 1)) {
    return wrong(syntax, "the rate that `exceeds` tests must be between 0 and 1 (100%)");
  }
  if (!is_share && !(value > 0 && value <= kLargestExpected)) {
    return wrong(syntax, "the number that `exceeds` tests must be above 0 and at most 1e9");
  }
  return checked;
}

Result<Checker::Checked> Checker::usual_limit(const Checked& mean, const Syntax& syntax) {
  if (mean.quantity != Quantity::number && mean.quantity != Quantity::count) {
    return wrong(syntax, fmt::format("the right side of `exceeds` must be a plain number, not {}",
                                     name_of(mean.quantity)));
  }
  const auto with_usual = [&](double usual) {
    const std::vector<double> values(program_.terms.size(), usual);
    return Evaluation(program_, values, 0).number(mean.node);
  };
  if (!(with_usual(1) > 0 && with_usual(2) > with_usual(1))) {
    return wrong(syntax, "what `exceeds` tests must be above 0 and grow with what is usual");
  }
  std::vector<uint16_t> terms;
  collect_terms(mean.node, terms);
  CountTerm spread = program_.terms[terms.front()];
  spread.kind = TermKind::spread;
  spread.text.replace(0, std::string_view("usual").size(), "spread");
  const auto size = term(std::move(spread), syntax);
  if (!size) return size;
  return Checked{.type = Type::number,
                 .node = add({.op = Op::expected, .left = mean.node, .right = size->node})};
}

Result<NodeIndex> Checker::error_rate(const Syntax& syntax, size_t place) {
  if (syntax.parts.size() <= place) return kNoNode;
  const Syntax& part = syntax.parts[place];
  const auto rate = constant(part, "the error rate after `at`");
  if (!rate) return fail(rate.error());
  const double value = Evaluation(program_, {}, 0).number(rate->node);
  if (!(value > 0 && value < 0.5)) {
    return wrong(part, "an error rate must be above 0 and below 0.5");
  }
  return rate->node;
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
  return checked ? constant(*checked, syntax, what) : checked;
}

Result<Checker::Checked> Checker::constant(const Checked& checked, const Syntax& syntax,
                                           std::string_view what) {
  if (!is_constant(checked.node)) {
    return wrong(syntax, fmt::format("{} must be a number, not a count", what));
  }
  if (checked.quantity != Quantity::number) {
    return wrong(syntax,
                 fmt::format("{} must be a plain number, not {}", what, name_of(checked.quantity)));
  }
  return checked;
}

bool Checker::is_count(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::subtract) return is_count(node.left) && is_sum_of_counts(node.right);
  return is_sum_of_counts(index);
}

bool Checker::is_sum_of_counts(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::add) return is_sum_of_counts(node.left) && is_sum_of_counts(node.right);
  return node.op == Op::term && program_.terms[node.index].kind != TermKind::usual;
}

bool Checker::is_constant(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::term || node.op == Op::number_field) return false;
  return (node.left == kNoNode || is_constant(node.left)) &&
         (node.right == kNoNode || is_constant(node.right));
}

void Checker::collect_terms(NodeIndex index, std::vector<uint16_t>& found) const {
  const Node& node = program_[index];
  if (node.op == Op::term) found.push_back(node.index);
  if (node.left != kNoNode) collect_terms(node.left, found);
  if (node.right != kNoNode) collect_terms(node.right, found);
}

}  // namespace watchpost::expr
