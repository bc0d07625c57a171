#include "detect/watch.h"

#include "detect/test_events.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

DetectorSettings bounces() {
  return {.name = "bounces", .watch = {"credential"}, .window = 60s, .when = "bounced >= 3"};
}

Stream stream(std::string_view text) { return *parse_stream(text); }

// Counts so many equal events; returns their signals.
std::vector<Signal> count(Watch& watch, Duration at, std::string_view text, int times = 1) {
  std::vector<Signal> signals;
  for (int i = 0; i < times; ++i) watch.on(event_at(at, text), signals);
  return signals;
}

// Of a source that tells only of results, tries are the messages; what is neither is none.
TEST(Watch, MessagesAreTriesWhereNothingWasAccepted) {
  auto rule = bounces();
  rule.when = "bounced >= 2";
  Watch watch({detector_of(rule)}, {});
  count(watch, 0s, "login credential=a", 5);
  count(watch, 0s, "delivered credential=a", 3);
  count(watch, 0s, "deferred credential=a");
  count(watch, 0s, "complained credential=a");
  count(watch, 0s, "rejected credential=a");
  auto signals = count(watch, 1s, "bounced credential=a", 2);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].messages, 6U);
  // Also of counters that were saved.
  count(watch, 1s, "accepted credential=b", 3);
  count(watch, 1s, "bounced credential=b");
  Watch after({detector_of(rule)}, {});
  ASSERT_TRUE(after.restore(watch.save()));
  signals = count(after, 2s, "bounced credential=b");
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].messages, 3U);
}

TEST(Watch, ASignalCarriesTheNumbers) {
  Watch watch({detector_of({.name = "share",
                            .watch = {"campaign customer"},
                            .window = 10min,
                            .when = "bounced(class == unknown_user) / attempted > 20%",
                            .guard = "attempted >= 5",
                            .mode = "enforce",
                            .then = {"suspend 1h"}})},
              {});
  count(watch, 0s, "accepted customer=acme campaign=news", 4);
  count(watch, 1s, "delivered customer=acme campaign=news", 3);
  count(watch, 2s, "bounced customer=acme campaign=news class=unknown_user");
  const auto signals = count(watch, 65s, "bounced customer=acme campaign=news class=unknown_user");
  ASSERT_THAT(signals, SizeIs(1));
  const Signal& signal = signals[0];
  EXPECT_EQ(signal.at, kTestStart + 65s);
  EXPECT_EQ(signal.detector, "share");
  EXPECT_EQ(signal.mode, Mode::enforce);
  EXPECT_EQ(signal.stream.text(), "campaign=news customer=acme");
  EXPECT_EQ(signal.since, kTestStart + 70s - 10min);
  EXPECT_DOUBLE_EQ(signal.value, 0.4);
  EXPECT_DOUBLE_EQ(signal.threshold, 0.2);
  EXPECT_EQ(signal.messages, 4U);
  EXPECT_THAT(signal.counts,
              ElementsAre(Pair("bounced(class == unknown_user)", 2), Pair("attempted", 5)));
  EXPECT_NE(signal.because.find("40%"), std::string::npos) << signal.because;
  EXPECT_THAT(signal.then, SizeIs(1));
}

TEST(Watch, FiresOnceUntilItNoLongerHolds) {
  Watch watch({detector_of(bounces())}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 10), SizeIs(1));
  EXPECT_THAT(count(watch, 30s, "bounced credential=a", 10), SizeIs(0));
  // By 100 s all of these have left the window. An hour without more is another story.
  EXPECT_THAT(count(watch, 100s, "bounced credential=a", 5), SizeIs(0));
  EXPECT_TRUE(watch.explain(stream("credential=a"))[0].firing);
  EXPECT_THAT(count(watch, 100s + 1h, "bounced credential=a", 5), SizeIs(0)) << "59 min of quiet";
  EXPECT_THAT(count(watch, 100s + 2h + 1min, "bounced credential=a", 2), SizeIs(0));
  EXPECT_THAT(count(watch, 101s + 2h + 1min, "bounced credential=a"), SizeIs(1));
}

// Somebody guesses passwords for three days, about as fast as the detector allows.
TEST(Watch, WhoHoversAboutTheThresholdIsOneSignal) {
  DetectorSettings rule = bounces();
  rule.when = "bounced >= 30";
  rule.window = 10min;
  Watch watch({detector_of(rule)}, {});
  size_t signals = 0;
  for (int minute = 0; minute < 3 * 24 * 60; ++minute) {
    const int times = minute % 23 < 11 ? 4 : 2;
    signals += count(watch, 1min * minute, "bounced credential=a", times).size();
  }
  EXPECT_EQ(signals, 1U);
}

TEST(Watch, QuietLastsAsLongAsTheWindow) {
  DetectorSettings rule = bounces();
  rule.window = 6h;
  Watch watch({detector_of(rule)}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 3), SizeIs(1));
  // It held until 6 h.
  EXPECT_THAT(count(watch, 11h, "bounced credential=a", 3), SizeIs(0));
  EXPECT_THAT(count(watch, 24h, "bounced credential=a", 3), SizeIs(1));
}

// Whoever is dropped for being silent must not fire sooner than whoever is not.
TEST(Watch, QuietOutlivesTheWindowAndARestart) {
  Watch watch({detector_of(bounces())}, {});
  count(watch, 0s, "bounced credential=a", 3);
  for (int i = 0; i < 10; ++i) watch.advance_to(kTestStart + 30min + 1s * i);
  Watch after({detector_of(bounces())}, {});
  ASSERT_TRUE(after.restore(watch.save()).has_value());
  EXPECT_THAT(count(after, 40min, "bounced credential=a", 3), SizeIs(0));
  EXPECT_THAT(count(watch, 40min, "bounced credential=a", 3), SizeIs(0));
  for (int i = 0; i < 10; ++i) watch.advance_to(kTestStart + 3h + 1s * i);
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(Watch, RearmEndsQuiet) {
  Watch watch({detector_of(bounces())}, {});
  count(watch, 0s, "bounced credential=a", 3);
  EXPECT_THAT(count(watch, 5min, "bounced credential=a", 3), SizeIs(0));
  watch.rearm("bounces", stream("credential=a"));
  EXPECT_THAT(count(watch, 6min, "bounced credential=a", 3), SizeIs(1));
}

TEST(Watch, StopsFiringWithTimeAlone) {
  Watch watch({detector_of(bounces())}, {});
  count(watch, 0s, "bounced credential=a", 3);
  EXPECT_TRUE(watch.explain(stream("credential=a"))[0].firing);
  watch.advance_to(kTestStart + 59s);
  EXPECT_TRUE(watch.explain(stream("credential=a"))[0].firing);
  watch.advance_to(kTestStart + 60s);
  EXPECT_FALSE(watch.explain(stream("credential=a"))[0].firing);
}

TEST(Watch, IsQuietInBetweenThoughItHoldsAgainLater) {
  // The share falls when the bounces leave, and is high again at the next event.
  Watch watch({detector_of({.name = "share",
                            .watch = {"credential"},
                            .window = 60s,
                            .when = "bounced / attempted > 50%"})},
              {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 2), SizeIs(1));
  count(watch, 10s, "delivered credential=a");
  EXPECT_THAT(count(watch, 75s, "bounced credential=a"), SizeIs(0));
  EXPECT_THAT(count(watch, 63min, "bounced credential=a"), SizeIs(1));
}

TEST(Watch, RearmForgetsTheEvidenceOfThatDetectorAndStreamOnly) {
  DetectorSettings other = bounces();
  other.name = "other";
  other.when = "bounced >= 5";
  Watch watch({detector_of(bounces()), detector_of(other)}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 3), SizeIs(1));
  count(watch, 0s, "bounced credential=b", 2);
  watch.rearm("bounces", stream("credential=a"));
  EXPECT_THAT(count(watch, 1s, "bounced credential=b"), SizeIs(1));
  const auto signals = count(watch, 2s, "bounced credential=a", 2);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].detector, "other");
  const auto again = count(watch, 3s, "bounced credential=a");
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].detector, "bounces");
  EXPECT_EQ(again[0].messages, 3U);
  EXPECT_EQ(again[0].since, kTestStart) << "the time of the newest event when it was re-armed";
}

TEST(Watch, RearmOfWhatIsNotThereDoesNothing) {
  Watch watch({detector_of(bounces())}, {});
  watch.rearm("bounces", stream("credential=a"));
  watch.rearm("nobody", stream("credential=a"));
  watch.rearm("bounces", stream("customer=a"));
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 3), SizeIs(1));
}

TEST(Watch, WhatWeCausedIsNoEvidence) {
  Watch watch({detector_of(bounces())}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a self_inflicted", 9), SizeIs(0));
  EXPECT_EQ(watch.stats().events, 0U);
}

TEST(Watch, OnlyItsDirectionAndOnlyWithAllDimensions) {
  DetectorSettings settings = bounces();
  settings.watch = {"customer campaign"};
  Watch watch({detector_of(settings)}, {});
  count(watch, 0s, "bounced customer=a campaign=c inbound", 9);
  count(watch, 0s, "bounced customer=a", 9);
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(Watch, ADetectorThatIsOffCountsNothing) {
  DetectorSettings settings = bounces();
  settings.mode = "off";
  Watch watch({detector_of(settings)}, {});
  EXPECT_THAT(count(watch, 0s, "bounced credential=a", 9), SizeIs(0));
  EXPECT_EQ(watch.stats().streams, 0U);
}

TEST(Watch, LateEventsCountInTheirSlot) {
  Watch watch({detector_of(bounces())}, {.lateness = 5min});
  count(watch, 100s, "bounced credential=a", 2);
  EXPECT_THAT(count(watch, 30s, "bounced credential=a"), SizeIs(0)) << "out of the window";
  const auto signals = count(watch, 45s, "bounced credential=a");
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].at, kTestStart + 45s);
  count(watch, -201s, "bounced credential=a");
  EXPECT_EQ(watch.stats().late, 1U);
  EXPECT_EQ(watch.stats().events, 4U);
}

TEST(Watch, OneStampInTheFutureDoesNotEmptyTheWindows) {
  Watch watch({detector_of(bounces())}, {});
  count(watch, 0s, "bounced credential=a", 2);
  EXPECT_THAT(count(watch, 24h * 300, "bounced credential=a"), SizeIs(1)) << "it counts as now";
  EXPECT_EQ(watch.stats().ahead, 1U);
  EXPECT_EQ(watch.explain(stream("credential=a"))[0].value, 3);
}

TEST(Watch, AValueTooLongToBeOneIsNotCountedForItsDimension) {
  DetectorSettings settings = bounces();
  settings.watch = {"credential", "customer"};
  Watch watch({detector_of(settings)}, {});
  const std::string text = "bounced customer=acme credential=" + std::string(2000, 'x');
  EXPECT_THAT(count(watch, 0s, text, 3), SizeIs(1));
  EXPECT_EQ(watch.stats().oversized, 3U);
  EXPECT_EQ(watch.stats().streams, 1U);
}

TEST(Watch, SignalsOfOneEventStandInTheOrderOfTheDetectors) {
  DetectorSettings first = bounces();
  first.watch = {"customer", "credential"};
  DetectorSettings second = bounces();
  second.name = "second";
  Watch watch({detector_of(first), detector_of(second)}, {});
  const auto signals = count(watch, 0s, "bounced customer=c credential=a", 3);
  ASSERT_THAT(signals, SizeIs(3));
  EXPECT_EQ(signals[0].stream.text(), "customer=c");
  EXPECT_EQ(signals[1].stream.text(), "credential=a");
  EXPECT_EQ(signals[2].detector, "second");
}

TEST(Watch, ExplainShowsWiderStreamsToo) {
  DetectorSettings both = bounces();
  both.watch = {"credential", "customer credential"};
  both.guard = "attempted >= 100";
  Watch watch({detector_of(both)}, {});
  count(watch, 0s, "bounced customer=c credential=a", 3);
  const auto views = watch.explain(stream("credential=a customer=c"));
  ASSERT_THAT(views, SizeIs(2));
  EXPECT_EQ(views[0].stream.text(), "credential=a");
  EXPECT_EQ(views[1].stream.text(), "customer=c credential=a");
  EXPECT_EQ(views[1].value, 3);
  EXPECT_EQ(views[1].threshold, 3);
  EXPECT_FALSE(views[1].guard_holds);
  EXPECT_FALSE(views[1].firing);
  EXPECT_THAT(views[1].counts, ElementsAre(Pair("bounced", 3), Pair("attempted", 3)));
  EXPECT_FALSE(views[1].because.empty());
  EXPECT_THAT(watch.explain(stream("credential=nobody")), SizeIs(1));
}

TEST(Watch, MoversAreThoseWhoseHalvesDiffer) {
  Watch watch({detector_of(bounces())}, {});
  count(watch, 0s, "delivered credential=steady", 20);
  count(watch, 50s, "delivered credential=steady", 20);
  count(watch, 50s, "delivered credential=rising", 7);
  count(watch, 50s, "bounced credential=rising", 2);
  count(watch, 1s, "delivered credential=falling", 5);
  count(watch, 52s, "login credential=quiet");
  const auto movers = watch.movers({}, 3);
  ASSERT_THAT(movers, SizeIs(3));
  EXPECT_EQ(movers[0].stream.text(), "credential=rising");
  EXPECT_EQ(movers[0].newer, 9);
  EXPECT_EQ(movers[0].older, 0);
  EXPECT_THAT(movers[0].counts, ElementsAre(Pair("delivered", 7), Pair("bounced", 2)));
  EXPECT_EQ(movers[0].last_at, kTestStart + 50s);
  EXPECT_EQ(movers[1].stream.text(), "credential=falling");
  EXPECT_EQ(movers[2].stream.text(), "credential=quiet");
  EXPECT_THAT(watch.movers(std::array{Field::customer}, 3), SizeIs(0));
  EXPECT_THAT(watch.movers({}, 0), SizeIs(0));
}

TEST(Watch, ActiveStreamsAreThoseWithAnEventInTheWindow) {
  DetectorSettings settings = bounces();
  settings.watch = {"customer campaign"};
  Watch watch({detector_of(settings)}, {});
  count(watch, 0s, "delivered customer=a campaign=1");
  count(watch, 30s, "delivered customer=a campaign=2");
  const std::array either{Field::campaign, Field::customer};
  EXPECT_EQ(watch.active_streams(either), 2U);
  watch.advance_to(kTestStart + 60s);
  EXPECT_EQ(watch.active_streams(either), 1U);
  watch.advance_to(kTestStart + 24h);
  EXPECT_EQ(watch.active_streams(either), 0U);
  EXPECT_EQ(watch.stats().streams, 0U) << "what is over is dropped";
  EXPECT_EQ(watch.active_streams(std::array{Field::customer}), 0U);
}

TEST(Watch, ManyDetectorsOnOneWindow) {
  // More than fit into one series.
  std::vector<Detector> detectors;
  for (int i = 0; i < 150; ++i) {
    DetectorSettings settings = bounces();
    settings.name = fmt::format("d{}", i);
    settings.when =
        fmt::format(R"(bounced(status == "5.1.{}") + bounced(status == "x{}") >= 2)", i, i % 7);
    detectors.push_back(detector_of(settings));
  }
  Watch watch(std::move(detectors), {});
  const auto signals = count(watch, 0s, "bounced credential=a status=5.1.142", 2);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].detector, "d142");
  EXPECT_THAT(count(watch, 0s, "bounced credential=a status=x3", 2), SizeIs(21))
      << "all but the one that fires already";
  Watch other({}, {});
  EXPECT_TRUE(other.restore(watch.save()).has_value());
}

TEST(Watch, InventedKeysStayUnderTheCap) {
  constexpr int64_t kCap = 4 << 20;
  Watch watch({detector_of(bounces()), detector_of({.name = "long",
                                                    .watch = {"credential", "client_ip"},
                                                    .window = 1h,
                                                    .when = "delivered > 1000000"})},
              {.memory = kCap});
  std::vector<Signal> signals;
  uint64_t most = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string longer(static_cast<size_t>(i) / 2000 % 40, 'x');
    const std::string name = fmt::format("delivered credential=made-up-{}{}", i, longer);
    watch.on(event_at(Duration(i), name), signals);
    // One that is used all the time stays.
    if (i % 1000 == 0) {
      watch.on(event_at(Duration(i), "bounced credential=busy client_ip=192.0.2.1"), signals);
    }
    most = std::max(most, watch.stats().bytes);
  }
  EXPECT_LE(most, kCap);
  EXPECT_GT(most, kCap * 3 / 4);
  EXPECT_GT(watch.stats().evicted, 100'000U);
  EXPECT_GT(watch.stats().streams, 10'000U);
  EXPECT_THAT(signals, SizeIs(1));
  EXPECT_EQ(watch.explain(stream("credential=busy"))[0].value, 200);
}

}  // namespace
}  // namespace watchpost::detect
