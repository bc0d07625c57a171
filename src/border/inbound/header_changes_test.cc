#include "border/inbound/header_changes.h"

#include "base/text.h"
#include "border/inbound/test_gate.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using auth::TestWorld;
using Kind = HeaderChange::Kind;

// What a mail server makes of the changes, as one that knows nothing of us: fields by name and
// value.
using Fields = std::vector<std::pair<std::string, std::string>>;
Fields applied(Fields fields, const std::vector<HeaderChange>& changes) {
  for (const HeaderChange& change : changes) {
    if (change.kind == Kind::insert) {
      const size_t place = std::min<size_t>(change.place, fields.size());
      fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(place),
                    {change.name, change.value});
      continue;
    }
    uint32_t ordinal = 0;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (lower_ascii(fields[i].first) != lower_ascii(change.name)) continue;
      if (++ordinal != change.place) continue;
      fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  return fields;
}

struct Changing : GateWorld {
  // The header of a message with these fields after the gate was through with it.
  Fields after(const Fields& fields, Mode mode = Mode::enforce) {
    std::string text;
    for (const auto& [name, value] : fields) text += fmt::format("{}: {}\r\n", name, value);
    const Answer given = answer(from(TestWorld::attacker(), text + "\r\nhello\r\n"), mode);
    EXPECT_EQ(given.kind, Answer::Kind::proceed);
    return applied(fields, given.header);
  }
  static size_t count(const Fields& fields, std::string_view name) {
    return static_cast<size_t>(std::ranges::count(fields, name, [](const auto& one) {
      return std::string_view(one.first);
    }));
  }
};

TEST_F(Changing, OurResultsStandBelowTheTopmostField) {
  const Fields got = after({{"Received", "from x"}, {"From", "ceo@bank.example"}});
  ASSERT_GE(got.size(), 4u);
  EXPECT_EQ(got[0].first, "Received");
  EXPECT_EQ(got[1].first, "Authentication-Results");
  EXPECT_TRUE(got[1].second.starts_with("mx.example.org;")) << got[1].second;
  EXPECT_NE(got[1].second.find("dmarc=fail"), std::string::npos);
  EXPECT_EQ(got[1].second.find('\r'), std::string::npos);
  EXPECT_EQ(got[2].first, "X-Watchpost");
  EXPECT_TRUE(got[2].second.starts_with("tag; dmarc; spf_pass")) << got[2].second;
  EXPECT_EQ(got[3].first, "From");
}

TEST_F(Changing, OneToTwentyForgedFieldsLeaveNone) {
  for (int forged = 1; forged <= 20; ++forged) {
    Fields fields{{"Received", "from x"}, {"From", "any@attack.example"}};
    for (int i = 0; i < forged; ++i) {
      fields.emplace_back(i % 2 == 0 ? "Authentication-Results" : "AUTHENTICATION-results",
                          i % 3 == 0 ? "MX.example.org 1; dmarc=pass" : "mx.example.org; spf=pass");
      if (i % 4 == 0) fields.emplace_back("X-Watchpost", "accept");
      if (i % 5 == 0) fields.emplace_back("Authentication-Results", "other.example; spf=pass");
    }
    const Fields got = after(fields);
    size_t ours = 0;
    size_t others = 0;
    for (const auto& [name, value] : got) {
      if (lower_ascii(name) != "authentication-results") continue;
      ours += lower_ascii(value).find("mx.example.org") != std::string::npos;
      others += value.find("other.example") != std::string::npos;
    }
    EXPECT_EQ(ours, 1u) << forged;
    EXPECT_EQ(others, static_cast<size_t>((forged + 4) / 5)) << forged;
    EXPECT_EQ(count(got, "X-Watchpost"), 0u) << forged;
  }
}

TEST_F(Changing, ForgedResultsWithinOtherFieldsLeaveWithThem) {
  const Fields got = after({{"Received", "from x"},
                            {"From", "any@attack.example"},
                            {"X-Note", "one"},
                            {"X-Note", "two\rAuthentication-Results: mx.example.org; dmarc=pass"}});
  EXPECT_EQ(count(got, "X-Note"), 1u);
  EXPECT_TRUE(std::ranges::any_of(got, [](const auto& one) { return one.second == "one"; }));
}

TEST_F(Changing, WhatCannotBeRemovedIsMalformed) {
  const Judged judged = judge(from(
      TestWorld::attacker(),
      TestWorld::message("From: any@attack.example\r\n"
                         "Authentication-Results\x01: mx.example.org; dmarc=pass\r\n")));
  EXPECT_EQ(rules_of(judged), std::vector<std::string>{"malformed"});
  EXPECT_EQ(judged.verdict.decided, Disposition::tag);
  for (const HeaderChange& one : judged.answer.header) {
    EXPECT_EQ(one.name.find('\x01'), std::string::npos);
  }
}

TEST_F(Changing, WithoutResultsNothingIsSaidOfThem) {
  settings.settings.results = false;
  const Fields fields{{"Received", "from x"},
                      {"From", "any@attack.example"},
                      {"Authentication-Results", "mx.example.org; dmarc=pass"},
                      {"X-Watchpost", "accept"}};
  const Fields got = after(fields);
  EXPECT_EQ(count(got, "Authentication-Results"), 1u);
  EXPECT_EQ(count(got, "X-Watchpost"), 0u);
}

TEST_F(Changing, ShadowChangesNothing) {
  const Fields fields{{"Authentication-Results", "mx.example.org; dmarc=pass"},
                      {"From", "ceo@bank.example"}};
  EXPECT_EQ(after(fields, Mode::shadow), fields);
}

TEST_F(Changing, SubjectsOfTaggedMailGetAPrefix) {
  settings.settings.tag_subject = "[suspicious] ";
  Fields got = after({{"From", "ceo@bank.example"}, {"Subject", "=?utf-8?q?hell=C3=B6?="}});
  EXPECT_EQ(count(got, "Subject"), 1u);
  EXPECT_EQ(got[3].second, "[suspicious] =?utf-8?q?hell=C3=B6?=");
  got = after({{"From", "ceo@bank.example"}, {"Subject", "a\r\n b"}});
  EXPECT_EQ(got[3].second, "[suspicious] a\n b");
  // Good mail keeps its own.
  got = after({{"From", "any@attack.example"}, {"Subject", "hello"}});
  EXPECT_TRUE(std::ranges::any_of(got, [](const auto& one) { return one.second == "hello"; }));
}

TEST_F(Changing, SubjectsThatCannotBeSentStay) {
  settings.settings.tag_subject = "[suspicious] ";
  for (const std::string& subject :
       {std::string("a\rb"), std::string("a\r\n \r\n b"), std::string(10'000, 'x')}) {
    const Fields got = after({{"From", "ceo@bank.example"}, {"Subject", subject}});
    EXPECT_EQ(count(got, "Subject"), 1u);
    EXPECT_EQ(got.back().second, subject);
  }
  const Fields got =
      after({{"From", "ceo@bank.example"}, {"Subject", "one"}, {"Subject", "two"}});
  EXPECT_EQ(count(got, "Subject"), 2u);
}

TEST_F(Changing, WhatIsWrittenCanBeSent) {
  settings.settings.tag_subject = "[x] ";
  filter({.name = "Long name of a rule that says something - and more",
          .when = "size > 0",
          .then = "tag",
          .mode = "enforce"});
  for (int i = 0; i < 30; ++i) {
    settings.blocklists.push_back({.name = fmt::format("list-number-{}", i),
                                   .zone = fmt::format("l{}.example", i),
                                   .of = "ip",
                                   .answers = {}});
  }
  const Answer given = answer(forged("X-Y: \xFF\xFE\r\n"));
  for (const HeaderChange& one : given.header) {
    EXPECT_EQ(one.value.find('\r'), std::string::npos);
    EXPECT_EQ(one.value.find('\0'), std::string::npos);
    const auto lines = split(one.value, '\n');
    for (size_t i = 0; i < lines.size(); ++i) {
      EXPECT_LE(lines[i].size(), 998u);
      EXPECT_FALSE(trim(lines[i]).empty() && one.kind == Kind::insert);
      if (i > 0) {
        EXPECT_TRUE(lines[i].starts_with(' '));
      }
    }
  }
}

}  // namespace
}  // namespace watchpost::border
