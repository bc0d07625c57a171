// Random conditions, held against a reading of their own that shares no code with the evaluator.
#include "expr/event_schema.h"
#include "expr/expression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
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

// What a term comes to, from the six numbers of a sample: some number for each kind and field.
Number value_of(const CountTerm& term, const std::vector<double>& counts) {
  if (term.kind == TermKind::count) return counts[term.count];
  const size_t which = term.count + static_cast<size_t>(term.kind) + term.field;
  const double value = counts[which % counts.size()];
  // Not everything is known of the past.
  return value == 0 && term.kind >= TermKind::usual ? Number() : Number(value);
}

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
      default: break;
    }
    switch (pick(of_counts ? 6 : 2)) {
      case 0: return of_counts ? excess() : text_comparison();
      case 1: return of_counts ? climb() : comparison(depth, of_counts);
      default: return comparison(depth, of_counts);
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
    if (of_counts) return pick(3) == 0 ? asked() : counted(pick(counts_.size()));
    if (pick(2) == 0) return {"reply_code", "reply_code", known(event_.reply_code)};
    return {"recipients", "recipients", known(event_.recipients)};
  }
  Sample<Number> counted(size_t which) {
    const std::string name(event_schema().counts[which]);
    return {name, name, counts_[which]};
  }
  // What is asked of a count.
  Sample<Number> asked() {
    const auto count = enclosed(counted(pick(counts_.size())), 0);
    const auto kind = static_cast<TermKind>(1 + pick(4));
    const std::string name =
        std::array{"distinct", "new", "in_order", "usual"}[static_cast<size_t>(kind) - 1];
    CountTerm term{.kind = kind, .count = count_index(count.plain)};
    if (kind == TermKind::usual) {
      return {name + "(" + count.plain + ")", name + blank() + "(" + count.strewn + blank() + ")",
              value_of(term, counts_)};
    }
    term.field = static_cast<size_t>(
        std::array{Field::recipient, Field::client_network, Field::provider}[pick(3)]);
    const std::string field(event_schema().fields[term.field].name);
    return {name + "(" + count.plain + ", " + field + ")",
            name + "(" + count.strewn + blank() + "," + field + blank() + ")",
            value_of(term, counts_)};
  }
  static size_t count_index(std::string_view name) {
    return static_cast<size_t>(std::ranges::find(event_schema().counts, name) -
                               event_schema().counts.begin());
  }

  // `k exceeds factor * usual(k)`, and the naive sum of the tail.
  Sample<Known> excess() {
    const size_t which = pick(counts_.size());
    const std::string name(event_schema().counts[which]);
    const size_t factor = 1 + pick(3);
    const double rate = std::array{0.001, 0.01, 0.1, 0.3}[pick(4)];
    const auto value = [&](TermKind kind) {
      return value_of({.kind = kind, .count = which}, counts_);
    };
    const Number usual = value(TermKind::usual);
    const Number size = value(TermKind::spread);
    Known result;
    if (usual && size && *usual > 0 && *size > 0) {
      const double mean = static_cast<double>(factor) * *usual;
      double below = 0;
      double term = std::pow(*size / (*size + mean), *size);
      for (int i = 0; i < counts_[which]; ++i) {
        below += term;
        term *= (i + *size) / (i + 1) * mean / (mean + *size);
      }
      result = counts_[which] > mean && 1 - below <= rate;
    }
    const std::string scale = std::to_string(factor);
    return {fmt::format("{0} exceeds {1} * usual({0}) at {2}", name, scale, rate),
            fmt::format("({0}) exceeds\n({1}*usual( {0} ))at({2})", name, scale, rate), result, 4};
  }

  Sample<Known> climb() {
    const std::string bad(event_schema().counts[pick(counts_.size())]);
    const std::string tries(event_schema().counts[pick(counts_.size())]);
    const size_t from = 1 + pick(5);
    const size_t to = from + 1 + pick(5);
    const double rate = std::array{0.4, 0.1, 0.02, 0.005}[pick(4)];
    const Number evidence = value_of({.kind = TermKind::climb}, counts_);
    Known result;
    if (evidence) result = *evidence >= -std::log(rate);
    return {fmt::format("{} / {} climbs from {}% to {}% at {}", bad, tries, from, to, rate),
            fmt::format("({}/({}))climbs\tfrom {} to  ({}%)at {}", bad, tries,
                        static_cast<double>(from) / 100, to, rate),
            result, 4};
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

bool all_needs_are_met(const CountCondition& condition, const std::vector<double>& values,
                       double error_rate) {
  const auto sum = [&](const std::vector<size_t>& terms) {
    double all = 0;
    for (const size_t term : terms) all += values[term];
    return all;
  };
  const auto needs = condition.needs(error_rate);
  return std::ranges::all_of(needs, [&](const Need& need) {
    return sum(need.terms) >= need.least * (need.among.empty() ? 1 : sum(need.among));
  });
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
    for (const CountTerm& term : condition->terms()) {
      values.push_back(value_of(term, counts).value_or(std::nan("")));
    }
    ASSERT_EQ(condition->evaluate(values, 1e-6).truth, truth_of(sample.result)) << sample.plain;
    EXPECT_FALSE(condition->explain(values, 1e-6).empty());
    const bool yes = truth_of(sample.result) == Truth::yes;
    EXPECT_EQ(condition->holds(values, 1e-6), yes) << sample.plain;
    EXPECT_TRUE(!yes || all_needs_are_met(*condition, values, 1e-6)) << sample.plain;
  }
}

// The tests of real rules: many events, small rates, and a guard.
TEST(Random, NoNeedIsStricterThanItsCondition) {
  const std::vector<std::string> conditions{
      "bounced / attempted exceeds 2% at 1e-9",
      "(bounced + deferred) / attempted exceeds 30% at 1e-3",
      "bounced / (delivered + bounced) exceeds 50% at 0.4",
      "(bounced - new(bounced, recipient)) / attempted > 2%",
      "bounced - new(bounced, recipient) - deferred + complained >= 20 and accepted / bounced > 3",
      "attempted >= 20 and bounced / attempted exceeds 10%",
      "30 < bounced and 2 * 3 <= delivered + bounced and 10% < bounced / attempted",
      "bounced == 7 and distinct(bounced, provider) >= 3",
      "accepted exceeds 10 * usual(accepted) at 1e-9 and accepted >= 3",
      "accepted + delivered exceeds usual(accepted) * 3 at 0.3",
      "accepted exceeds usual(accepted) + 4",
      "(bounced - deferred) / (delivered + bounced) exceeds 20% at 1e-3",
      "bounced + complained - deferred - delivered exceeds 5 at 1e-3",
      "accepted exceeds 7.5 at 1e-3",
      "bounced / (delivered + bounced) climbs from 2% to 12% at 1e-9",
      "not bounced / attempted exceeds 2% and bounced > 3",
      "bounced >= 30 or delivered >= 4",
  };
  std::minstd_rand random(3);
  for (const std::string& text : conditions) {
    const auto condition = CountCondition::parse(text, event_schema());
    ASSERT_TRUE(condition) << condition.error().text();
    int held = 0;
    for (int i = 0; i < 20'000; ++i) {
      std::vector<double> values;
      for (size_t v = 0; v < condition->terms().size(); ++v) {
        const auto most = std::array<uint32_t, 4>{3, 12, 60, 2000}[random() % 4];
        values.push_back(random() % 16 == 0 ? std::nan("") : static_cast<double>(random() % most));
      }
      if (condition->evaluate(values, 1e-6).truth != Truth::yes) continue;
      ++held;
      ASSERT_TRUE(all_needs_are_met(*condition, values, 1e-6)) << text;
    }
    EXPECT_GT(held, 0) << text;
  }
}

// A need that is never missed saves nothing.
TEST(Random, NeedsAreFoundWhereRulesHaveThem) {
  const auto missed = [](std::string_view text, std::vector<double> values) {
    return !all_needs_are_met(*CountCondition::parse(text, event_schema()), values, 1e-9);
  };
  EXPECT_TRUE(missed("bounced >= 3", {2}));
  EXPECT_FALSE(missed("bounced >= 3", {3}));
  EXPECT_TRUE(missed("bounced / attempted > 10%", {1, 11}));
  EXPECT_FALSE(missed("bounced / attempted > 10%", {2, 11}));
  EXPECT_TRUE(missed("bounced / attempted exceeds 10%", {8, 8}));   // 10%^8 is more than 1e-9
  EXPECT_FALSE(missed("bounced / attempted exceeds 10%", {9, 9}));  // and this as much
  EXPECT_TRUE(missed("bounced / attempted exceeds 10%", {20, 201}));
  EXPECT_TRUE(missed("accepted exceeds 10 * usual(accepted)", {29, 3, 1}));
  EXPECT_TRUE(missed("accepted exceeds 10 * usual(accepted)", {29, std::nan(""), 1}));
  EXPECT_TRUE(missed("bounced / attempted climbs from 2% to 12%", {20.7}));
  EXPECT_FALSE(missed("bounced / attempted climbs from 2% to 12%", {20.8}));
  EXPECT_FALSE(missed("bounced >= 3 or attempted >= 3", {2, 3}));
  EXPECT_FALSE(missed("not bounced >= 3", {2}));
}

}  // namespace
}  // namespace watchpost::expr
