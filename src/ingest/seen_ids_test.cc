#include "ingest/seen_ids.h"

#include <random>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

EventId id(uint64_t number) { return hash128(std::to_string(number)); }
constexpr Time kStart{std::chrono::hours(400'000)};

TEST(SeenIds, KnowsWhatItHasSeen) {
  SeenIds seen;
  for (uint64_t i = 0; i < 100'000; ++i) ASSERT_TRUE(seen.add(id(i), kStart));
  for (uint64_t i = 0; i < 100'000; ++i) ASSERT_FALSE(seen.add(id(i), kStart + 1h));
  EXPECT_EQ(seen.size(), 100'000U);
}

TEST(SeenIds, ForgetsAfterTwiceItsSpanAndNotWithinIt) {
  SeenIds seen(24h);
  EXPECT_TRUE(seen.add(id(1), kStart));
  EXPECT_TRUE(seen.add(id(2), kStart + 23h));
  EXPECT_TRUE(seen.add(id(3), kStart + 25h));
  EXPECT_FALSE(seen.add(id(2), kStart + 46h));  // 23 h later
  EXPECT_TRUE(seen.add(id(4), kStart + 50h));
  EXPECT_TRUE(seen.add(id(5), kStart + 80h));
  EXPECT_TRUE(seen.add(id(1), kStart + 81h));
  EXPECT_EQ(seen.forgotten_early(), 0U);
}

TEST(SeenIds, StaysWithinItsBoundAndCountsWhatThatCosts) {
  SeenIds seen(24h, 20'000);
  for (uint64_t i = 0; i < 200'000; ++i) ASSERT_TRUE(seen.add(id(i), kStart));
  EXPECT_LE(seen.size(), 20'000U);
  EXPECT_LE(seen.bytes(), size_t{1024} * 1024);
  EXPECT_GE(seen.forgotten_early(), 170'000U);
  EXPECT_FALSE(seen.add(id(199'999), kStart));
}

}  // namespace
}  // namespace watchpost::ingest
