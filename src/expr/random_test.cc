// Random conditions, held against a reading of their own that shares no code with the evaluator.
#include "expr/event_schema.h"
#include "expr/expression.h"

#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::expr {
namespace {

using Known = std::optional<bool>;
using Number = std::optional<double>;

// A condition or number as it may be written, and what it must come to.
template <class Result>
struct Sample {
  std::string plain;   // no needless blanks or parentheses
  std::string strewn;  // with some
  Result result;
  int binding = 9;  // how tightly it holds together; see docs/reference/expressions.md
};

class Generator {
 public:
  Generator(uint32_t seed, const Event& event, const std::vector<double>& counts)
      : random_(seed), event_(event), counts_(counts) {}

  // With `of_counts` a count condition, else a row condition.
  Sample<Known> condition(int depth, bool of_counts) {
    switch (depth > 0 ? pick(6) : 3) {
      case 0: return joined(depth, of_counts, "and");
      case 1: return joined(depth, of_counts, "or");
      case 2: {
        const auto inner = enclosed(condition(depth - 1, of_counts), 3);
        return {"not " + inner.plain, "not" + blank() + inner.strewn,
                inner.result ? Known(!*inner.result) : Known(), 3};
      }
      default: return of_counts || pick(2) == 0 ? comparison(depth, of_counts) : text_comparison();
    }
  }

 private:
  size_t pick(size_t below) { return random_() % below; }
  std::string blank() { return std::array{" ", "  ", "\t", "\n"}[pick(4)]; }

  // In parentheses where it must be, and in one reading also where it need not.
  template <class Result>
  Sample<Result> enclosed(Sample<Result> sample, int needed) {
    const bool must = sample.binding < needed;
    if (must) sample.plain = "(" + sample.plain + ")";
    if (must || pick(4) == 0) sample.strewn = "(" + blank() + sample.strewn + ")";
    return sample;
  }

  Sample<Known> joined(int depth, bool of_counts, const std::string& by) {
    const int binding = by == "or" ? 1 : 2;
    const auto left = enclosed(condition(depth - 1, of_counts), binding);
    const auto right = enclosed(condition(depth - 1, of_counts), binding);
    const bool decisive = by == "or";
    Known result;
    if (left.result == decisive || right.result == decisive) {
      result = decisive;
    } else if (left.result && right.result) {
      result = !decisive;
    }
    return {left.plain + " " + by + " " + right.plain,
            left.strewn + blank() + by + blank() + right.strewn, result, binding};
  }

  Sample<Known> comparison(int depth, bool of_counts) {
    const auto left = enclosed(number(depth, of_counts), 5);
    const auto right = enclosed(number(depth, of_counts), 5);
    const size_t which = pick(6);
    const std::string by = std::array{"==", "!=", "<", "<=", ">", ">="}[which];
    Known result;
    if (left.result && right.result) {
      const double a = *left.result;
      const double b = *right.result;
      result = std::array{a == b, a != b, a<b, a <= b, a> b, a >= b}[which];
    }
    return {left.plain + " " + by + " " + right.plain, left.strewn + by + blank() + right.strewn,
            result, 4};
  }

  Sample<Number> number(int depth, bool of_counts) {
    if (depth > 0 && pick(3) == 0) return calculated(depth, of_counts);
    if (pick(3) == 0) {
      const size_t value = pick(9);
      return {std::to_string(value), std::to_string(value) + ".0", static_cast<double>(value)};
    }
    if (of_counts) {
      const size_t which = pick(counts_.size());
      const std::string name(event_schema().counts[which]);
      return {name, name, counts_[which]};
    }
    if (pick(2) == 0) return {"reply_code", "reply_code", known(event_.reply_code)};
    return {"recipients", "recipients", known(event_.recipients)};
  }
  static Number known(double number) { return number == 0 ? Number() : Number(number); }

  Sample<Number> calculated(int depth, bool of_counts) {
    const size_t which = pick(4);
    const int binding = which < 2 ? 5 : 6;
    const auto left = enclosed(number(depth - 1, of_counts), binding);
    const auto right = enclosed(number(depth - 1, of_counts), binding + 1);
    const std::string by = std::array{"+", "-", "*", "/"}[which];
    Number result;
    if (left.result && right.result && !(which == 3 && *right.result == 0)) {
      const double a = *left.result;
      const double b = *right.result;
      result = which == 0 ? a + b : which == 1 ? a - b : which == 2 ? a * b : a / b;
    }
    return {left.plain + " " + by + " " + right.plain, left.strewn + by + right.strewn, result,
            binding};
  }

  Sample<Known> text_comparison() {
    const bool sender = pick(2) == 0;
    const std::string name = sender ? "sender" : "customer";
    const std::string value(event_[sender ? Field::sender : Field::customer]);
    const std::string wanted = std::array{"a", "ab", "b", "ba"}[pick(4)];
    const bool starts = value.substr(0, wanted.size()) == wanted;
    const bool contains = value.find(wanted) != std::string::npos;
    const bool ends =
        value.size() >= wanted.size() && value.substr(value.size() - wanted.size()) == wanted;
    struct Form {
      std::string before, after;
      bool result;
    };
    const std::array<Form, 8> forms{{{" == \"", "\"", value == wanted},
                                     {" != \"", "\"", value != wanted},
                                     {" starts_with \"", "\"", starts},
                                     {" ends_with \"", "\"", ends},
                                     {" contains \"", "\"", contains},
                                     {" not matches \"", "\"", !contains},
                                     {" in [\"x\", \"", "\"]", value == wanted},
                                     {" not in [\"", "\", \"y\"]", value != wanted}}};
    const Form& form = forms[pick(forms.size())];
    const std::string text = name + form.before + wanted + form.after;
    return {text, text, value.empty() ? Known() : Known(form.result), 4};
  }

  std::minstd_rand random_;
  const Event& event_;
  const std::vector<double>& counts_;
};

Truth truth_of(Known known) {
  if (!known) return Truth::unknown;
  return *known ? Truth::yes : Truth::no;
}

Event event_of(std::minstd_rand& random) {
  static constexpr std::array<std::string_view, 5> kTexts{"", "a", "ab", "bab", "ba"};
  Event event;
  event[Field::sender] = kTexts[random() % kTexts.size()];
  event[Field::customer] = kTexts[random() % kTexts.size()];
  event.reply_code = static_cast<uint16_t>(random() % 4);
  event.recipients = static_cast<uint32_t>(random() % 4);
  return event;
}

template <class Condition>
std::optional<Condition> parsed(const Sample<Known>& sample) {
  auto plain = Condition::parse(sample.plain, event_schema());
  const auto strewn = Condition::parse(sample.strewn, event_schema());
  // A few are larger than the bounds allow.
  if (!plain && plain.error().what.contains("at most")) return std::nullopt;
  EXPECT_TRUE(plain) << sample.plain << ": " << plain.error().text();
  EXPECT_TRUE(strewn) << sample.strewn << ": " << strewn.error().text();
  if (!plain || !strewn) return std::nullopt;
  EXPECT_EQ(plain->text(), strewn->text()) << sample.strewn;
  const auto again = Condition::parse(plain->text(), event_schema());
  EXPECT_TRUE(again && again->text() == plain->text()) << plain->text();
  return std::move(*plain);
}

TEST(Random, RowConditionsAreWhatTheySay) {
  std::minstd_rand random(1);
  for (uint32_t seed = 1; seed <= 5000; ++seed) {
    const Event event = event_of(random);
    const auto sample = Generator(seed, event, {}).condition(4, false);
    const auto condition = parsed<RowCondition>(sample);
    if (!condition) continue;
    ASSERT_EQ(condition->evaluate(EventRow(event)), truth_of(sample.result)) << sample.plain;
    EXPECT_FALSE(condition->explain(EventRow(event)).empty());
  }
}

TEST(Random, CountConditionsAreWhatTheySay) {
  std::minstd_rand random(2);
  for (uint32_t seed = 1; seed <= 5000; ++seed) {
    std::vector<double> counts;
    for (int i = 0; i < 6; ++i) counts.push_back(static_cast<double>(random() % 6));
    const Event event;
    const auto sample = Generator(seed, event, counts).condition(4, true);
    const auto condition = parsed<CountCondition>(sample);
    if (!condition) continue;
    std::vector<double> values;
    for (const CountTerm& term : condition->terms()) values.push_back(counts[term.count]);
    ASSERT_EQ(condition->evaluate(values, 1e-6).truth, truth_of(sample.result)) << sample.plain;
    EXPECT_FALSE(condition->explain(values, 1e-6).empty());
  }
}

}  // namespace
}  // namespace watchpost::expr
