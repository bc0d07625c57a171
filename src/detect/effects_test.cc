#include "detect/effects.h"

#include "base/hash.h"
#include "detect/test_events.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

Plan plan_of(const std::string& when) {
  return Plan({detector_of({.name = "some", .watch = {"credential"}, .when = when})});
}

const Effect& effect_of(Effects& effects, std::string_view event) {
  const Event read = event_at(0s, event);
  return effects.of(read, [&](Field field) { return hash128(read[field], 7); });
}

TEST(Effects, CountsInThePlainColumnAndInThoseWhoseConditionHolds) {
  const Plan plan = plan_of(
      "bounced(class == unknown_user) + bounced(class in [\"policy\", \"unknown_user\"]) > 2");
  Effects effects(plan);
  const auto columns = [&](std::string_view event) {
    const Effect& effect = effect_of(effects, event);
    const auto in_first = effect.columns_in(effect.series.front());
    return std::vector<int>(in_first.begin(), in_first.end());
  };
  const int bounced = static_cast<int>(EventKind::bounced);
  const int first = static_cast<int>(kEventKinds);
  EXPECT_EQ(columns("bounced class=unknown_user"), (std::vector{bounced, first, first + 1}));
  EXPECT_EQ(columns("bounced class=policy"), (std::vector{bounced, first + 1}));
  EXPECT_EQ(columns("bounced class=dns"), (std::vector{bounced}));
  EXPECT_EQ(columns("bounced"), (std::vector{bounced})) << "unknown is not so";
  EXPECT_EQ(columns("deferred class=policy"), (std::vector{int(EventKind::deferred)}));
  EXPECT_EQ(columns("bounced class=policy"), (std::vector{bounced, first + 1})) << "as before";
}

TEST(Effects, OnlyWhatIsAskedAboutMakesADifference) {
  const Plan plan = plan_of("bounced(class == unknown_user) > 2");
  Effects effects(plan);
  const Effect* const dead = &effect_of(effects, "bounced class=unknown_user provider=gmail");
  EXPECT_EQ(&effect_of(effects, "bounced class=unknown_user provider=yahoo"), dead);
  const Effect* const other = &effect_of(effects, "bounced class=policy");
  EXPECT_NE(other, dead);
  EXPECT_EQ(&effect_of(effects, "bounced class=dns"), other) << "neither is unknown_user";
  EXPECT_EQ(&effect_of(effects, "bounced class=unknown_user"), dead);
}

// What no text of few values decides is asked of each event.
TEST(Effects, NumbersAndRecipientsAreAskedForEachTime) {
  const Plan plan = plan_of(
      "accepted(size > 1000) + accepted(recipient ends_with \".example\") + "
      "accepted(client_ip is known) > 2");
  Effects effects(plan);
  Event event = event_at(0s, "accepted recipient=a@b.example client_ip=192.0.2.1");
  const auto held = [&] {
    const Effect& effect = effects.of(event, [](Field) { return Hash128{}; });
    return std::count(effect.holds.begin(), effect.holds.end(), 1);
  };
  EXPECT_EQ(held(), 2);
  event.size = 5000;
  EXPECT_EQ(held(), 3);
  event[Field::recipient] = "a@b.test";
  EXPECT_EQ(held(), 2);
  event[Field::client_ip] = {};
  EXPECT_EQ(held(), 1);
}

// In more ways than are kept: what is worked out anew is the same.
TEST(Effects, ConditionsThatHoldInVeryManyWays) {
  std::string when = "accepted(recipient contains \"x0\")";
  for (int i = 1; i < 12; ++i) when += fmt::format(" + accepted(recipient contains \"x{}y\")", i);
  const Plan plan = plan_of(when + " > 2");
  Effects effects(plan);
  for (int round = 0; round < 2; ++round) {
    for (unsigned ways = 0; ways < 1U << 11; ++ways) {
      std::string recipient = "a";
      for (int i = 1; i < 12; ++i) {
        if ((ways >> (i - 1) & 1) != 0) recipient += fmt::format("x{}y", i);
      }
      const Effect& effect = effect_of(effects, "accepted recipient=" + recipient + "@b.example");
      ASSERT_EQ(effect.columns_in(effect.series.front()).size(),
                1U + static_cast<size_t>(std::popcount(ways)));
    }
  }
}

TEST(Effects, RaisesTheRulesWhoseThresholdItCountsFor) {
  const Plan plan = plan_of("bounced(class == unknown_user) / attempted exceeds 10% at 1e-9");
  Effects effects(plan);
  ASSERT_TRUE(plan.rules.front().threshold.has_value());
  const auto raises = [&](std::string_view event) {
    const Effect::InSeries& in_first = effect_of(effects, event).series.front();
    EXPECT_EQ(in_first.rules, 1U) << "judged, unless it is known to be below its threshold";
    return in_first.raises != 0;
  };
  EXPECT_TRUE(raises("bounced class=unknown_user"));
  EXPECT_FALSE(raises("bounced class=policy"));
  EXPECT_FALSE(raises("delivered"));
}

}  // namespace
}  // namespace watchpost::detect
