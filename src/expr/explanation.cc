#include "expr/explanation.h"

#include "base/text.h"
#include "expr/evaluation.h"
#include "expr/render.h"
#include "expr/tail.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

constexpr size_t kLongestValue = 120;

std::string_view name_of(Truth truth) {
  switch (truth) {
    case Truth::no: return "no";
    case Truth::unknown: return "unknown";
    case Truth::yes: return "yes";
  }
  return "";
}

// The comparisons below a node, in source order.
void collect_comparisons(const Program& program, NodeIndex index, std::vector<NodeIndex>& found) {
  const Node& node = program[index];
  if (node.op != Op::both && node.op != Op::either && node.op != Op::negation) {
    found.push_back(index);
    return;
  }
  collect_comparisons(program, node.left, found);
  if (node.op != Op::negation) collect_comparisons(program, node.right, found);
}

// The fields that a comparison reads, in source order, each once.
void collect_fields(const Program& program, NodeIndex index, std::vector<uint16_t>& found) {
  const Node& node = program[index];
  const bool is_field =
      node.op == Op::text_field || node.op == Op::number_field || node.op == Op::known;
  if (is_field && std::ranges::find(found, node.index) == found.end()) found.push_back(node.index);
  const bool has_list = node.op == Op::text_in || node.op == Op::number_in;
  if (node.left != kNoNode) collect_fields(program, node.left, found);
  if (node.right != kNoNode && !has_list) collect_fields(program, node.right, found);
}

std::string shown(const FieldName& field, const Value& value) {
  struct Shown {
    const FieldName& field;
    std::string operator()(Unknown) const { return "not known"; }
    std::string operator()(bool holds) const { return holds ? "yes" : "no"; }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(std::string_view text) const {
      const std::string safe = escaped(text, kLongestValue);
      return field.words.empty() ? fmt::format("\"{}\"", safe) : safe;
    }
  };
  return std::visit(Shown{field}, value);
}

std::string values_of(const Program& program, NodeIndex comparison, const Row& row) {
  std::vector<uint16_t> fields;
  collect_fields(program, comparison, fields);
  std::string values;
  for (const uint16_t field : fields) {
    const FieldName& name = program.schema.fields[field];
    values += fmt::format("{}{} is {}", values.empty() ? "" : ", ", name.name,
                          shown(name, row.read(field)));
  }
  return values.empty() ? values : fmt::format(" ({})", values);
}

// One judged comparison of counts, as a line.
class CountLine {
 public:
  CountLine(const Program& program, std::span<const double> counts, double error_rate)
      : program_(program), counts_(counts), evaluation_(program, counts, error_rate) {}

  std::string of(NodeIndex index) const {
    const Node& node = program_[index];
    if (node.op == Op::climbs) return climb(index);
    const bool test = node.op == Op::exceeds;
    const bool share = program_[node.left].op == Op::divide &&
                       (test || program_[node.right].unit == Unit::percent);
    std::string line;
    if (node.op == Op::number_in) {
      // A list has no value of its own: what was written already says it all.
      line = fmt::format("{} ({})", text_of(program_, index), side(node.left, false));
    } else {
      line = fmt::format("{} {} {}", side(node.left, share),
                         test ? "exceeds" : symbol_of(node.relation), side(node.right, share));
    }
    line += fmt::format(": {}", name_of(evaluation_.truth(index)));
    return test ? line + chance(node) : line;
  }

 private:
  // "bounced / attempted = 18 / 60 = 30%"; a number alone stays as it was written.
  std::string side(NodeIndex index, bool share) const {
    if (program_[index].op == Op::expected) return side(program_[index].left, share);
    std::string text = text_of(program_, index);
    const std::string numbers = text_with(program_, index, counts_);
    if (text == numbers) return text;
    const double value = evaluation_.number(index);
    const std::string result = share ? percent_text(value) : number_text(value);
    if (program_[index].op == Op::term) return fmt::format("{} = {}", text, result);
    return fmt::format("{} = {} = {}", text, numbers, result);
  }

  std::string chance(const Node& node) const {
    const Node& left = program_[node.left];
    const double limit = evaluation_.number(node.right);
    const std::string limit_text = text_of(program_, node.right);
    if (left.op == Op::divide) {
      const double k = evaluation_.count(left.left);
      const double n = evaluation_.number(left.right);
      if (std::isnan(evaluation_.number(node.left))) return "";
      return fmt::format(
          " ({} or more of {} at {} come by chance with probability {:.2g}; error rate {:g})",
          number_text(k), number_text(n), limit_text, binomial_tail(k, n, limit),
          evaluation_.error_rate(node));
    }
    const double k = evaluation_.count(node.left);
    if (std::isnan(k)) return "";
    if (program_[node.right].op == Op::expected) return chance_of_usual(k, node);
    return fmt::format(
        " ({} or more where {} are expected come by chance with probability {:.2g}; error rate "
        "{:g})",
        number_text(k), limit_text, poisson_tail(k, limit), evaluation_.error_rate(node));
  }

  // How far the past strayed from what was usual says more to people than a parameter.
  std::string chance_of_usual(double k, const Node& node) const {
    const double mean = evaluation_.number(node.right);
    const double size = evaluation_.spread(program_[node.right]);
    const double chance = negative_binomial_tail(k, mean, size);
    if (std::isnan(chance)) return "";
    return fmt::format(
        " ({} or more where {} are expected, give or take {}, come by chance with probability "
        "{:.2g}; error rate {:g})",
        number_text(k), number_text(mean), number_text(std::sqrt(mean + mean * (mean / size))),
        chance, evaluation_.error_rate(node));
  }

  // "bounced / attempted climbed from 2% to 20%: evidence 14.2 of 13.8 needed: yes"
  std::string climb(NodeIndex index) const {
    const Node& node = program_[index];
    const double evidence = evaluation_.number(node.left);
    const double needed = evaluation_.evidence_needed(node);
    std::string is = rounded(evidence, 1);
    std::string must_be = rounded(needed, 1);
    if (is == must_be && evidence < needed) {
      is = rounded(evidence, 4);
      must_be = rounded(needed, 4);
    }
    return fmt::format("{}: evidence {} of {} needed: {}",
                       climb_text(program_.terms[program_[node.left].index], "climbed"), is,
                       must_be, name_of(evaluation_.truth(index)));
  }
  static std::string rounded(double number, int digits) {
    return std::isfinite(number) ? fmt::format("{:.{}f}", number, digits) : "unknown";
  }

  const Program& program_;
  std::span<const double> counts_;
  Evaluation evaluation_;
};

std::vector<NodeIndex> comparisons_of(const Program& program) {
  std::vector<NodeIndex> found;
  collect_comparisons(program, program.root, found);
  return found;
}

}  // namespace

std::vector<std::string> explanation(const Program& program, const Row& row) {
  const Evaluation evaluation(program, row);
  std::vector<std::string> lines;
  for (const NodeIndex comparison : comparisons_of(program)) {
    lines.push_back(fmt::format("{}: {}{}", text_of(program, comparison),
                                name_of(evaluation.truth(comparison)),
                                values_of(program, comparison, row)));
  }
  lines.push_back(fmt::format("{}: {}", program.text, name_of(evaluation.truth(program.root))));
  return lines;
}

std::vector<std::string> explanation(const Program& program, std::span<const double> counts,
                                     double error_rate) {
  const CountLine line(program, counts, error_rate);
  std::vector<std::string> lines;
  for (const NodeIndex comparison : comparisons_of(program)) lines.push_back(line.of(comparison));
  return lines;
}

}  // namespace watchpost::expr
