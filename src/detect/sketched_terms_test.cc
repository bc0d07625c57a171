// Terms that look further than a sum of counters: distinct, new, in_order, usual, climbs.
#include "detect/test_events.h"
#include "detect/watch.h"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Detector rule(std::string when, Duration window = 10min, std::string name = "rule") {
  return detector_of({.name = std::move(name),
                      .watch = {"credential"},
                      .window = window,
                      .when = std::move(when)});
}

Stream stream(std::string_view text) { return *parse_stream(text); }

std::vector<Signal> count(Watch& watch, Duration at, std::string_view text, int times = 1) {
  std::vector<Signal> signals;
  for (int i = 0; i < times; ++i) watch.on(event_at(at, text), signals);
  return signals;
}

double value(const Watch& watch, std::string_view of = "credential=a", size_t which = 0) {
  return watch.explain(stream(of))[which].value;
}

Watch saved_and_restored(const Watch& watch, std::vector<Detector> detectors) {
  Watch other(std::move(detectors), {});
  const std::string saved = watch.save();
  EXPECT_TRUE(other.restore(saved).has_value());
  EXPECT_EQ(other.save(), saved);
  return other;
}

std::string login_from(int network) {
  return fmt::format("login credential=a outcome=success client_network=192.0.{}.0/24", network);
}

const std::string kNetworks = "distinct(login(outcome == success), client_network) >= 3";

TEST(Distinct, CountsEachValueOnceAndForgetsWithTheWindow) {
  Watch watch({rule(kNetworks)}, {});
  EXPECT_THAT(count(watch, 0s, login_from(1), 5), IsEmpty());
  EXPECT_THAT(count(watch, 60s, login_from(2), 5), IsEmpty());
  EXPECT_THAT(count(watch, 60s, "login credential=a outcome=failure client_network=192.0.9.0/24"),
              IsEmpty());
  EXPECT_THAT(count(watch, 60s, "login credential=a outcome=success"), IsEmpty()) << "no value";
  EXPECT_EQ(value(watch), 2);
  const auto signals = count(watch, 120s, login_from(3));
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].value, 3);
  EXPECT_EQ(signals[0].counts[0].second, 3);
  EXPECT_THAT(count(watch, 121s, login_from(4)), IsEmpty()) << "it fires";
  watch.advance_to(kTestStart + 60s + 10min);
  EXPECT_EQ(value(watch), 2) << "two have left";
  EXPECT_THAT(count(watch, 60s + 10min, login_from(5)), IsEmpty()) << "it fired just now";
  watch.advance_to(kTestStart + 1h);
  EXPECT_EQ(value(watch), 0);
}

TEST(Distinct, StartsAnewWhenReArmed) {
  Watch watch({rule(kNetworks)}, {});
  for (int i = 0; i < 3; ++i) count(watch, 0s, login_from(i));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_EQ(value(watch), 0);
  for (int i = 0; i < 2; ++i) EXPECT_THAT(count(watch, 1s, login_from(i)), IsEmpty());
  EXPECT_THAT(count(watch, 2s, login_from(2)), SizeIs(1));
}

TEST(Distinct, OthersThatShareItKeepTheirCountWhenOneIsReArmed) {
  const std::string more = "distinct(login(outcome == success), client_network) >= 5";
  const std::vector<Detector> rules{rule(kNetworks), rule(more, 10min, "other")};
  Watch watch(rules, {});
  for (int i = 0; i < 4; ++i) count(watch, 0s, login_from(i));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_EQ(value(watch), 0);
  EXPECT_EQ(value(watch, "credential=a", 1), 4);
  watch = saved_and_restored(watch, rules);
  const auto signals = count(watch, 20s, login_from(4));
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].detector, "other");
  EXPECT_EQ(value(watch), 1);
  count(watch, 20s, login_from(0));
  EXPECT_THAT(count(watch, 20s, login_from(1)), SizeIs(1)) << "seen again since";
  // Of many values, from the next sixth of the window on.
  for (int i = 0; i < 60; ++i) count(watch, 30s, login_from(i));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_EQ(value(watch), 0);
  EXPECT_NEAR(value(watch, "credential=a", 1), 60, 6);
  for (int i = 0; i < 3; ++i) count(watch, 150s, login_from(i));
  EXPECT_EQ(value(watch), 3);
}

TEST(Climb, OthersKeepTheirEvidenceWhenOneIsReArmed) {
  const std::string climb = "bounced / attempted climbs from 2% to 20% at 0.0001";
  const std::string surer = "bounced / attempted climbs from 2% to 20% at 0.000001";
  Watch watch({rule(climb, 1h), rule(surer, 1h, "other")}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 5), SizeIs(1));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_EQ(value(watch), 0);
  const auto signals = count(watch, 1s, "bounced credential=a", 2);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].detector, "other");
}

TEST(Distinct, SurvivesARestartAndADetectorBesideIt) {
  Watch watch({rule(kNetworks)}, {});
  count(watch, 0s, login_from(1));
  count(watch, 0s, login_from(2));
  Watch other = saved_and_restored(watch, {rule(kNetworks)});
  EXPECT_THAT(count(other, 1s, login_from(2)), IsEmpty());
  EXPECT_THAT(count(other, 1s, login_from(3)), SizeIs(1));
  Watch third({rule("login > 100"), rule(kNetworks, 10min, "again")}, {});
  ASSERT_TRUE(third.restore(watch.save()).has_value());
  EXPECT_THAT(count(third, 1s, login_from(3)), SizeIs(1)) << "terms are known by their text";
  Watch without({rule("login > 100")}, {});
  EXPECT_TRUE(without.restore(watch.save()).has_value());
}

TEST(New, CountsOnlyOnceTheStreamIsKnown) {
  const std::vector<Detector> rules{rule("new(login, client_network) >= 2", 1h)};
  Watch watch(rules, {});
  for (int i = 0; i < 30; ++i) {
    EXPECT_THAT(count(watch, 1min * i, login_from(i % 20)), IsEmpty());
  }
  EXPECT_THAT(count(watch, 10h, login_from(100), 3), IsEmpty()) << "not a day old";
  watch.advance_to(kTestStart + 25h);
  EXPECT_EQ(watch.stats().streams, 1U) << "what it knows outlives the window";
  EXPECT_THAT(count(watch, 25h, login_from(3), 5), IsEmpty());
  EXPECT_EQ(value(watch), 0);
  watch = saved_and_restored(watch, rules);
  EXPECT_THAT(count(watch, 25h, login_from(101), 2), IsEmpty());
  EXPECT_EQ(value(watch), 1);
  EXPECT_THAT(count(watch, 25h + 1s, login_from(102)), SizeIs(1));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_THAT(count(watch, 25h + 2s, login_from(103)), IsEmpty()) << "one is used up with the rest";
  EXPECT_THAT(count(watch, 25h + 2s, login_from(102)), IsEmpty()) << "it is known now";
  EXPECT_THAT(count(watch, 25h + 3s, login_from(104)), SizeIs(1));
}

TEST(New, IsForgottenAfterTwoMonths) {
  Watch watch({rule("new(login, client_network) >= 2", 1h)}, {});
  count(watch, 0s, login_from(1), 2);
  count(watch, 0s, "login credential=b client_network=192.0.2.0/24");
  for (int day = 1; day < 59; ++day) watch.advance_to(kTestStart + 24h * day);
  EXPECT_EQ(watch.stats().streams, 1U) << "who came once is forgotten sooner";
  for (int day = 59; day < 70; ++day) watch.advance_to(kTestStart + 24h * day);
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(InOrder, SeesAWalkThroughTheAlphabet) {
  const std::vector<Detector> rules{
      rule("in_order(bounced, recipient) / bounced > 80% and bounced >= 20")};
  Watch watch(rules, {});
  std::vector<Signal> signals;
  for (int i = 0; i < 19; ++i) {
    const auto text = fmt::format("bounced credential=a recipient=name{:03}@example.org", i);
    EXPECT_THAT(count(watch, 1s * i, text), IsEmpty());
  }
  watch = saved_and_restored(watch, rules);
  EXPECT_THAT(count(watch, 20s, "bounced credential=a recipient=name200@example.org"), SizeIs(1));
}

const std::string kClimb = "bounced / attempted climbs from 2% to 20% at 0.0001";

TEST(Climb, FindsABadListWithinFewAttempts) {
  Watch watch({rule(kClimb, 1h)}, {});
  count(watch, 0s, "delivered credential=a", 500);
  EXPECT_EQ(value(watch), 0);
  EXPECT_THAT(count(watch, 1s, "bounced credential=a", 3), IsEmpty());
  EXPECT_NEAR(value(watch), 3 * std::log(10), 1e-4);
  const auto signals = count(watch, 2s, "bounced credential=a", 3);
  ASSERT_THAT(signals, SizeIs(1)) << "9.2 nats: four in a row";
  EXPECT_GT(signals[0].value, 9.2);
  EXPECT_THAT(count(watch, 3s, "login credential=a", 10), IsEmpty());
}

TEST(Climb, ReArmsOnlyWhenItsEvidenceIsUsedUp) {
  Watch watch({rule(kClimb, 1h)}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 5), SizeIs(1));
  // Far below the threshold, yet not zero.
  count(watch, 1s, "delivered credential=a", 40);
  EXPECT_LT(value(watch), 5);
  EXPECT_TRUE(watch.explain(stream("credential=a"))[0].firing);
  EXPECT_THAT(count(watch, 2s, "bounced credential=a", 4), IsEmpty());
  count(watch, 3s, "delivered credential=a", 200);
  EXPECT_EQ(value(watch), 0);
  EXPECT_FALSE(watch.explain(stream("credential=a"))[0].firing);
  EXPECT_THAT(count(watch, 4s, "bounced credential=a", 5), SizeIs(1));
}

TEST(Climb, EndlessEvidenceDoesNotTakeForEverToBeUsedUp) {
  Watch watch({rule(kClimb, 1h)}, {});
  count(watch, 0s, "bounced credential=a", 100'000);
  count(watch, 1s, "delivered credential=a", 200);
  EXPECT_FALSE(watch.explain(stream("credential=a"))[0].firing);
}

TEST(Climb, BeginsAnewWithAnEmptyWindowOrWhenReArmed) {
  const std::vector<Detector> rules{rule(kClimb, 1h)};
  Watch watch(rules, {});
  count(watch, 0s, "bounced credential=a", 3);
  watch = saved_and_restored(watch, rules);
  EXPECT_GT(value(watch), 6);
  EXPECT_THAT(count(watch, 90min, "bounced credential=a", 3), IsEmpty());
  EXPECT_NEAR(value(watch), 3 * std::log(10), 1e-4);
  EXPECT_THAT(count(watch, 91min, "bounced credential=a"), SizeIs(1));
  watch.rearm("rule", stream("credential=a"));
  EXPECT_EQ(value(watch), 0);
  EXPECT_THAT(count(watch, 92min, "bounced credential=a", 3), IsEmpty());
  EXPECT_THAT(count(watch, 92min, "bounced credential=a"), SizeIs(1));
  watch.advance_to(kTestStart + 5h);
  EXPECT_FALSE(watch.explain(stream("credential=a"))[0].firing);
}

TEST(Climb, ARowThatIsBadIsNotGoodAsWell) {
  Watch watch({rule("(bounced(class == unknown_user) + bounced(class == policy)) / attempted "
                    "climbs from 2% to 20% at 0.0001")},
              {});
  count(watch, 0s, "bounced credential=a class=unknown_user");
  EXPECT_NEAR(value(watch), std::log(10), 1e-4);
  count(watch, 0s, "bounced credential=a class=mailbox_full");
  EXPECT_NEAR(value(watch), std::log(10) + std::log(0.8 / 0.98), 1e-4);
}

// Ten messages an hour, the days through.
void send_hourly(Watch& watch, int from, int until) {
  for (int hour = from; hour < until; ++hour) {
    EXPECT_THAT(count(watch, 1h * hour + 10min, "accepted credential=a", 10), IsEmpty()) << hour;
  }
}

constexpr int kKnown = 24 * 35;  // hours after which a stream's past is well known
const std::string kSpike = "accepted exceeds 3 * usual(accepted) at 0.000001";

TEST(Usual, AFloodStandsOutAgainstTheStreamsOwnPast) {
  const std::vector<Detector> rules{rule(kSpike, 1h)};
  Watch watch(rules, {});
  EXPECT_THAT(count(watch, 0s, "accepted credential=a", 5000), IsEmpty())
      << "no past, no judgement";
  EXPECT_TRUE(std::isnan(watch.explain(stream("credential=a"))[0].threshold));
  send_hourly(watch, 1, kKnown);
  watch = saved_and_restored(watch, rules);
  const double usual = watch.explain(stream("credential=a"))[0].threshold / 3;
  EXPECT_GT(usual, 5);
  EXPECT_LT(usual, 20);
  const auto signals = count(watch, 1h * kKnown, "accepted credential=a", 2000);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_GT(signals[0].value, 30);
}

TEST(Usual, AnIncidentTeachesNothing) {
  Watch watch({rule(kSpike, 1h)}, {});
  send_hourly(watch, 0, kKnown);
  const double before = watch.explain(stream("credential=a"))[0].threshold;
  size_t fired = 0;
  for (int hour = kKnown; hour < kKnown + 24; ++hour) {
    fired += count(watch, 1h * hour, "accepted credential=a", 500).size();
    fired += count(watch, 1h * hour + 30min, "accepted credential=a", 500).size();
  }
  EXPECT_EQ(fired, 1U);
  const double during = watch.explain(stream("credential=a"))[0].threshold;
  EXPECT_NEAR(during, before, before * 0.3);
}

// What was usual before is defended for three days; what goes on is how it is.
TEST(Usual, AChangeForGoodIsLearnedAfterThreeDays) {
  Watch watch({rule(kSpike, 1h)}, {});
  send_hourly(watch, 0, kKnown);
  const auto threshold = [&] { return watch.explain(stream("credential=a"))[0].threshold; };
  const double before = threshold();
  size_t fired = 0;
  const auto send_much = [&](int from, int until) {
    for (int hour = from; hour < until; ++hour) {
      fired += count(watch, 1h * hour + 10min, "accepted credential=a", 200).size();
    }
  };
  send_much(kKnown, kKnown + 70);
  EXPECT_NEAR(threshold(), before, before * 0.2) << "three days are no proof";
  send_much(kKnown + 70, kKnown + 24 * 28);
  EXPECT_GT(threshold(), 3 * 120);
  EXPECT_FALSE(watch.explain(stream("credential=a"))[0].firing);
  EXPECT_EQ(fired, 1U);
}

// Bursts with quiet days between them are an incident each, and none is learned.
TEST(Usual, EachIncidentIsLeftOut) {
  Watch watch({rule(kSpike, 1h)}, {});
  send_hourly(watch, 0, kKnown);
  const double before = watch.explain(stream("credential=a"))[0].threshold;
  for (int day = 0; day < 20; day += 4) {
    EXPECT_THAT(count(watch, 1h * (kKnown + 24 * day), "accepted credential=a", 900), SizeIs(1));
    send_hourly(watch, kKnown + 24 * day + 2, kKnown + 24 * (day + 4));
  }
  EXPECT_NEAR(watch.explain(stream("credential=a"))[0].threshold, before, before * 0.2);
}

// Ten days in which a measure let nothing through are no part of the stream's past.
TEST(Usual, HoursUnderAMeasureAreLeftOut) {
  const std::vector<Detector> rules{rule(kSpike, 1h)};
  Watch watch(rules, {});
  send_hourly(watch, 0, kKnown);
  const auto threshold = [&] { return watch.explain(stream("credential=a"))[0].threshold; };
  const double before = threshold();
  watch.advance_to(kTestStart + 1h * (kKnown + 240));
  watch.kept_back(stream("credential=a"), kTestStart + 1h * kKnown);
  watch = saved_and_restored(watch, rules);
  send_hourly(watch, kKnown + 240, kKnown + 264);
  EXPECT_NEAR(threshold(), before, before * 0.1);
}

// A throttle lets some through; what it refuses says so, hour by hour.
TEST(Usual, HoursOfRefusalsByUsAreLeftOut) {
  Watch watch({rule(kSpike, 1h)}, {});
  send_hourly(watch, 0, kKnown);
  const auto threshold = [&] { return watch.explain(stream("credential=a"))[0].threshold; };
  const double before = threshold();
  for (int hour = kKnown; hour < kKnown + 240; ++hour) {
    count(watch, 1h * hour + 10min, "accepted credential=a");
    count(watch, 1h * hour + 20min, "rejected credential=a self_inflicted");
  }
  // Asked for seldom, and nothing comes through.
  for (int hour = kKnown + 240; hour < kKnown + 480; hour += 12) {
    count(watch, 1h * hour, "rejected credential=a self_inflicted", 3);
  }
  send_hourly(watch, kKnown + 480, kKnown + 504);
  EXPECT_NEAR(threshold(), before, before * 0.1);
  // Without a measure it is another habit.
  for (int hour = kKnown + 504; hour < kKnown + 984; ++hour) {
    count(watch, 1h * hour + 10min, "accepted credential=a");
  }
  EXPECT_LT(threshold(), before * 0.6);
}

TEST(Usual, TwoWindowsHaveOnePast) {
  Watch watch({rule("accepted exceeds usual(accepted)", 1h),
               rule("accepted exceeds usual(accepted)", 6h, "six")},
              {});
  send_hourly(watch, 0, kKnown);
  const double one = watch.explain(stream("credential=a"))[0].threshold;
  const double six = watch.explain(stream("credential=a"))[1].threshold;
  EXPECT_NEAR(six, 6 * one, one);
}

TEST(Sketches, AreFreedWithTheirStreams) {
  std::vector<Detector> rules{rule(kNetworks), rule(kClimb), rule(kSpike),
                              rule("new(accepted, recipient) > 1000"),
                              rule("in_order(accepted, recipient) > 1000")};
  constexpr int64_t kCap = 8 << 20;
  Watch watch(rules, {.memory = kCap});
  const uint64_t empty = watch.stats().bytes;
  std::vector<Signal> signals;
  uint64_t most = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::string who = fmt::format("credential=made-up-{}", i % 20'000);
    for (const std::string_view what : {"accepted", "bounced", "login outcome=success"}) {
      const std::string text = fmt::format("{} {} recipient=r{}@example.org client_network=n{}",
                                           what, who, i * 7, i / 100);
      watch.on(event_at(1s * i, text), signals);
    }
    most = std::max(most, watch.stats().bytes);
  }
  EXPECT_LE(most, kCap);
  EXPECT_GT(watch.stats().evicted, 1000U);
  for (int i = 0; i < 500; ++i) watch.advance_to(kTestStart + 24h * 100 + 1s * i);
  EXPECT_EQ(watch.stats().streams, 0U);
  // What the table itself has grown by stays: 64 bytes and a place for each stream it ever held.
  EXPECT_LT(watch.stats().bytes, empty + 4'000'000);
}

TEST(Sketches, CostNothingWhereNobodyAsks) {
  const auto bytes_of = [](std::vector<Detector> rules) {
    Watch watch(std::move(rules), {});
    for (int i = 0; i < 1000; ++i) {
      count(watch, 0s, fmt::format("delivered credential=c{}", i));
    }
    return watch.stats().bytes;
  };
  const uint64_t plain = bytes_of({rule("login > 3")});
  const Detector other = detector_of({.name = "other",
                                      .watch = {"customer"},
                                      .window = 10min,
                                      .when = "distinct(login, client_network) > 3"});
  EXPECT_LT(bytes_of({rule("login > 3"), other}), plain + 500);
  // Eight bytes are for finding them.
  EXPECT_LE(bytes_of({rule("distinct(login, client_network) > 3")}), plain + 16 * 1000);
}

}  // namespace
}  // namespace watchpost::detect
