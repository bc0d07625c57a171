#include "detect/saved_state.h"

#include "base/hash.h"
#include "detect/test_events.h"
#include "detect/watch.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

DetectorSettings settings(std::string name, std::string when) {
  return {.name = std::move(name),
          .watch = {"credential", "customer"},
          .window = 60s,
          .when = std::move(when)};
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

TEST(SavedState, SavingAgainGivesTheSameBytes) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x customer=y", 4);
  watch.rearm("a", *parse_stream("customer=y"));
  count(watch, 30s, "delivered credential=x", 70'000);
  const std::string saved = watch.save();
  Watch other = with({settings("a", "bounced >= 3")});
  ASSERT_TRUE(other.restore(saved).has_value());
  EXPECT_EQ(other.save(), saved);
  EXPECT_EQ(other.stats().streams, 2U);
}

TEST(SavedState, ADetectorThatStaysKeepsItsCountersAndFires) {
  Watch watch = with({settings("a", "bounced >= 3"), settings("b", "delivered >= 3")});
  count(watch, 0s, "bounced credential=x", 3);
  count(watch, 0s, "delivered credential=x", 2);
  Watch other = with({settings("c", "rejected > 1"), settings("a", "bounced >= 3"),
                      settings("b", "delivered >= 3")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_TRUE(count(other, 1s, "bounced credential=x").empty()) << "it fires already";
  const auto signals = count(other, 1s, "delivered credential=x");
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].detector, "b");
}

TEST(SavedState, AChangedDetectorIsArmedAgain) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x", 3);
  Watch other = with({settings("a", "bounced >= 2")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(count(other, 1s, "bounced credential=x").size(), 1U);
}

TEST(SavedState, ANewCountIsNotHeldAgainstOldOnes) {
  Watch watch = with({settings("a", "bounced >= 300")});
  count(watch, 0s, "bounced credential=x class=mailbox_full", 50);
  // Its lower side has not been counted before: 50 / 1 would be a false alarm.
  const auto ratio = settings("r", "bounced / attempted(class == mailbox_full) > 140%");
  Watch other = with({settings("a", "bounced >= 300"), ratio});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_TRUE(count(other, 1s, "bounced credential=x class=mailbox_full").empty());
  EXPECT_TRUE(count(other, 2s, "bounced credential=x class=mailbox_full").empty());
  const auto signals = count(other, 3s, "bounced credential=x class=unknown_user");
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_DOUBLE_EQ(signals[0].value, 1.5) << "3 / 2, from the first whole slot on";
  EXPECT_EQ(signals[0].since, kTestStart + 1s);
  EXPECT_EQ(other.explain(*parse_stream("credential=x"))[0].value, 53) << "nothing is lost";
  // It stays so through another save, until the window is whole.
  Watch third = with({settings("a", "bounced >= 300"), ratio});
  ASSERT_TRUE(third.restore(other.save()).has_value());
  EXPECT_EQ(third.explain(*parse_stream("credential=x"))[1].value, 1.5);
}

TEST(SavedState, OtherDimensionsAndWindowsStartEmpty) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x client_ip=192.0.2.1", 3);
  DetectorSettings other_window = settings("a", "bounced >= 3");
  other_window.window = 120s;
  other_window.watch = {"credential", "client_ip"};
  Watch other = with({other_window});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(other.explain(*parse_stream("credential=x"))[0].value, 0);
  EXPECT_EQ(count(other, 1s, "bounced credential=x", 3).size(), 1U);
}

TEST(SavedState, NothingComesFromNothing) {
  Watch watch = with({settings("a", "bounced >= 3")});
  Watch other = with({settings("a", "bounced >= 3")});
  ASSERT_TRUE(other.restore(watch.save()).has_value());
  EXPECT_EQ(count(other, -24h * 9000, "bounced credential=x", 3).size(), 1U);
}

TEST(SavedState, AnyDamageIsRefusedAndLeavesItEmpty) {
  Watch watch = with({settings("a", "bounced >= 3")});
  count(watch, 0s, "bounced credential=x customer=y", 5);
  const std::string saved = watch.save();
  for (size_t at = 0; at < saved.size(); ++at) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    EXPECT_FALSE(watch.restore(damaged).has_value()) << "byte " << at;
    EXPECT_FALSE(watch.restore(saved.substr(0, at)).has_value()) << "cut at " << at;
  }
  EXPECT_EQ(watch.stats().streams, 0U);
  EXPECT_EQ(count(watch, -24h * 900, "bounced credential=x", 3).size(), 1U) << "time is anew too";
}

// Damage under a right checksum: whatever is accepted must be usable.
TEST(SavedState, ForgedBytesAreRefusedOrHarmless) {
  Watch watch =
      with({settings("a", "bounced >= 3"), settings("b", "bounced(status == \"5\") > 1")});
  count(watch, 0s, "bounced credential=x customer=y status=5", 5);
  watch.rearm("a", *parse_stream("customer=y"));
  count(watch, 50s, "bounced credential=x customer=y", 2);
  const std::string saved = watch.save();
  const std::string body = saved.substr(0, saved.size() - sizeof(uint64_t));
  std::mt19937 random(3);
  size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string forged = body;
    for (size_t n = 1 + random() % 3; n > 0; --n) {
      const size_t at = kSavedMark.size() + 1 + random() % (body.size() - kSavedMark.size() - 1);
      forged[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    }
    const uint64_t hash = hash64(forged);
    forged.append(reinterpret_cast<const char*>(&hash), sizeof hash);
    if (!watch.restore(forged).has_value()) ++refused;
    count(watch, 60s, "bounced credential=x customer=y status=5", 3);
    watch.rearm("b", *parse_stream("credential=x"));
    watch.advance_to(kTestStart + 100s);
    watch.movers({}, 10);
    watch.explain(*parse_stream("credential=x customer=y"));
    EXPECT_FALSE(watch.save().empty());
  }
  EXPECT_GT(refused, 500U);
}

}  // namespace
}  // namespace watchpost::detect
