#include "ingest/catch_up.h"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using std::chrono::seconds;
constexpr CatchUp::Ticks kBegin{seconds(1000)};

TEST(CatchUp, SaysHowFarAndHowLong) {
  CatchUp pile;
  EXPECT_EQ(pile.share(), std::nullopt);
  pile.at(1000, kBegin);
  EXPECT_EQ(pile.share(), 0.0);
  EXPECT_EQ(pile.left(), std::nullopt);
  pile.at(900, kBegin + seconds(10));
  EXPECT_DOUBLE_EQ(*pile.share(), 0.1);
  EXPECT_EQ(pile.left(), Duration(seconds(90)));
  // 600 more came: a fourth of what is known by now.
  pile.at(1500, kBegin + seconds(10));
  pile.at(1200, kBegin + seconds(40));
  EXPECT_DOUBLE_EQ(*pile.share(), 0.25);
  EXPECT_EQ(pile.left(), Duration(seconds(120)));
}

TEST(CatchUp, BeginsAnewWhereNothingWasLeft) {
  CatchUp pile;
  pile.at(1000, kBegin);
  pile.at(0, kBegin + seconds(10));
  EXPECT_EQ(pile.share(), std::nullopt);
  EXPECT_EQ(pile.left(), std::nullopt);
  pile.at(50, kBegin + seconds(500));
  EXPECT_EQ(pile.share(), 0.0);
  pile.at(25, kBegin + seconds(510));
  EXPECT_EQ(pile.left(), Duration(seconds(10)));
}

TEST(CatchUp, ARestHasNoPace) {
  CatchUp pile;
  pile.at(1000, kBegin);
  pile.at(10, kBegin + seconds(10));
  EXPECT_NE(pile.left(), std::nullopt);
  pile.at(10, kBegin + seconds(30));
  EXPECT_EQ(pile.left(), std::nullopt);
  EXPECT_DOUBLE_EQ(*pile.share(), 0.99);
}

TEST(CatchUp, SaysNothingTooEarlyAndNothingEndless) {
  CatchUp pile;
  pile.at(UINT64_MAX, kBegin);
  pile.at(UINT64_MAX - 1, kBegin + seconds(1));
  EXPECT_EQ(pile.left(), std::nullopt);
  pile.at(UINT64_MAX - 2, kBegin + seconds(100));
  EXPECT_EQ(pile.left(), Duration(std::chrono::days(365)));
}

}  // namespace
}  // namespace watchpost::ingest
