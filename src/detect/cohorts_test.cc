// Rules on cohorts: mail by the hour it was sent in.
#include "base/saved_bytes.h"
#include "detect/lag_curves.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

DetectorSettings complaints() {
  return {.name = "complaints",
          .watch = {"customer"},
          .window = 24h * 4,
          .when = "complained / delivered exceeds 0.3% at 0.0001",
          .guard = "complained >= 5",
          .cohort = 1h};
}

std::vector<Signal> count(Watch& watch, Duration at, std::string_view text, int times = 1) {
  std::vector<Signal> signals;
  // Time has passed: no clock leapt.
  watch.advance_to(kTestStart + at);
  for (int i = 0; i < times; ++i) watch.on(event_at(at, text), signals);
  return signals;
}

Stream customer(std::string_view name = "a") {
  return *parse_stream(fmt::format("customer={}", name));
}

Watch with(std::vector<DetectorSettings> all) {
  std::vector<Detector> detectors;
  for (const DetectorSettings& one : all) detectors.push_back(detector_of(one));
  return Watch(std::move(detectors), {});
}

TEST(Cohorts, AComplaintCountsWhenItsMailWasSent) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 20h, "delivered customer=a", 100'000);
  // Of 101,000 these would be nothing.
  EXPECT_THAT(count(watch, 20h, "complained customer=a delay=20h", 5), IsEmpty());
  const auto signals = count(watch, 20h, "complained customer=a delay=20h", 20);
  ASSERT_THAT(signals, SizeIs(1)) << "once";
  EXPECT_EQ(signals[0].since, kTestStart);
  EXPECT_EQ(signals[0].at, kTestStart + 20h);
  EXPECT_EQ(signals[0].messages, 1000U);
  EXPECT_EQ(signals[0].counts[1], std::pair(std::string("delivered"), 1000.0));
  EXPECT_THAT(signals[0].because, testing::HasSubstr("2026-11-24T10:00:00"));
}

TEST(Cohorts, AnyLatenessWillDoWithinTheWindow) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 90h, "delivered customer=a");
  EXPECT_EQ(count(watch, 60h, "complained customer=a delay=60h", 30).size(), 1U)
      << "the report itself comes 30 hours late";
  EXPECT_EQ(watch.stats().late, 30U);
  EXPECT_THAT(count(watch, 90h, "complained customer=a delay=400d", 50), IsEmpty());
  EXPECT_THAT(count(watch, 90h, "complained customer=a delay=100h", 50), IsEmpty());
}

TEST(Cohorts, AYoungOneIsJudgedByWhatIsStillToCome) {
  const auto needed = [](Duration age) {
    Watch watch = with({complaints()});
    count(watch, 0s, "delivered customer=a", 10'000);
    const std::string text = fmt::format("complained customer=a delay={}", format_duration(age));
    for (int i = 1; i < 1000; ++i) {
      if (!count(watch, age, text).empty()) return i;
    }
    return 1000;
  };
  EXPECT_GT(needed(80h), 33) << "by then most has come, and 30 are expected";
  EXPECT_LT(needed(2h), needed(80h));
}

TEST(Cohorts, CleanMailDoesNotLaunderABadBlast) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 2000);
  for (int hour = 1; hour < 48; ++hour) count(watch, 1h * hour, "delivered customer=a", 2000);
  EXPECT_EQ(count(watch, 48h, "complained customer=a delay=48h", 30).size(), 1U);
}

TEST(Cohorts, EachIsEvidenceOnce) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 5h, "delivered customer=a", 1000);
  EXPECT_EQ(count(watch, 5h, "complained customer=a delay=5h", 500).size(), 1U);
  EXPECT_TRUE(watch.explain(customer())[0].firing);
  EXPECT_EQ(count(watch, 6h, "complained customer=a delay=1h", 500).size(), 1U) << "the other one";
  EXPECT_EQ(count(watch, 7h, "complained customer=a delay=7h", 500).size(), 0U);
  watch.advance_to(kTestStart + 24h * 5);
  EXPECT_FALSE(watch.explain(customer())[0].firing);
}

TEST(Cohorts, ManySmallOnesAreJudgedTogether) {
  Watch watch = with({complaints()});
  size_t fired = 0;
  for (int hour = 0; hour < 20; ++hour) {
    count(watch, 1h * hour, "delivered customer=a", 100);
    fired += count(watch, 1h * hour + 30min, "complained customer=a delay=30m", 2).size();
  }
  EXPECT_GE(fired, 1U) << "two in each hundred, far too few for any one hour";
}

TEST(Cohorts, AreUsedUpWhenReArmed) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 5h, "complained customer=a delay=5h", 500);
  watch.rearm("complaints", customer());
  EXPECT_FALSE(watch.explain(customer())[0].firing);
  EXPECT_THAT(count(watch, 6h, "complained customer=a delay=6h", 500), IsEmpty());
  count(watch, 7h, "delivered customer=a", 1000);
  EXPECT_EQ(count(watch, 9h, "complained customer=a delay=2h", 500).size(), 1U) << "new mail";
}

TEST(Cohorts, SurviveARestart) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 5h, "delivered customer=a", 1000);
  count(watch, 5h, "complained customer=a delay=5h", 500);
  const std::string saved = watch.save();
  Watch other = with({complaints()});
  ASSERT_TRUE(other.restore(saved).has_value());
  EXPECT_EQ(other.save(), saved);
  EXPECT_TRUE(other.explain(customer())[0].firing);
  EXPECT_THAT(count(other, 6h, "complained customer=a delay=6h", 500), IsEmpty());
  EXPECT_EQ(count(other, 6h, "complained customer=a delay=1h", 500).size(), 1U);
}

TEST(Cohorts, AnExplanationShowsTheNewestTogether) {
  Watch watch = with({complaints()});
  count(watch, 0s, "delivered customer=a", 1000);
  count(watch, 30h, "delivered customer=a", 300);
  count(watch, 31h, "complained customer=a delay=1h");
  const DetectorView view = watch.explain(customer())[0];
  EXPECT_EQ(view.counts[0].second, 1);
  EXPECT_EQ(view.counts[1].second, 300);
  EXPECT_FALSE(view.guard_holds);
}

TEST(Cohorts, OtherRulesOfTheStreamKeepTheirWindows) {
  DetectorSettings plain = complaints();
  plain.name = "plain";
  plain.window = 10min;
  plain.when = "complained >= 3";
  plain.guard = "";
  plain.cohort = Duration{0};
  Watch watch = with({complaints(), plain});
  count(watch, 0s, "delivered customer=a", 10);
  EXPECT_EQ(watch.active_streams(std::array{Field::customer}), 1U);
  const auto signals = count(watch, 5h, "complained customer=a delay=5h", 3);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].detector, "plain");
  watch.advance_to(kTestStart + 6h);
  EXPECT_EQ(watch.active_streams(std::array{Field::customer}), 0U);
  EXPECT_EQ(watch.stats().streams, 1U);
  const auto late = count(watch, 4h, "complained customer=a delay=4h", 3);
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_EQ(late[0].detector, "complaints");
  watch.advance_to(kTestStart + 24h * 9);
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(Cohorts, TakeOnlyPlainCountsAndSensibleWindows) {
  const auto about = [](void (*spoil)(DetectorSettings&)) {
    DetectorSettings settings = complaints();
    spoil(settings);
    const auto made = make_detector(settings);
    return made ? std::string("nothing") : made.error().about;
  };
  EXPECT_EQ(about([](auto& s) { s.when = "distinct(complained, recipient) > 3"; }), "when");
  EXPECT_EQ(about([](auto& s) { s.guard = "complained / delivered climbs from 1% to 2%"; }),
            "guard");
  EXPECT_EQ(about([](auto& s) { s.cohort = 1min; }), "cohort");
  EXPECT_EQ(about([](auto& s) { s.cohort = 25h; }), "cohort");
  EXPECT_EQ(about([](auto& s) { s.cohort = 5min; }), "cohort") << "too many";
  EXPECT_EQ(about([](auto& s) { s.window = 1h; }), "cohort") << "only one";
  EXPECT_EQ(about([](auto& s) { s.window = 24h * 31; }), "window");
  EXPECT_EQ(about([](auto& s) { s.window = 24h * 29, s.cohort = 6h; }), "nothing");
  EXPECT_NE(detector_of(complaints()).version, [] {
    DetectorSettings other = complaints();
    other.cohort = 2h;
    return detector_of(other).version;
  }());
}

TEST(LagCurves, AreLearnedByProviderAndBounded) {
  Memory memory;
  {
    LagCurves curves(memory);
    for (int i = 0; i < 2000; ++i) {
      curves.saw(Direction::outbound, LagKind::complaints, "slow", 24h * 5);
      curves.saw(Direction::outbound, LagKind::complaints, "quick", 2min);
    }
    const auto arrived = [&](std::string_view provider) {
      return curves.arrived(Direction::outbound, LagKind::complaints, provider, 3h);
    };
    EXPECT_LT(arrived("slow"), 0.3);
    EXPECT_GT(arrived("quick"), 0.8);
    EXPECT_EQ(arrived("unknown"), arrived(""));
    EXPECT_LT(arrived("slow"), arrived(""));
    for (int i = 0; i < 100'000; ++i) {
      curves.saw(Direction::outbound, LagKind::bounces, fmt::format("p{}", i), 1h);
    }
    EXPECT_LT(memory.bytes(), 1'000'000U);
    SavedWriter out;
    curves.save(out);
    LagCurves again(memory);
    SavedReader in(out.bytes());
    again.restore(in);
    EXPECT_TRUE(!in.bad() && in.at_end());
    SavedWriter second;
    again.save(second);
    EXPECT_EQ(second.bytes(), out.bytes());
  }
  EXPECT_EQ(memory.bytes(), 0U);
}

}  // namespace
}  // namespace watchpost::detect
