#include "auth/posture/posture.h"

#include "auth/auth_cases.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// "broken: finding | advice" of each item about SPF.
std::vector<std::string> spf_of(std::string_view zone_text, std::string domain = "shop.example") {
  const auto zone = zone_of(fmt::format("$TTL 300\n$ORIGIN example.\n{}", zone_text));
  dns::Budget budget{.queries = 1000};
  const auto posture = value_now(check_posture(std::move(domain), {}, *zone, budget));
  std::vector<std::string> lines;
  for (const PostureItem& one : posture->items) {
    if (one.subject != "SPF") continue;
    lines.push_back(fmt::format("{}: {} | {}", name_of(one.state), one.finding, one.advice));
    EXPECT_EQ(one.advice.empty(), one.state == PostureState::good);
  }
  return lines;
}

TEST(SpfPosture, AllIsWell) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"),
              ElementsAre("good: 0 of 10 look-ups, 256 IPv4 addresses pass | "));
}

TEST(SpfPosture, ThereIsNoRecord) {
  EXPECT_THAT(spf_of("shop TXT \"other\"\n"),
              ElementsAre(HasSubstr("missing: there is no record")));
}

TEST(SpfPosture, SeveralRecords) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 -all\"\nshop TXT \"v=spf1 ~all\"\n"),
              ElementsAre(AllOf(HasSubstr("broken: shop.example has more than one SPF record"),
                                HasSubstr("Leave one record"))));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 include:out.example -all\"\n"
                     "out TXT \"v=spf1 -all\"\nout TXT \"v=spf1 ~all\"\n"),
              ElementsAre(HasSubstr("broken: out.example has more than one SPF record")));
}

TEST(SpfPosture, ALoop) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 include:out.example -all\"\n"
                     "out TXT \"v=spf1 redirect=shop.example\"\n"),
              ElementsAre(AllOf(HasSubstr("broken: "),
                                HasSubstr("shop.example > out.example > shop.example"),
                                HasSubstr("Take out the include or redirect that leads back"))));
}

TEST(SpfPosture, TooManyLookUps) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 a a a a a a a a a a a -all\"\nshop A 192.0.2.1\n"),
              ElementsAre(AllOf(HasSubstr("broken: The record needs 11 look-ups"),
                                HasSubstr("Take includes out"))));
}

TEST(SpfPosture, VoidLookUps) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 a:g1.example mx:g2.example a:g3.example -all\"\n"),
              ElementsAre(AllOf(HasSubstr("broken: 3 of the record's look-ups find nothing "
                                          "(a:g1.example, mx:g2.example, a:g3.example)"),
                                HasSubstr("Take out the names"))));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 a:g1.example ?exists:%{i}.list.example -all\"\n"),
              ElementsAre(HasSubstr("weak: a:g1.example finds nothing | Take it out")));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 exists:%{i}.list.example -all\"\n"),
              ElementsAre(HasSubstr("good: ")));
}

TEST(SpfPosture, EverybodyPasses) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 +all\"\n"),
              ElementsAre(AllOf(HasSubstr("broken: Everybody passes"), HasSubstr("+all\" out"))));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 include:out.example -all\"\nout TXT \"v=spf1 all\"\n"),
              ElementsAre(HasSubstr("broken: Everybody passes")));
}

TEST(SpfPosture, NothingIsSaidOfOthers) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 ip4:192.0.2.1\"\n"),
              ElementsAre(AllOf(HasSubstr("weak: 0 of 10"), HasSubstr("End with \"-all\""))));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 redirect=out.example\"\nout TXT \"v=spf1 ?all\"\n"),
              ElementsAre(HasSubstr("nothing is said of all others")));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 redirect=out.example\"\nout TXT \"v=spf1 ~all\"\n"),
              ElementsAre(HasSubstr("good: ")));
}

// Each thing that is wrong has its line.
TEST(SpfPosture, SeveralThingsAreWrong) {
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 a a a a a a a a a a a ip4:10.0.0.0/8 a:gone.example "
                     "-include:out.example +all\"\nshop A 192.0.2.1\n"
                     "out TXT \"v=spf1 -all\"\nout TXT \"v=spf1 -all\"\n"),
              ElementsAre(HasSubstr("more than one"), HasSubstr("needs 13 look-ups"),
                          HasSubstr("weak: a:gone.example finds nothing"),
                          HasSubstr("weak: 13 of 10 look-ups")));
}

TEST(SpfPosture, DnsDoesNotAnswer) {
  EXPECT_THAT(spf_of("shop TIMEOUT\n"), ElementsAre(HasSubstr("unknown: ")));
  EXPECT_THAT(spf_of("shop TXT \"v=spf1 include:slow.example -all\"\nslow TIMEOUT\n"),
              ElementsAre(HasSubstr("unknown: ")));
}

}  // namespace
}  // namespace watchpost::auth
