#include "expr/expression.h"

#include "expr/event_schema.h"

#include <cmath>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::expr {
namespace {

using testing::ElementsAre;

RowCondition row(std::string_view text) {
  auto parsed = RowCondition::parse(text, event_schema());
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().text();
  return std::move(parsed).value();
}

CountCondition count(std::string_view text) {
  auto parsed = CountCondition::parse(text, event_schema());
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().text();
  return std::move(parsed).value();
}

std::string row_error(std::string_view text) {
  const auto parsed = RowCondition::parse(text, event_schema());
  return parsed ? "none" : parsed.error().text();
}

std::string count_error(std::string_view text) {
  const auto parsed = CountCondition::parse(text, event_schema());
  return parsed ? "none" : parsed.error().text();
}

std::vector<std::string> texts_of(std::span<const CountTerm> terms) {
  std::vector<std::string> texts;
  for (const CountTerm& term : terms) texts.push_back(term.text);
  return texts;
}

// A bounce of an unknown user at example.com.
Event bounce() {
  Event event;
  event.kind = EventKind::bounced;
  event[Field::class_] = "unknown_user";
  event[Field::recipient_domain] = "example.com";
  event.reply_code = 550;
  event.delay = 2.5;
  return event;
}

// A text of which only certain words can be written.
bool has_words(Field field) {
  return field == Field::class_ || field == Field::outcome || field == Field::disposition;
}

TEST(RowCondition, ReadsAllFieldsOfAnEvent) {
  Event event = bounce();
  event.direction = Direction::inbound;
  event.self_inflicted = true;
  event.recipients = 3;
  event.size = 2048;
  for (const FieldInfo& info : fields()) {
    if (!has_words(info.field)) event[info.field] = info.name;
  }
  event[Field::outcome] = "failure";
  event[Field::disposition] = "tag";
  event.repeated = true;
  const EventRow event_row(event);
  for (const FieldInfo& info : fields()) {
    if (has_words(info.field)) continue;
    const std::string text = std::string(info.name) + " == \"" + std::string(info.name) + "\"";
    EXPECT_EQ(row(text).evaluate(event_row), Truth::yes) << text;
  }
  for (const char* text :
       {"class == unknown_user", "outcome == failure", "disposition == tag", "repeated",
        "kind == bounced", "direction == inbound", "self_inflicted", "recipients == 3",
        "size == 2KiB", "reply_code == 550", "delay == 2.5s"}) {
    EXPECT_EQ(row(text).evaluate(event_row), Truth::yes) << text;
  }
}

TEST(RowCondition, WhatAnEventDoesNotHaveIsUnknown) {
  const Event empty;
  const EventRow event_row(empty);
  const Schema& schema = event_schema();
  for (const FieldName& field : schema.fields) {
    const bool always = field.name == "kind" || field.name == "direction" ||
                        field.name == "delay" || field.name == "self_inflicted" ||
                        field.name == "repeated";
    const auto known = row(std::string(field.name) + " is known");
    EXPECT_EQ(known.evaluate(event_row), always ? Truth::yes : Truth::no) << field.name;
  }
  EXPECT_EQ(event_row.read(schema.fields.size()), Value(Unknown{}));
}

TEST(RowCondition, FollowsKleene) {
  const Event event = bounce();
  const EventRow event_row(event);
  const std::string yes = "kind == bounced";
  const std::string no = "kind == login";
  const std::string unknown = "customer == \"acme\"";
  struct Case {
    std::string left, right;
    Truth both, either;
  };
  const std::vector<Case> cases{
      {yes, yes, Truth::yes, Truth::yes},
      {yes, no, Truth::no, Truth::yes},
      {yes, unknown, Truth::unknown, Truth::yes},
      {no, yes, Truth::no, Truth::yes},
      {no, no, Truth::no, Truth::no},
      {no, unknown, Truth::no, Truth::unknown},
      {unknown, yes, Truth::unknown, Truth::yes},
      {unknown, no, Truth::no, Truth::unknown},
      {unknown, unknown, Truth::unknown, Truth::unknown},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(row(c.left + " and " + c.right).evaluate(event_row), c.both) << c.left << c.right;
    EXPECT_EQ(row(c.left + " or " + c.right).evaluate(event_row), c.either) << c.left << c.right;
    // De Morgan, with all three values.
    EXPECT_EQ(row("not (not " + c.left + " or not " + c.right + ")").evaluate(event_row), c.both);
  }
  EXPECT_EQ(row("not " + unknown).evaluate(event_row), Truth::unknown);
  EXPECT_EQ(row("customer != \"acme\"").evaluate(event_row), Truth::unknown);
  EXPECT_EQ(row("customer not in [\"acme\"]").evaluate(event_row), Truth::unknown);
  EXPECT_EQ(row("customer not matches \"a\"").evaluate(event_row), Truth::unknown);
  EXPECT_EQ(row("size / recipients > 1").evaluate(event_row), Truth::unknown);
}

TEST(RowCondition, CopiesShareAndOutliveTheirText) {
  auto text = std::make_unique<std::string>("recipient_domain == \"example.com\"");
  RowCondition first = row(*text);
  text.reset();
  const RowCondition second = first;
  first = row("kind == login");
  const Event event = bounce();
  EXPECT_EQ(second.evaluate(EventRow(event)), Truth::yes);
  EXPECT_EQ(second.text(), "recipient_domain == \"example.com\"");
}

TEST(RowCondition, ExplainsEachComparisonAndTheWhole) {
  Event event = bounce();
  event[Field::sender] = "a\x1b[31m\"@x";
  EXPECT_THAT(
      row("class == unknown_user and (delay > 1m or sender contains \"@x\") and customer is known "
          "and "
          "not self_inflicted")
          .explain(EventRow(event)),
      ElementsAre(
          "class == unknown_user: yes (class is unknown_user)", "delay > 1m: no (delay is 2.5)",
          "sender contains \"@x\": yes (sender is \"a\\x1b[31m\"@x\")",
          "customer is known: no (customer is not known)", "self_inflicted: no",
          "class == unknown_user and (delay > 1m or sender contains \"@x\") and customer is "
          "known and not self_inflicted: no"));
}

TEST(RowCondition, BoundsWhatItReads) {
  const std::string comparison = "size > 1";
  std::string many = comparison;
  while (many.size() < 2900) many += " or " + comparison;
  EXPECT_EQ(row_error(many), "none");
  EXPECT_EQ(row_error(std::string(4097, ' ')),
            "column 4097: the condition is longer than 4096 bytes");
  EXPECT_EQ(row_error(std::string(32, '(') + comparison + std::string(32, ')')), "none");
  EXPECT_EQ(row_error(std::string(33, '(') + comparison + std::string(33, ')')),
            "column 34: nested more than 32 levels deep");
  EXPECT_THAT(row_error(std::string(2000, '(')), testing::HasSubstr("nested more than"));
  EXPECT_THAT(row_error("size > " + std::string(2000, '-') + "1"),
              testing::HasSubstr("nested more than"));
  std::string minus = "size > 1";
  while (minus.size() < 4000) minus += "-1";
  EXPECT_THAT(row_error(minus), testing::HasSubstr("more than 1000 parts"));
  std::string list = "size in [1";
  for (int i = 0; i < 256; ++i) list += ",1";
  EXPECT_EQ(row_error(list + "]"), "column 522: a list holds at most 256 values");
  std::string patterns = "reply matches \"1\"";
  for (int i = 2; i <= 9; ++i) patterns += " or reply matches \"" + std::to_string(i) + "\"";
  EXPECT_THAT(row_error(patterns), testing::HasSubstr("at most 8 patterns"));
  EXPECT_THAT(row_error("reply matches \"((a{100}){100}){100}\""),
              testing::HasSubstr("not a pattern"));
}

TEST(RowCondition, RefusesTextThatDeceives) {
  const std::string what = ": a text may not hold control characters or broken UTF-8";
  EXPECT_EQ(row_error("sender == \"a\nb\""), "column 13" + what);
  EXPECT_EQ(row_error("sender == \"ab\x7f\""), "column 14" + what);
  EXPECT_EQ(row_error("sender == \"\xff\""), "column 12" + what);
  EXPECT_EQ(row_error("sender == \"\u202e\""), "column 12" + what);
  EXPECT_EQ(row_error("sender == \"gr\u00fc\u00dfe \\x\""), "none");
  EXPECT_EQ(row_error(std::string("size\0> 5", 9)), "column 5: `\\x00` has no meaning here");
}

TEST(RowCondition, MatchesInLinearTime) {
  Event event;
  const std::string text(100'000, 'a');
  event[Field::reply] = text;
  EXPECT_EQ(row("reply matches \"(a*)*b\"").evaluate(EventRow(event)), Truth::no);
  EXPECT_EQ(row("reply matches \"(x+x+)+y|a$\"").evaluate(EventRow(event)), Truth::yes);
}

TEST(CountCondition, CountsEachTermOnce) {
  const auto condition = count(
      "(bounced( class==unknown_user )+bounced) / attempted > 2% and bounced((class == "
      "\"unknown_user\"))"
      " > 10 and attempted > 5");
  EXPECT_THAT(texts_of(condition.terms()),
              ElementsAre("bounced(class == unknown_user)", "bounced", "attempted"));
  EXPECT_EQ(condition.terms()[0].count, static_cast<size_t>(EventKind::bounced));
  ASSERT_EQ(condition.terms()[0].where.size(), 1U);
  const Event event = bounce();
  EXPECT_EQ(condition.terms()[0].where[0].evaluate(EventRow(event)), Truth::yes);
  EXPECT_TRUE(condition.terms()[1].where.empty());
  EXPECT_EQ(condition.terms()[2].count, attempted_count());
}

TEST(CountCondition, SaysWhatIsAskedOfACount) {
  const auto condition = count(
      "distinct(login(outcome == failure), client_network) > 1 and new(accepted, recipient) > 1 "
      "and "
      "in_order(attempted, recipient) > 1 and login exceeds 2 * usual(login)");
  const auto terms = condition.terms();
  ASSERT_EQ(terms.size(), 6U);
  EXPECT_EQ(terms[0].kind, TermKind::distinct);
  EXPECT_EQ(terms[0].count, static_cast<size_t>(EventKind::login));
  EXPECT_EQ(event_schema().fields[terms[0].field].name, "client_network");
  ASSERT_EQ(terms[0].where.size(), 1U);
  EXPECT_EQ(terms[0].where[0].text(), "outcome == failure");
  EXPECT_EQ(terms[1].kind, TermKind::fresh);
  EXPECT_EQ(event_schema().fields[terms[1].field].name, "recipient");
  EXPECT_EQ(terms[2].kind, TermKind::in_order);
  EXPECT_EQ(terms[2].count, attempted_count());
  EXPECT_EQ(terms[3].kind, TermKind::count);
  EXPECT_EQ(terms[4].kind, TermKind::usual);
  EXPECT_EQ(terms[5].kind, TermKind::spread);
  EXPECT_EQ(terms[5].count, terms[4].count);
  EXPECT_EQ(terms[5].text, "spread(login)");
}

TEST(CountCondition, SaysWhatClimbs) {
  const auto condition = count(
      "(bounced(class==unknown_user) + expired) / (attempted + expired) climbs from 2% to 20%");
  ASSERT_EQ(condition.terms().size(), 1U);
  const CountTerm& climb = condition.terms()[0];
  EXPECT_EQ(climb.kind, TermKind::climb);
  EXPECT_TRUE(climb.where.empty());
  EXPECT_THAT(texts_of(climb.bad), ElementsAre("bounced(class == unknown_user)", "expired"));
  EXPECT_THAT(texts_of(climb.tries), ElementsAre("attempted", "expired"));
  EXPECT_EQ(climb.bad[0].kind, TermKind::count);
  EXPECT_EQ(climb.bad[0].count, static_cast<size_t>(EventKind::bounced));
  EXPECT_EQ(climb.bad[0].where.size(), 1U);
  EXPECT_EQ(climb.from, 0.02);
  EXPECT_EQ(climb.to, 0.2);
}

TEST(CountCondition, JudgementOfAClimbIsItsEvidence) {
  const auto condition = count("bounced / attempted climbs from 2% to 20%");
  const Judgement judged = condition.evaluate(std::vector<double>{10}, 1e-4);
  EXPECT_EQ(judged.truth, Truth::yes);
  EXPECT_EQ(judged.value, 10);
  EXPECT_DOUBLE_EQ(judged.threshold, -std::log(1e-4));
  EXPECT_EQ(condition.evaluate(std::vector<double>{10}, 1e-6).truth, Truth::no);
  const auto own = count("bounced / attempted climbs from 2% to 20% at 1e-4");
  EXPECT_EQ(own.evaluate(std::vector<double>{10}, 1e-6).truth, Truth::yes);
  EXPECT_DOUBLE_EQ(own.evaluate(std::vector<double>{10}, 1e-6).threshold, -std::log(1e-4));
  const Judgement unknown = condition.evaluate(std::vector<double>{std::nan("")}, 1e-6);
  EXPECT_EQ(unknown.truth, Truth::unknown);
  EXPECT_TRUE(std::isnan(unknown.value));
}

TEST(CountCondition, JudgementOfWhatIsUsual) {
  const auto condition = count("accepted exceeds 3 * usual(accepted)");
  const Judgement judged = condition.evaluate(std::vector<double>{2000, 100, 10}, 1e-6);
  EXPECT_EQ(judged.truth, Truth::yes);
  EXPECT_EQ(judged.value, 2000);
  EXPECT_EQ(judged.threshold, 300);
  // The same number from a past that varied wildly is no surprise.
  EXPECT_EQ(condition.evaluate(std::vector<double>{2000, 100, 0.3}, 1e-6).truth, Truth::no);
}

TEST(CountCondition, JudgementIsOfTheFirstComparison) {
  const auto condition =
      count("bounced / attempted exceeds 2% and attempted >= 100 or complained > 5");
  const std::vector<double> values{18, 60, 0};
  const Judgement judgement = condition.evaluate(values, 1e-6);
  EXPECT_EQ(judgement.truth, Truth::no);
  EXPECT_DOUBLE_EQ(judgement.value, 0.3);
  EXPECT_DOUBLE_EQ(judgement.threshold, 0.02);
  const Judgement nothing = condition.evaluate(std::vector<double>{0, 0, 0}, 1e-6);
  EXPECT_EQ(nothing.truth, Truth::no);
  EXPECT_TRUE(std::isnan(nothing.value));
}

TEST(CountCondition, DivisionByZeroIsUnknown) {
  const std::vector<double> values{3, 0};
  EXPECT_EQ(count("bounced / attempted > 1").evaluate(values, 1e-6).truth, Truth::unknown);
  EXPECT_EQ(count("bounced / attempted exceeds 1%").evaluate(values, 1e-6).truth, Truth::unknown);
  EXPECT_EQ(count("not bounced / attempted < 1").evaluate(values, 1e-6).truth, Truth::unknown);
}

TEST(CountCondition, EvaluatesWithAnyNumbers) {
  const auto condition = count("bounced / attempted exceeds 2% or complained exceeds 3 at 1e-3");
  const auto of_past = count(
      "login exceeds 1e300 * usual(login) or bounced / attempted climbs from "
      "1% to 2%");
  const double nan = std::nan("");
  for (const double odd : {nan, HUGE_VAL, -HUGE_VAL, -5.0, 1e300, 0.5}) {
    for (const double rate : {nan, 0.0, 1e-6, 1.0}) {
      condition.evaluate(std::vector<double>{odd, odd, odd}, rate);
      condition.explain(std::vector<double>{odd, 3, odd}, rate);
      of_past.evaluate(std::vector<double>{odd, odd, odd, odd}, rate);
      of_past.explain(std::vector<double>{3, odd, odd, odd}, rate);
    }
  }
  EXPECT_EQ(condition.evaluate({}, 1e-6).truth, Truth::unknown);
}

TEST(CountCondition, UsesItsOwnErrorRateFirst) {
  const std::vector<double> values{9, 60};  // by chance 3e-6
  const auto given = count("bounced / attempted exceeds 2%");
  EXPECT_EQ(given.evaluate(values, 1e-6).truth, Truth::no);
  EXPECT_EQ(given.evaluate(values, 1e-5).truth, Truth::yes);
  const auto own = count("bounced / attempted exceeds 2% at 1e-5");
  EXPECT_EQ(own.evaluate(values, 1e-6).truth, Truth::yes);
}

TEST(CountCondition, BoundsWhatItReads) {
  std::string many = "0 < 1";
  for (int i = 0; i < 33; ++i) many += " or bounced(reply_code == " + std::to_string(i) + ") > 0";
  EXPECT_THAT(count_error(many), testing::HasSubstr("at most 32 different counts"));
  std::string patterns = "0 < 1";
  for (int i = 0; i < 9; ++i)
    patterns += " or bounced(reply matches \"" + std::to_string(i) + "\") > 0";
  EXPECT_THAT(count_error(patterns), testing::HasSubstr("at most 8 patterns"));
}

TEST(CountCondition, BoundsWhatClimbs) {
  const auto sum = [](int counts) {
    std::string text = "attempted";
    for (int i = 1; i < counts; ++i) text += "+bounced(size > " + std::to_string(i) + ")";
    return text;
  };
  const auto climb = [&](int bad, int tries) {
    return "(" + sum(bad) + ") / (" + sum(tries) + ") climbs from 2% to 20%";
  };
  EXPECT_EQ(count_error(climb(15, 16)), "none");
  EXPECT_THAT(count_error(climb(16, 16)), testing::HasSubstr("at most 32 different counts"));
  EXPECT_THAT(count_error(climb(15, 16) + " and bounced > 1"),
              testing::HasSubstr("at most 32 different counts"));
  std::string patterns = "bounced";
  for (int i = 0; i < 9; ++i) patterns += "+bounced(reply matches \"" + std::to_string(i) + "\")";
  EXPECT_THAT(count_error("(" + patterns + ") / attempted climbs from 2% to 20%"),
              testing::HasSubstr("at most 8 patterns"));
  EXPECT_THAT(count_error(std::string(40, '(') + "bounced / attempted climbs from 2% to 20%"),
              testing::HasSubstr("nested more than"));
  std::string calls;
  for (int i = 0; i < 500; ++i) calls += "new(";
  EXPECT_THAT(count_error(calls), testing::HasSubstr("nested more than"));
  std::string many = "new(accepted";
  while (many.size() < 3900) many += ",a";
  EXPECT_THAT(count_error(many + ") > 1"), testing::HasSubstr("more than 1000 parts"));
}

TEST(EventSchema, NoFieldOrCountIsAWordOfTheLanguage) {
  for (const char* reserved : {"and", "or", "not", "in", "is", "matches", "contains", "starts_with",
                               "ends_with", "exceeds"}) {
    for (const FieldName& field : event_schema().fields) EXPECT_NE(field.name, reserved);
    for (const std::string_view name : event_schema().counts) EXPECT_NE(name, reserved);
  }
  // These are words only where something is asked of a count.
  for (const char* asked : {"distinct", "new", "in_order", "usual"}) {
    for (const std::string_view name : event_schema().counts) EXPECT_NE(name, asked);
  }
}

TEST(EventSchema, WhatMayBeAskedOfACountIsATextOfTheEvent) {
  for (size_t field = 0; field < event_schema().fields.size(); ++field) {
    const std::string name(event_schema().fields[field].name);
    const bool accepted = count_error("distinct(attempted, " + name + ") > 1") == "none";
    const bool text = field < kTextFields && !has_words(static_cast<Field>(field));
    EXPECT_EQ(accepted, text) << name;
  }
}

TEST(EventSchema, ReferenceMentionsAllFieldsAndCounts) {
  std::ifstream in(WATCHPOST_SOURCE_DIR "/docs/reference/expressions.md");
  std::stringstream page;
  page << in.rdbuf();
  const std::string text = page.str();
  for (const FieldName& field : event_schema().fields) {
    EXPECT_THAT(text, testing::HasSubstr("\n| `" + std::string(field.name) + "` |"));
    for (const std::string_view word : field.words) {
      EXPECT_THAT(text, testing::HasSubstr("`" + std::string(word) + "`"));
    }
  }
  for (const std::string_view name : event_schema().counts) {
    EXPECT_THAT(text, testing::HasSubstr("`" + std::string(name) + "`"));
  }
}

}  // namespace
}  // namespace watchpost::expr
