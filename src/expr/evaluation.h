#pragma once
#include "expr/program.h"

#include <cmath>
#include <optional>
#include <span>
#include <string_view>

namespace watchpost::expr {

// One evaluation of one program: walks its nodes, allocates nothing. An unknown number is NaN.
//   Owns: nothing; all that it was given must outlive it.
class Evaluation {
 public:
  Evaluation(const Program& program, const Row& row) : program_(program), row_(&row) {}
  Evaluation(const Program& program, std::span<const double> counts, double error_rate)
      : program_(program), counts_(counts), error_rate_(error_rate) {}

  Truth truth(NodeIndex node) const;
  double number(NodeIndex node) const;
  // The same of what `exceeds` tests: less than nothing is nothing. What is taken off comes later
  // than what it is taken off of, so a window may hold more of it.
  double count(NodeIndex node) const;
  std::optional<std::string_view> text(NodeIndex node) const;
  // The error rate of an `exceeds` or `climbs` node.
  double error_rate(const Node& node) const;
  // How much evidence a `climbs` node needs.
  double evidence_needed(const Node& node) const { return -std::log(error_rate(node)); }
  // The size that an `expected` node was given: may be infinite, which is no spread beyond chance.
  double spread(const Node& expected) const;

 private:
  Value read(const Node& node) const;
  Truth joined(const Node& node) const;
  Truth comparison(const Node& node) const;
  Truth membership(const Node& node) const;
  Truth search(const Node& node) const;
  Truth exceeds(const Node& node) const;
  Truth exceeds_usual(double k, const Node& expected, double error_rate) const;
  Truth climbs(const Node& node) const;

  const Program& program_;
  const Row* row_ = nullptr;
  std::span<const double> counts_;
  double error_rate_ = 0;
};

}  // namespace watchpost::expr
