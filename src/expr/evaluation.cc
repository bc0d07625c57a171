#include "expr/evaluation.h"

#include "expr/tail.h"

#include <limits>

namespace watchpost::expr {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

Truth truth_of(bool holds) { return holds ? Truth::yes : Truth::no; }

Truth opposite(Truth truth) {
  return static_cast<Truth>(static_cast<int>(Truth::yes) - static_cast<int>(truth));
}

template <class T>
bool holds(Relation relation, const T& left, const T& right) {
  switch (relation) {
    case Relation::equal: return left == right;
    case Relation::not_equal: return left != right;
    case Relation::less: return left < right;
    case Relation::less_or_equal: return left <= right;
    case Relation::greater: return left > right;
    case Relation::greater_or_equal: return left >= right;
  }
  return false;
}

// What a calculation came to; what is no number any more is unknown.
double known_number(double number) { return std::isfinite(number) ? number : kUnknown; }

}  // namespace

Truth Evaluation::truth(NodeIndex index) const {
  const Node& node = program_[index];
  switch (node.op) {
    case Op::both:
    case Op::either: return joined(node);
    case Op::negation: return opposite(truth(node.left));
    case Op::is_true: {
      const Value value = read(node);
      const bool* known = std::get_if<bool>(&value);
      return known == nullptr ? Truth::unknown : truth_of(*known);
    }
    case Op::known: return truth_of(std::holds_alternative<Unknown>(read(node)) == node.negated);
    case Op::compare_numbers:
    case Op::compare_texts: return comparison(node);
    case Op::number_in:
    case Op::text_in: return membership(node);
    case Op::matches:
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with: return search(node);
    case Op::exceeds: return exceeds(node);
    case Op::climbs: return climbs(node);
    case Op::number:
    case Op::number_field:
    case Op::term:
    case Op::negate:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::expected:
    case Op::text:
    case Op::text_field: break;
  }
  return Truth::unknown;
}

// Kleene's three-valued logic: with no < unknown < yes, `and` is the lesser and `or` the greater.
// The order of evaluation changes nothing, so what is cheap goes first.
Truth Evaluation::joined(const Node& node) const {
  const Truth decisive = node.op == Op::both ? Truth::no : Truth::yes;
  const bool right_first = program_[node.left].costly && !program_[node.right].costly;
  const Truth first = truth(right_first ? node.right : node.left);
  if (first == decisive) return first;
  const Truth second = truth(right_first ? node.left : node.right);
  return second == decisive || first != Truth::unknown ? second : first;
}

Truth Evaluation::comparison(const Node& node) const {
  if (node.op == Op::compare_texts) {
    const auto left = text(node.left);
    if (!left) return Truth::unknown;
    const auto right = text(node.right);
    if (!right) return Truth::unknown;
    return truth_of(holds(node.relation, *left, *right));
  }
  const double left = number(node.left);
  const double right = number(node.right);
  if (std::isnan(left) || std::isnan(right)) return Truth::unknown;
  return truth_of(holds(node.relation, left, right));
}

Truth Evaluation::membership(const Node& node) const {
  const auto* value = &program_.nodes[node.right];
  const auto* end = value + node.index;
  if (node.op == Op::text_in) {
    const auto left = text(node.left);
    if (!left) return Truth::unknown;
    while (value != end && program_.texts[value->index] != *left) ++value;
  } else {
    const double left = number(node.left);
    if (std::isnan(left)) return Truth::unknown;
    while (value != end && value->value != left) ++value;
  }
  return truth_of((value != end) != node.negated);
}

Truth Evaluation::search(const Node& node) const {
  const auto where = text(node.left);
  if (!where) return Truth::unknown;
  if (node.op == Op::matches) {
    return truth_of(program_.patterns[node.index].found_in(*where) != node.negated);
  }
  const auto what = text(node.right);
  if (!what) return Truth::unknown;
  bool found = false;
  if (node.op == Op::contains) found = where->find(*what) != std::string_view::npos;
  if (node.op == Op::starts_with) found = where->starts_with(*what);
  if (node.op == Op::ends_with) found = where->ends_with(*what);
  return truth_of(found != node.negated);
}

double Evaluation::error_rate(const Node& node) const {
  return node.index == kNoNode ? error_rate_ : number(node.index);
}

double Evaluation::count(NodeIndex index) const {
  const double counted = number(index);
  return counted < 0 ? 0 : counted;
}

Truth Evaluation::exceeds(const Node& node) const {
  const Node& left = program_[node.left];
  const double limit = number(node.right);
  if (left.op != Op::divide) {
    const double k = count(node.left);
    if (std::isnan(k)) return Truth::unknown;
    const Node& right = program_[node.right];
    if (right.op == Op::expected) return exceeds_usual(k, right, error_rate(node));
    return truth_of(poisson_exceeds(k, limit, error_rate(node)));
  }
  const double k = count(left.left);
  const double n = number(left.right);
  if (std::isnan(k) || std::isnan(n) || n == 0) return Truth::unknown;
  return truth_of(binomial_exceeds(k, n, limit, error_rate(node)));
}

Truth Evaluation::exceeds_usual(double k, const Node& expected, double error_rate) const {
  const double mean = number(expected.left);
  const double size = spread(expected);
  // Where nothing at all was ever seen, nothing is known about how much would be too much.
  if (!(mean > 0) || !(size > 0)) return Truth::unknown;
  return truth_of(negative_binomial_exceeds(k, mean, size, error_rate));
}

double Evaluation::spread(const Node& expected) const {
  const size_t term = program_[expected.right].index;
  return term < counts_.size() ? counts_[term] : kUnknown;
}

Truth Evaluation::climbs(const Node& node) const {
  const double evidence = number(node.left);
  if (std::isnan(evidence)) return Truth::unknown;
  return truth_of(evidence >= evidence_needed(node));
}

double Evaluation::number(NodeIndex index) const {
  const Node& node = program_[index];
  switch (node.op) {
    case Op::number: return node.value;
    case Op::term:
      return node.index < counts_.size() ? known_number(counts_[node.index]) : kUnknown;
    case Op::number_field: {
      const Value value = read(node);
      const double* known = std::get_if<double>(&value);
      return known == nullptr ? kUnknown : known_number(*known);
    }
    case Op::negate: return -number(node.left);
    case Op::add: return known_number(number(node.left) + number(node.right));
    case Op::subtract: return known_number(number(node.left) - number(node.right));
    case Op::multiply: return known_number(number(node.left) * number(node.right));
    case Op::divide: {
      const double divisor = number(node.right);
      return divisor == 0 ? kUnknown : known_number(number(node.left) / divisor);
    }
    case Op::expected: return number(node.left);
    case Op::both:
    case Op::either:
    case Op::negation:
    case Op::is_true:
    case Op::known:
    case Op::compare_numbers:
    case Op::compare_texts:
    case Op::number_in:
    case Op::text_in:
    case Op::matches:
    case Op::contains:
    case Op::starts_with:
    case Op::ends_with:
    case Op::exceeds:
    case Op::climbs:
    case Op::text:
    case Op::text_field: break;
  }
  return kUnknown;
}

std::optional<std::string_view> Evaluation::text(NodeIndex index) const {
  const Node& node = program_[index];
  if (node.op == Op::text) return program_.texts[node.index];
  if (node.op != Op::text_field) return std::nullopt;
  const Value value = read(node);
  const std::string_view* known = std::get_if<std::string_view>(&value);
  return known == nullptr ? std::nullopt : std::optional(*known);
}

Value Evaluation::read(const Node& node) const {
  return row_ == nullptr ? Value(Unknown{}) : row_->read(node.index);
}

}  // namespace watchpost::expr
