#include "expr/render.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::expr {
namespace {

// How tightly each form binds: an operand that binds less than its place asks for stands in
// parentheses.
enum Binding { kEither, kBoth, kNegation, kComparison, kSum, kProduct, kUnary, kPrimary };

Binding binding_of(Op op) {
  switch (op) {
    case Op::either: return kEither;
    case Op::both: return kBoth;
    case Op::negation: return kNegation;
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
    case Op::climbs: return kComparison;
    case Op::add:
    case Op::subtract: return kSum;
    case Op::multiply:
    case Op::divide: return kProduct;
    case Op::negate: return kUnary;
    case Op::is_true:
    case Op::number:
    case Op::number_field:
    case Op::term:
    case Op::text:
    case Op::text_field:
    case Op::expected: return kPrimary;  // seen through, below
  }
  return kPrimary;
}

class Renderer {
 public:
  // With `counts`, the number of each count stands for its name.
  Renderer(const Program& program, const std::span<const double>* counts)
      : program_(program), counts_(counts) {}

  std::string text(NodeIndex index, Binding needed) const {
    const Node& node = program_[index];
    if (node.op == Op::expected) return text(node.left, needed);
    const std::string bare = text(node);
    return binding_of(node.op) < needed ? fmt::format("({})", bare) : bare;
  }

 private:
  std::string text(const Node& node) const {
    switch (node.op) {
      // Both operators are associative: whatever is inside needs no parentheses on either side.
      case Op::both: return joined(node, "and", kBoth, kBoth);
      case Op::either: return joined(node, "or", kEither, kEither);
      case Op::negation: return "not " + text(node.left, kNegation);
      case Op::known:
        return fmt::format("{} is {}", field(node), node.negated ? "unknown" : "known");
      case Op::compare_numbers: return joined(node, symbol_of(node.relation), kSum, kSum);
      case Op::compare_texts:
        return fmt::format("{} {} {}", text(node.left, kSum), symbol_of(node.relation),
                           value(node, node.right));
      case Op::number_in:
      case Op::text_in: return list(node);
      case Op::matches: return searched(node, "matches");
      case Op::contains: return searched(node, "contains");
      case Op::starts_with: return searched(node, "starts_with");
      case Op::ends_with: return searched(node, "ends_with");
      case Op::exceeds: return with_rate(joined(node, "exceeds", kSum, kSum), node);
      case Op::climbs: return with_rate(term(program_[node.left]), node);
      case Op::add: return joined(node, "+", kSum, kProduct);
      case Op::subtract: return joined(node, "-", kSum, kProduct);
      case Op::multiply: return joined(node, "*", kProduct, kUnary);
      case Op::divide: return joined(node, "/", kProduct, kUnary);
      case Op::negate: return "-" + text(node.left, kUnary);
      case Op::is_true:
      case Op::number_field:
      case Op::text_field: return std::string(field(node));
      case Op::number: return fmt::format("{}{}", node.written, name_of(node.unit));
      case Op::term: return term(node);
      case Op::text: return quoted(program_.texts[node.index]);
      case Op::expected: break;  // seen through, above
    }
    return {};
  }

  std::string_view field(const Node& node) const { return program_.schema.fields[node.index].name; }

  std::string joined(const Node& node, std::string_view by, Binding left, Binding right) const {
    return fmt::format("{} {} {}", text(node.left, left), by, text(node.right, right));
  }

  std::string searched(const Node& node, std::string_view by) const {
    return fmt::format("{}{} {} {}", text(node.left, kSum), node.negated ? " not" : "", by,
                       text(node.right, kSum));
  }

  std::string list(const Node& node) const {
    std::string values;
    for (size_t i = 0; i < node.index; ++i) {
      if (i > 0) values += ", ";
      values += value(node, static_cast<NodeIndex>(node.right + i));
    }
    return fmt::format("{} {} [{}]", text(node.left, kSum), node.negated ? "not in" : "in", values);
  }

  std::string with_rate(std::string test, const Node& node) const {
    if (node.index != kNoNode) test += " at " + text(node.index, kSum);
    return test;
  }

  // A value that `node` compares with: bare where its field has a closed set of words.
  std::string value(const Node& node, NodeIndex index) const {
    const Node& left = program_[node.left];
    const Node& right = program_[index];
    if (left.op == Op::text_field && right.op == Op::text &&
        !program_.schema.fields[left.index].words.empty() && is_word(program_.texts[right.index])) {
      return program_.texts[right.index];
    }
    return text(index, kSum);
  }

  // A text has no escapes, so it never holds both kinds of quotes.
  static std::string quoted(const std::string& text) {
    const char quote = text.find('"') == std::string::npos ? '"' : '\'';
    return quote + text + quote;
  }

  std::string term(const Node& node) const {
    if (counts_ == nullptr) return program_.terms[node.index].text;
    if (node.index >= counts_->size()) return "unknown";
    return number_text((*counts_)[node.index]);
  }

  const Program& program_;
  const std::span<const double>* counts_;
};

// A share of 0 to 1 as it is best written; equal texts are equal shares.
std::string share_text(double share) {
  const std::string percent = fmt::format("{:.15g}", share * 100);
  double read = 0;
  std::from_chars(percent.data(), percent.data() + percent.size(), read);
  const bool is_plain = percent.find('e') == std::string::npos && read / 100 == share;
  return is_plain ? percent + "%" : fmt::format("{}", share);
}

std::string sum_text(const std::vector<CountTerm>& counts) {
  std::string sum;
  for (const CountTerm& count : counts) sum += (sum.empty() ? "" : " + ") + count.text;
  return counts.size() > 1 ? fmt::format("({})", sum) : sum;
}

}  // namespace

std::string_view symbol_of(Relation relation) {
  static constexpr std::array<std::string_view, 6> kSymbols{"==", "!=", "<", "<=", ">", ">="};
  return kSymbols[static_cast<size_t>(relation)];
}

std::string text_of(const Program& program, NodeIndex node) {
  return Renderer(program, nullptr).text(node, kEither);
}

std::string text_with(const Program& program, NodeIndex node, std::span<const double> counts) {
  return Renderer(program, &counts).text(node, kEither);
}

std::string climb_text(const CountTerm& climb, std::string_view verb) {
  return fmt::format("{} / {} {} from {} to {}", sum_text(climb.bad), sum_text(climb.tries), verb,
                     share_text(climb.from), share_text(climb.to));
}

std::string number_text(double number) {
  if (!std::isfinite(number)) return "unknown";
  if (number == std::round(number) && std::abs(number) < 1e15) return fmt::format("{:.0f}", number);
  return fmt::format("{:.4g}", number);
}

std::string percent_text(double share) {
  return std::isfinite(share) ? number_text(share * 100) + "%" : "unknown";
}

}  // namespace watchpost::expr
