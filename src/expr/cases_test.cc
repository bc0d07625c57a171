// Runs the golden cases of cases/expr/.
#include "base/text.h"
#include "expr/event_schema.h"
#include "expr/expression.h"

#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::expr {
namespace {

std::optional<Truth> truth_from(std::string_view name) {
  if (name == "yes") return Truth::yes;
  if (name == "no") return Truth::no;
  if (name == "unknown") return Truth::unknown;
  return std::nullopt;
}

Event event_from(std::string_view text) {
  Event event;
  for (const std::string_view part : words(text)) {
    const std::string_view name = part.substr(0, part.find('='));
    const std::string_view value = part.substr(name.size() + 1);
    const auto number = [&] { return std::stoull(std::string(value)); };
    if (const auto field = field_from(name)) {
      event[*field] = value;
    } else if (name == "kind") {
      event.kind = event_kind_from(value).value();
    } else if (name == "direction") {
      event.direction = value == "inbound" ? Direction::inbound : Direction::outbound;
    } else if (name == "reply_code") {
      event.reply_code = static_cast<uint16_t>(number());
    } else if (name == "size") {
      event.size = number();
    } else if (name == "recipients") {
      event.recipients = static_cast<uint32_t>(number());
    } else if (name == "delay") {
      event.delay = std::stod(std::string(value));
    } else if (name == "self_inflicted") {
      event.self_inflicted = number() != 0;
    } else {
      ADD_FAILURE() << "no such field: " << name;
    }
  }
  return event;
}

// What a line of a case file asks of the condition before it.
class Case {
 public:
  Case(std::string_view form, std::string_view text, std::string where) : where_(std::move(where)) {
    if (form == "row") {
      auto parsed = RowCondition::parse(text, event_schema());
      if (parsed) row_ = std::move(*parsed);
      if (!parsed) error_ = parsed.error().text();
    } else {
      auto parsed = CountCondition::parse(text, event_schema());
      if (parsed) count_ = std::move(*parsed);
      if (!parsed) error_ = parsed.error().text();
    }
  }
  ~Case() {
    EXPECT_TRUE(error_.empty()) << where_ << ": " << error_;
    EXPECT_TRUE(said_ == lines_.size() || said_ == 0) << where_ << ": more lines are said";
  }

  void ask(std::string_view word, std::string_view rest) {
    if (word == "error") {
      EXPECT_EQ(error_, rest) << where_;
      error_.clear();
      return;
    }
    if (!error_.empty()) return;
    if (word == "text") {
      EXPECT_EQ(row_ ? row_->text() : count_->text(), rest) << where_;
    } else if (word == "terms") {
      std::string terms;
      for (const CountTerm& term : count_->terms())
        terms += (terms.empty() ? "" : "; ") + term.text;
      EXPECT_EQ(terms, rest) << where_;
    } else if (word == "says") {
      ASSERT_LT(said_, lines_.size()) << where_;
      EXPECT_EQ(lines_[said_++], rest) << where_;
    } else if (const auto truth = truth_from(word)) {
      judge(*truth, rest);
    } else {
      ADD_FAILURE() << where_ << ": no such question: " << word;
    }
  }

 private:
  void judge(Truth truth, std::string_view rest) {
    if (row_) {
      const Event event = event_from(rest);
      EXPECT_EQ(row_->evaluate(EventRow(event)), truth) << where_ << " for " << rest;
      return;
    }
    std::vector<double> values;
    for (const std::string_view number : words(rest))
      values.push_back(std::stod(std::string(number)));
    ASSERT_EQ(values.size(), count_->terms().size()) << where_ << " for " << rest;
    EXPECT_EQ(count_->evaluate(values, 1e-6).truth, truth) << where_ << " for " << rest;
    lines_ = count_->explain(values, 1e-6);
    said_ = 0;
  }

  std::string where_;
  std::string error_;
  std::optional<RowCondition> row_;
  std::optional<CountCondition> count_;
  std::vector<std::string> lines_;  // of the last judgement
  size_t said_ = 0;
};

void run(const std::string& name) {
  const std::string path = WATCHPOST_SOURCE_DIR "/cases/expr/" + name;
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  std::optional<Case> current;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#')) continue;
    const std::string_view word = text.substr(0, text.find(' '));
    const std::string_view rest = trim(text.substr(word.size()));
    if (word == "row" || word == "count") {
      current.emplace(word, rest, name + ":" + std::to_string(number));
    } else {
      ASSERT_TRUE(current) << path << ":" << number;
      current->ask(word, rest);
    }
  }
  EXPECT_TRUE(current) << path << " holds no case";
}

TEST(Cases, Row) { run("row.case"); }
TEST(Cases, Count) { run("count.case"); }
TEST(Cases, Stream) { run("stream.case"); }

}  // namespace
}  // namespace watchpost::expr
