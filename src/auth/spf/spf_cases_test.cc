// cases/spf/*.case, of the form that auth_cases.h describes.
//   ask IP MAIL_FROM [HELO]    "<>" is the null sender; "helo" as MAIL_FROM asks about HELO
//     receiver NAME            for %{r}
//   and, of the verdict, what is to be looked at:
//     result NAME
//     by TERM                  the term that decided; "nothing"
//     within TERM              one line for each
//     at DOMAIN                whose record decided
//     cost LOOK_UPS VOIDS
//     explanation TEXT         "nothing"
//     why WORDS                they are part of the sentence
#include "auth/auth_cases.h"
#include "auth/spf/spf.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

SpfQuestion question_of(const AuthCase& one) {
  const std::vector<std::string> asked = words_of(one.ask);
  SpfQuestion question;
  question.ip = *parse_ip_address(asked.at(0));
  if (asked.at(1) == "helo") {
    question.identity = SpfIdentity::helo;
  } else if (asked.at(1) != "<>") {
    question.mail_from = asked.at(1);
  }
  question.helo = asked.size() > 2 ? asked[2] : "mx.client.example";
  for (const auto& [key, value] : one.lines) {
    if (key == "receiver") question.receiver = value;
  }
  return question;
}

std::string or_nothing(const std::string& text) { return text.empty() ? "nothing" : text; }

void compare(const AuthCase& one, const SpfVerdict& verdict) {
  std::vector<std::string> within;
  for (const auto& [key, value] : one.lines) {
    if (key == "result") {
      EXPECT_EQ(name_of(verdict.result), value) << verdict.why;
    } else if (key == "by") {
      EXPECT_EQ(or_nothing(verdict.mechanism), value);
    } else if (key == "at") {
      EXPECT_EQ(verdict.decided_at, value);
    } else if (key == "cost") {
      EXPECT_EQ(fmt::format("{} {}", verdict.look_ups, verdict.void_look_ups), value);
    } else if (key == "explanation") {
      EXPECT_EQ(or_nothing(verdict.explanation), value);
    } else if (key == "why") {
      EXPECT_NE(verdict.why.find(value), std::string::npos) << verdict.why;
    } else if (key == "within") {
      within.push_back(value);
    } else {
      EXPECT_EQ(key, "receiver");
    }
  }
  if (!within.empty()) {
    EXPECT_EQ(verdict.within, within);
  }
}

TEST(SpfCases, SayWhatTheFilesSay) {
  const auto cases = cases_of_folder("spf");
  ASSERT_GT(cases.size(), 80u);
  for (const AuthCase& one : cases) {
    SCOPED_TRACE(one.where + " " + one.ask);
    const auto zone = zone_of(one.zone);
    ASSERT_TRUE(zone);
    dns::Budget budget;
    const auto verdict = value_now(check_spf(question_of(one), *zone, budget));
    ASSERT_TRUE(verdict);
    EXPECT_FALSE(verdict->why.empty());
    compare(one, *verdict);
  }
}

}  // namespace
}  // namespace watchpost::auth
