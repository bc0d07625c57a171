#include "expr/needs.h"

#include "expr/evaluation.h"

#include <cmath>
#include <optional>
#include <utility>

namespace watchpost::expr {
namespace {

// What rounding can be worth, many times over: a need is never stricter than its condition.
constexpr double kSlack = 1 - 1e-9;

class Needs {
 public:
  Needs(const Program& program, double error_rate)
      : program_(program), evaluation_(program, {}, error_rate) {}

  std::vector<Need> take() {
    look_at(program_.root);
    return std::move(found_);
  }

 private:
  using Terms = std::vector<size_t>;

  void look_at(NodeIndex index) {
    const Node& node = program_[index];
    if (node.op == Op::both) {
      look_at(node.left);
      look_at(node.right);
    } else if (node.op == Op::compare_numbers) {
      compared(node);
    } else if (node.op == Op::exceeds) {
      exceeds(node);
    } else if (node.op == Op::climbs) {
      add({program_[node.left].index}, evaluation_.evidence_needed(node), {});
    }
  }

  void compared(const Node& node) {
    switch (node.relation) {
      case Relation::greater:
      case Relation::greater_or_equal: return at_least(node.left, node.right);
      case Relation::less:
      case Relation::less_or_equal: return at_least(node.right, node.left);
      case Relation::equal: at_least(node.left, node.right); return at_least(node.right, node.left);
      case Relation::not_equal: return;
    }
  }

  void at_least(NodeIndex large, NodeIndex small) {
    const std::optional<double> least = constant(small);
    if (!least) return;
    const Node& node = program_[large];
    if (node.op == Op::divide) {
      share(node, *least);
    } else if (const auto terms = at_most_the_sum_of(large)) {
      add(*terms, *least, {});
    }
  }

  void exceeds(const Node& node) {
    const Node& left = program_[node.left];
    const Node& right = program_[node.right];
    if (left.op == Op::divide) {
      const std::optional<double> rate = constant(node.right);
      if (!rate) return;
      share(left, *rate);
      // Fewest where there are no others: then it comes by chance with rate^k.
      const auto bad = at_most_the_sum_of(left.left);
      if (bad) add(*bad, std::log(evaluation_.error_rate(node)) / std::log(*rate), {});
      return;
    }
    const auto terms = at_most_the_sum_of(node.left);
    if (!terms) return;
    if (right.op == Op::expected) {
      times_usual(*terms, right.left);
    } else if (const auto mean = constant(node.right)) {
      add(*terms, *mean, {});
    }
  }

  // `terms` exceed what is usual, or a multiple of it.
  void times_usual(const Terms& terms, NodeIndex mean) {
    const Node& node = program_[mean];
    if (node.op == Op::term) return add(terms, 1, {node.index});
    if (node.op != Op::multiply) return;
    for (const auto& [factor, usual] :
         {std::pair(node.left, node.right), std::pair(node.right, node.left)}) {
      const std::optional<double> times = constant(factor);
      if (times && program_[usual].op == Op::term) add(terms, *times, {program_[usual].index});
    }
  }

  void share(const Node& divide, double least) {
    const auto some = at_most_the_sum_of(divide.left);
    Terms all;
    if (some && is_sum(divide.right, all)) add(*some, least, all);
  }

  void add(Terms terms, double least, Terms among) {
    if (!(least > 0) || !std::isfinite(least)) return;
    found_.push_back(
        {.terms = std::move(terms), .least = least * kSlack, .among = std::move(among)});
  }

  // A number in which no term stands.
  std::optional<double> constant(NodeIndex index) const {
    const double value = evaluation_.number(index);  // without values a term is unknown
    return std::isnan(value) ? std::nullopt : std::optional(value);
  }

  bool is_sum(NodeIndex index, Terms& terms) const {
    const Node& node = program_[index];
    if (node.op == Op::term) terms.push_back(node.index);
    return node.op == Op::term ||
           (node.op == Op::add && is_sum(node.left, terms) && is_sum(node.right, terms));
  }

  // No term is below 0, so what is taken off can be left out.
  std::optional<Terms> at_most_the_sum_of(NodeIndex index) const {
    const Node& node = program_[index];
    if (node.op == Op::term) return Terms{node.index};
    if (node.op != Op::add && node.op != Op::subtract) return std::nullopt;
    auto left = at_most_the_sum_of(node.left);
    if (node.op == Op::subtract) {
      Terms taken_off;
      return is_sum(node.right, taken_off) ? left : std::nullopt;
    }
    const auto right = at_most_the_sum_of(node.right);
    if (!left || !right) return std::nullopt;
    left->insert(left->end(), right->begin(), right->end());
    return left;
  }

  const Program& program_;
  const Evaluation evaluation_;
  std::vector<Need> found_;
};

}  // namespace

std::vector<Need> needs_of(const Program& program, double error_rate) {
  return Needs(program, error_rate).take();
}

}  // namespace watchpost::expr
