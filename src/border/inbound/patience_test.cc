#include "border/inbound/patience.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Time kBegin = *parse_time("2026-11-24T12:00:00Z");
constexpr Duration kPatience = minutes(30);

TEST(Patience, EndsForEachClientAndSender) {
  Patience patience;
  EXPECT_TRUE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin));
  EXPECT_TRUE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin + minutes(29)));
  EXPECT_TRUE(patience.waits("192.0.2.1", "b@x", kPatience, kBegin + minutes(29)));
  EXPECT_FALSE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin + minutes(30)));
  EXPECT_TRUE(patience.waits("192.0.2.2", "a@x", kPatience, kBegin + minutes(30)));
  EXPECT_TRUE(patience.waits("192.0.2.1", "b@x", kPatience, kBegin + minutes(40)));
}

TEST(Patience, BeginsAnewLongAfterwards) {
  Patience patience;
  patience.waits("192.0.2.1", "a@x", kPatience, kBegin);
  EXPECT_FALSE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin + hours(5)));
  EXPECT_TRUE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin + hours(7)));
}

TEST(Patience, WithoutAnyNobodyWaits) {
  Patience patience;
  EXPECT_FALSE(patience.waits("192.0.2.1", "a@x", Duration{0}, kBegin));
}

TEST(Patience, AClockSetBackWaitsNoLongerThanOnceMore) {
  Patience patience;
  patience.waits("192.0.2.1", "a@x", kPatience, kBegin + hours(100));
  EXPECT_TRUE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin));
  EXPECT_FALSE(patience.waits("192.0.2.1", "a@x", kPatience, kBegin + minutes(31)));
}

TEST(Patience, IsBounded) {
  Patience patience;
  for (size_t i = 0; i < 3 * Patience::kMost; ++i) {
    patience.waits("192.0.2.1", std::to_string(i), kPatience, kBegin);
  }
  EXPECT_EQ(patience.size(), Patience::kMost);
}

}  // namespace
}  // namespace watchpost::border
