#include "auth/spf/explain.h"

#include "auth/auth_cases.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SpfExplanation explained(std::string_view zone_text, const std::string& ip,
                         const std::string& domain) {
  const auto zone = zone_of(zone_text);
  dns::Budget budget{.queries = 1000};
  SpfQuestion question;
  question.ip = *parse_ip_address(ip);
  question.mail_from = "jo@" + domain;
  auto made = value_now(explain_spf(question, *zone, budget));
  return std::move(*made);
}

// "1 shop.example a: reached matches decides 1"
std::vector<std::string> steps_of(const SpfExplanation& made) {
  std::vector<std::string> lines;
  for (const SpfStep& step : made.steps) {
    lines.push_back(fmt::format("{} {} {}:{}{}{} {}", step.depth, step.domain, step.term,
                                step.reached ? " reached" : "", step.matches ? " matches" : "",
                                step.decides ? " decides" : "", step.look_ups));
  }
  return lines;
}

std::vector<std::string> problems_of(const SpfExplanation& made) {
  std::vector<std::string> words;
  for (const SpfProblem& one : made.problems) words.push_back(one.words);
  return words;
}

constexpr std::string_view kShop = R"(
$TTL 300
$ORIGIN example.
shop   TXT "v=spf1 a include:out.example ip4:192.0.2.0/24 mx -all"
shop   A   203.0.113.1
out    TXT "v=spf1 ip4:198.51.100.0/30 a:gone.example ?all"
)";

TEST(SpfExplanation, ShowsEveryTermAndWhatItWouldSay) {
  const SpfExplanation made = explained(kShop, "192.0.2.9", "shop.example");
  EXPECT_EQ(made.verdict.result, SpfResult::pass);
  EXPECT_THAT(
      steps_of(made),
      ElementsAre("0 shop.example a: reached 1", "0 shop.example include:out.example: reached 1",
                  "1 out.example ip4:198.51.100.0/30: reached 0",
                  "1 out.example a:gone.example: reached 1",
                  "1 out.example ?all: reached matches 0",
                  "0 shop.example ip4:192.0.2.0/24: reached matches decides 0",
                  "0 shop.example mx: 1", "0 shop.example -all: matches 0"));
  EXPECT_THAT(made.steps[0].asked, ElementsAre("A shop.example: 203.0.113.1"));
  EXPECT_THAT(made.steps[3].asked, ElementsAre("A gone.example: no such name"));
  EXPECT_TRUE(made.steps[3].is_void);
  EXPECT_EQ(made.steps[5].words, "matches: pass");
  EXPECT_EQ(made.look_ups, 4u);
  EXPECT_EQ(made.void_look_ups, 2u);
  EXPECT_EQ(made.ipv4_addresses, 1 + 4 + 256);
  EXPECT_FALSE(made.passes_all);
  EXPECT_TRUE(made.complete);
  EXPECT_THAT(made.problems, IsEmpty());
}

TEST(SpfExplanation, MarksThePathIntoIncludes) {
  const SpfExplanation made = explained(kShop, "198.51.100.1", "shop.example");
  std::vector<std::string> decisive;
  for (const SpfStep& step : made.steps) {
    if (step.decides) decisive.push_back(step.term);
  }
  EXPECT_THAT(decisive, ElementsAre("include:out.example", "ip4:198.51.100.0/30"));
}

TEST(SpfExplanation, GoesOnBeyondTheLimits) {
  const SpfExplanation made = explained(R"(
$TTL 300
$ORIGIN example.
many   TXT "v=spf1 a a a a a a a a a a a a a:x.example a:y.example a:z.example +all"
many   A   203.0.113.1
)",
                                        "192.0.2.9", "many.example");
  EXPECT_EQ(made.verdict.result, SpfResult::permerror);
  EXPECT_EQ(made.look_ups, 15u);
  EXPECT_EQ(made.void_look_ups, 3u);
  EXPECT_TRUE(made.passes_all);
  EXPECT_THAT(problems_of(made),
              ElementsAre(HasSubstr("needs 15 look-ups"),
                          HasSubstr("3 of the record's look-ups find nothing (a:x.example, "
                                    "a:y.example, a:z.example)"),
                          HasSubstr("Everybody passes")));
}

TEST(SpfExplanation, NamesLoopsAndGoesIntoEachRecordOnce) {
  const SpfExplanation made = explained(R"(
$TTL 300
$ORIGIN example.
loop   TXT "v=spf1 include:LOOP.example include:out.example redirect=loop.example."
out    TXT "v=spf1 ip4:192.0.2.1 include:deep.example -all"
deep   TXT "v=spf1 include:out.example -all"
)",
                                        "192.0.2.9", "loop.example");
  EXPECT_EQ(made.verdict.result, SpfResult::permerror);
  EXPECT_TRUE(made.complete);
  EXPECT_EQ(made.look_ups, 5u);
  ASSERT_EQ(made.problems.size(), 3u);
  for (const SpfProblem& one : made.problems) EXPECT_EQ(one.kind, SpfProblemKind::loop);
  EXPECT_THAT(problems_of(made),
              testing::Contains("The record of out.example leads back to itself: out.example > "
                                "deep.example > out.example"));
}

// The same record twice, once behind the other, is no loop.
TEST(SpfExplanation, ARecordThatIsIncludedTwiceIsNoLoop) {
  const SpfExplanation made = explained(R"(
$TTL 300
$ORIGIN example.
shop   TXT "v=spf1 include:out.example include:two.example -all"
two    TXT "v=spf1 include:out.example -all"
out    TXT "v=spf1 ip4:192.0.2.1 -all"
)",
                                        "192.0.2.9", "shop.example");
  EXPECT_EQ(made.verdict.result, SpfResult::fail);
  EXPECT_THAT(made.problems, IsEmpty());
  EXPECT_EQ(made.look_ups, 3u);
}

TEST(SpfExplanation, ALongWayHasAnEnd) {
  std::string zone = "$TTL 300\n";
  for (size_t i = 0; i <= kDeepestSpfStep + 5; ++i) {
    zone += fmt::format("n{}.example TXT \"v=spf1 include:n{}.example -all\"\n", i, i + 1);
  }
  const SpfExplanation made = explained(zone, "192.0.2.9", "n0.example");
  EXPECT_EQ(made.verdict.result, SpfResult::permerror);
  EXPECT_FALSE(made.complete);
  EXPECT_LE(made.steps.size(), kMostSpfSteps);
}

TEST(SpfExplanation, EachKindOfProblemHasAdvice) {
  const SpfExplanation made = explained(R"(
$TTL 300
$ORIGIN example.
shop   TXT "v=spf1 include:two.example include:odd.example include:slow.example -all"
two    TXT "v=spf1 -all"
two    TXT "v=spf1 ~all"
odd    TXT "v=spf1 nonsense -all"
slow   TIMEOUT
)",
                                        "192.0.2.9", "shop.example");
  std::vector<SpfProblemKind> kinds;
  for (const SpfProblem& one : made.problems) {
    kinds.push_back(one.kind);
    EXPECT_NE(advice_on(one.kind), "");
  }
  EXPECT_THAT(kinds, ElementsAre(SpfProblemKind::several_records, SpfProblemKind::unusable,
                                 SpfProblemKind::unanswered));
}

TEST(SpfExplanation, FollowsRedirectAndNamesWhatIsMissing) {
  const SpfExplanation made = explained(R"(
$TTL 300
$ORIGIN example.
shop   TXT "v=spf1 include:gone.example redirect=out.example"
out    TXT "v=spf1 -all"
)",
                                        "192.0.2.9", "shop.example");
  EXPECT_EQ(made.verdict.result, SpfResult::permerror);
  EXPECT_THAT(steps_of(made), ElementsAre("0 shop.example include:gone.example: reached decides 1",
                                          "0 shop.example redirect=out.example: 1",
                                          "1 out.example -all: matches 0"));
  EXPECT_THAT(problems_of(made), testing::Contains("gone.example has no SPF record"));
}

TEST(SpfExplanation, OfNoDomainIsTheVerdictAlone) {
  const SpfExplanation made = explained("$TTL 300\n", "192.0.2.9", "localhost");
  EXPECT_EQ(made.verdict.result, SpfResult::none);
  EXPECT_THAT(made.steps, IsEmpty());
}

}  // namespace
}  // namespace watchpost::auth
