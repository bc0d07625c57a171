#include "feedback/attribution/verp.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

TEST(Verp, TheRecipientStandsInTheReturnPath) {
  EXPECT_EQ(verp_recipient("bounces+kim=example.com@example.net"), "kim@example.com");
  EXPECT_EQ(verp_recipient("b+kim+x=y=example.com@example.net"), "kim+x=y@example.com");
  // Where '-' may be part of both, the one that was reported says where it begins.
  EXPECT_EQ(verp_recipient("news-list-kim-x=example.com@example.net", "kim-x@example.com"),
            "kim-x@example.com");
  EXPECT_EQ(verp_recipient("news-kim=example.com@example.net", "im@example.com"), "");
  EXPECT_EQ(verp_recipient("news-kim=example.com@example.net", "lee@example.com"), "");
  for (const char* const path : {"", "@", "kim@example.net", "kim=@example.net", "b+=x@example.net",
                                 "kim=example.com", "=+@x"}) {
    EXPECT_EQ(verp_recipient(path), "") << path;
  }
}

TEST(Verp, APatternsGroupsAreWhatTheirNamesSay) {
  const auto pattern = CluePattern::from(
      R"(^(?P<customer>\w+)\.(?P<campaign>\w+)\.(?P<user>[^=]+)=(?P<domain>[^@]+)@)");
  ASSERT_TRUE(pattern) << pattern.error().text();
  const auto clue = pattern->read("acme.spring.kim=example.com@example.net");
  ASSERT_TRUE(clue);
  EXPECT_EQ(clue->customer, "acme");
  EXPECT_EQ(clue->campaign, "spring");
  EXPECT_EQ(clue->recipient, "kim@example.com");
  EXPECT_FALSE(pattern->read("kim@example.com"));
  EXPECT_FALSE(pattern->read(std::string(CluePattern::kMostText + 1, 'a')));
}

TEST(Verp, PatternsThatSayNothingAreRefused) {
  const auto said = [](std::string_view pattern) {
    const auto made = CluePattern::from(pattern);
    return made ? std::string() : made.error().what;
  };
  EXPECT_NE(said("").find("missing"), std::string::npos);
  EXPECT_NE(said("(").find("not a pattern"), std::string::npos);
  EXPECT_NE(said("b-(.+)@").find("no named group"), std::string::npos);
  EXPECT_NE(said("(?P<custmer>.+)").find("did you mean `customer`"), std::string::npos);
}

// S-33 of the attack list.
TEST(Batv, ATagIsTakenOffAndItsDayLookedAt) {
  const Time now{std::chrono::days(20'787)};  // the last three digits: 787
  const auto tag = [&](const char* day) {
    return without_batv_tag(std::string("prvs=3") + day + "abcdef=kim@example.com", now);
  };
  for (const auto& [day, stale] : std::initializer_list<std::pair<const char*, bool>>{
           {"787", false}, {"794", false}, {"801", false}, {"802", true}, {"786", true}}) {
    EXPECT_EQ(tag(day).stale, stale) << day;
    EXPECT_EQ(tag(day).address, "kim@example.com");
  }
  // Days are counted in a circle.
  EXPECT_FALSE(
      without_batv_tag("prvs=3002abcdef=kim@example.com", Time{std::chrono::days(20'998)}).stale);
  for (const char* const path : {"kim@example.com", "prvs=kim@example.com", "prvs=378xabcdef=k@x",
                                 "prvs=3787abcdeg=k@x", "prvs=3787abcdef"}) {
    EXPECT_FALSE(without_batv_tag(path, now).tagged) << path;
    EXPECT_EQ(without_batv_tag(path, now).address, path);
  }
}

}  // namespace
}  // namespace watchpost::feedback
