// While a receiver is at fault, failures there are held against nobody who writes to it.
#include "detect/test_events.h"
#include "detect/watch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

DetectorSettings outage(std::vector<std::string> watch = {"provider"}) {
  return {.name = "outage",
          .watch = std::move(watch),
          .window = 10min,
          .when = "(deferred + bounced) / attempted > 50%",
          .guard = "attempted >= 10",
          .mode = "notify",
          .suggests = "receiver_fault"};
}
DetectorSettings failures(std::vector<std::string> watch = {"customer"}) {
  return {.name = "failures",
          .watch = std::move(watch),
          .window = 10min,
          .when = "deferred + bounced >= 5",
          .mode = "enforce",
          .then = {"suspend 1h"}};
}

std::vector<Signal> count(Watch& watch, Duration at, std::string_view text, int times = 1) {
  std::vector<Signal> signals;
  for (int i = 0; i < times; ++i) watch.on(event_at(at, text), signals);
  return signals;
}

Watch with(const std::vector<DetectorSettings>& all) {
  std::vector<Detector> detectors;
  for (const DetectorSettings& one : all) detectors.push_back(detector_of(one));
  return Watch(std::move(detectors), {});
}

// Ten customers each fail once there: it fires.
void begin(Watch& watch, std::string_view more = "") {
  size_t fired = 0;
  for (int i = 0; i < 10; ++i) {
    const auto text = fmt::format("deferred provider=gmail customer=other{} {}", i, more);
    fired += count(watch, 0s, text).size();
  }
  ASSERT_EQ(fired, 1U);
}

TEST(ReceiverFault, FailuresThereCountForNoStreamWithoutProvider) {
  Watch watch = with({failures(), outage()});
  begin(watch);
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a", 50), IsEmpty());
  EXPECT_THAT(count(watch, 1s, "bounced provider=gmail customer=a", 50), IsEmpty());
  EXPECT_EQ(watch.explain(*parse_stream("customer=a"))[0].value, 0);
  EXPECT_THAT(count(watch, 1s, "bounced provider=yahoo customer=a", 5), SizeIs(1)) << "elsewhere";
}

TEST(ReceiverFault, OtherEventsThereCount) {
  DetectorSettings mail = failures();
  mail.when = "delivered + complained >= 5";
  Watch watch = with({mail, outage()});
  begin(watch);
  count(watch, 1s, "complained provider=gmail customer=a", 3);
  EXPECT_THAT(count(watch, 1s, "delivered provider=gmail customer=a", 2), SizeIs(1));
}

TEST(ReceiverFault, StreamsOfTheReceiverStillCount) {
  Watch watch = with({failures({"customer provider"}), outage()});
  begin(watch);
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a", 5), SizeIs(1));
}

TEST(ReceiverFault, EndsWhenItNoLongerFires) {
  Watch watch = with({failures(), outage()});
  begin(watch);
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a", 50), IsEmpty());
  count(watch, 2s, "delivered provider=gmail customer=b", 200);
  EXPECT_THAT(count(watch, 3s, "deferred provider=gmail customer=a", 5), SizeIs(1));
  // With time alone as well.
  Watch other = with({failures(), outage()});
  begin(other);
  EXPECT_THAT(count(other, 1h, "deferred provider=gmail customer=a", 5), SizeIs(1));
}

TEST(ReceiverFault, ItsOtherDimensionsMustMatch) {
  Watch watch = with({failures(), outage({"provider source_ip"})});
  begin(watch, "source_ip=192.0.2.1");
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a source_ip=192.0.2.1", 50),
              IsEmpty());
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a source_ip=192.0.2.2", 5),
              SizeIs(1));
}

TEST(ReceiverFault, ARuleInTheShadowHasNoEffectOnOthers) {
  DetectorSettings shadow = outage();
  shadow.mode = "shadow";
  Watch watch = with({failures(), shadow});
  begin(watch);
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a", 5), SizeIs(1));
  DetectorSettings both = failures();
  both.mode = "shadow";
  Watch trial = with({both, shadow});
  begin(trial);
  EXPECT_THAT(count(trial, 1s, "deferred provider=gmail customer=a", 5), IsEmpty());
}

TEST(ReceiverFault, SuggestingItWithoutAProviderExcusesNobody) {
  Watch watch = with({failures(), outage({"source_ip"})});
  begin(watch, "source_ip=192.0.2.1");
  EXPECT_THAT(count(watch, 1s, "deferred provider=gmail customer=a source_ip=192.0.2.1", 5),
              SizeIs(1));
}

TEST(ReceiverFault, ASignalSaysWhatItSuggests) {
  Watch watch = with({outage()});
  const auto signals = count(watch, 0s, "deferred provider=gmail", 10);
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].suggests, Verdict::receiver_fault);
  EXPECT_FALSE(signals[0].escalate);
}

TEST(ReceiverFault, SurvivesARestart) {
  Watch watch = with({failures(), outage()});
  begin(watch);
  Watch other = with({failures(), outage()});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_THAT(count(other, 1s, "deferred provider=gmail customer=a", 50), IsEmpty());
}

}  // namespace
}  // namespace watchpost::detect
