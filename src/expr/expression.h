#pragma once
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The rule language: small, typed, checked when it is loaded. No loops, no side effects, bounded
// cost. docs/reference/expressions.md is its manual.
//
// Two forms share one grammar:
//   a RowCondition speaks of one row:
//     class == unknown_user and provider in ["gmail", "yahoo"]
//   a CountCondition speaks of what was counted:
//     bounced(class == unknown_user) / attempted exceeds 2%
namespace watchpost::expr {

enum class Type { boolean, number, text };
std::string_view name_of(Type type);

// A value of its own: a field that the row does not have, a division by zero. Comparing it gives
// unknown; `and`, `or`, `not` follow Kleene's three-valued logic.
struct Unknown {
  bool operator==(const Unknown&) const = default;
};
using Value = std::variant<Unknown, bool, double, std::string_view>;

enum class Truth { no, unknown, yes };

// What a number measures: `size > 5m`, bytes against minutes, is an error. A plain number goes with
// everything, the others only with themselves.
enum class Quantity : uint8_t { number, count, seconds, bytes };

// A field that a row may have. All views must outlive the conditions parsed with it.
struct FieldName {
  std::string_view name;
  Type type = Type::text;
  // For text: the only values it can have, where not empty. They may then be written bare
  // (`class == unknown_user`), and a word that is none of them is an error.
  std::span<const std::string_view> words = {};
  Quantity quantity = Quantity::number;
};

// What a condition may speak of.
struct Schema {
  std::span<const FieldName> fields;
  std::span<const std::string_view> counts = {};  // empty: only RowConditions
};

// One row as the evaluator sees it.
class Row {
 public:
  virtual ~Row() = default;
  // `field` is an index into Schema::fields. A text value's view must stay valid during evaluation.
  virtual Value read(size_t field) const = 0;
};

struct Program;  // in expr/program.h

// A condition over one row.
//   Threads: immutable once parsed; any number may evaluate it. Copies share the program.
class RowCondition {
 public:
  // Errors: bad_input; `about` is "column N" (counted from 1), `what` names the nearest known word.
  static Result<RowCondition> parse(std::string_view text, const Schema& schema);

  Truth evaluate(const Row& row) const;
  // Why it is so, value by value: "class == unknown_user: yes (class is unknown_user)". One line
  // for each comparison, in source order, then the whole.
  std::vector<std::string> explain(const Row& row) const;
  // The canonical text: the same for conditions that differ in blanks or parentheses only.
  const std::string& text() const;
  // The fields that it may read: rows that agree on these are all the same to it.
  std::vector<size_t> fields() const;

 private:
  friend class Checker;
  explicit RowCondition(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> program_;
};

enum class TermKind : uint8_t {
  count,     // how many rows: `bounced(class == unknown_user)`
  distinct,  // how many different values of a field they had: `distinct(login, client_network)`
  fresh,     // how many had a value that this stream never had: `new(accepted, recipient)`
  in_order,  // how many had a value that follows the last: `in_order(accepted, recipient)`
  usual,     // how many are expected, from the stream's own past: `usual(accepted)`
  spread,    // how much the past varied about that: the size of the negative binomial distribution
             // whose mean `usual` is. No word of the language: `k exceeds usual(k)` needs it.
  climb,     // the evidence that a share climbed, in nats: `k / n climbs from 2% to 20%`
};

// One thing that a CountCondition needs counted.
struct CountTerm {
  TermKind kind = TermKind::count;
  size_t count = 0;                 // index into Schema::counts; not of a climb
  std::vector<RowCondition> where;  // none or one: only rows for which it is true
  size_t field = 0;                 // distinct, fresh, in_order: index into Schema::fields, a text
                                    // without a closed set of words
  // climb: a row that counts for one of `bad` is bad, any other that counts for one of `tries` is
  // good. All of them are plain counts.
  std::vector<CountTerm> bad;
  std::vector<CountTerm> tries;
  double from = 0;   // the healthy share
  double to = 0;     // the share to be found soon
  std::string text;  // canonical, for example "bounced(class == unknown_user)"; its identity
};

// What a CountCondition came to.
struct Judgement {
  Truth truth = Truth::no;
  // Of the first comparison in source order: its left side, and what it was held against. Of
  // `climbs`, the evidence and how much was needed. NaN where unknown.
  double value = 0;
  double threshold = 0;
};

// What must be so where a condition is true: cheap to look at, and nearly always not so.
struct Need {
  std::vector<size_t> terms;  // the sum of these (it counts each as often as it stands here)
  double least = 0;           // is at least so much
  std::vector<size_t> among;  // not empty: at least that share of the sum of these
};

// A condition over counts in one window. `exceeds` is a statistical test: `k / n exceeds p` is true
// where so many or more of n would come by chance, at rate p, with a probability of at most the
// error rate (exact binomial tail; a k below 0 is 0); `k exceeds m` the same for an expected number
// m (Poisson tail, negative binomial where m is made of what is `usual`). `climbs` is true where
// its evidence is at least -log(error rate).
//   Threads: immutable once parsed.
class CountCondition {
 public:
  static Result<CountCondition> parse(std::string_view text, const Schema& schema);

  // In order of first use, each once.
  std::span<const CountTerm> terms() const;
  // `values[i]` is the number for terms()[i], NaN where it is not known; that of a spread may be
  // infinite. `error_rate` is used by `exceeds` and `climbs` without an `at`.
  Judgement evaluate(std::span<const double> values, double error_rate) const;
  // Whether evaluate() comes to yes, and no more.
  bool holds(std::span<const double> values, double error_rate) const;
  // Where one of these is not so, evaluate() never comes to yes, whatever the values (of which none
  // is negative).
  std::vector<Need> needs(double error_rate) const;
  // "bounced(class == unknown_user) / attempted = 18 / 60 = 30% exceeds 2%: yes (...)", a line for
  // each comparison.
  std::vector<std::string> explain(std::span<const double> values, double error_rate) const;
  const std::string& text() const;

 private:
  explicit CountCondition(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> program_;
};

}  // namespace watchpost::expr
