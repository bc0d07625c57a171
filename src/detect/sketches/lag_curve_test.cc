#include "detect/sketches/lag_curve.h"

#include "base/saved_bytes.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

TEST(LagCurve, BeginsWithWhatIsUsualForComplaints) {
  const LagCurve curve;
  EXPECT_EQ(curve.arrived(0s), 0.05);
  EXPECT_EQ(curve.arrived(-5h), 0.05);
  EXPECT_NEAR(curve.arrived(6h), 0.5, 0.02);
  EXPECT_NEAR(curve.arrived(24h), 0.82, 0.02);
  EXPECT_NEAR(curve.arrived(24h * 3), 0.95, 0.01);
  EXPECT_EQ(curve.arrived(24h * 14), 1);
  EXPECT_EQ(curve.arrived(Duration::max()), 1);
}

void expect_never_falling(const LagCurve& curve) {
  double before = 0;
  for (Duration age = 1s; age < 24h * 20; age += age / 7 + 1s) {
    const double now = curve.arrived(age);
    ASSERT_GE(now, before);
    ASSERT_GE(now, 0.05);
    ASSERT_LE(now, 1.0);
    before = now;
  }
}

TEST(LagCurve, LearnsWhatItSaw) {
  std::mt19937 random(1);
  std::exponential_distribution<double> minutes(1.0 / 600);
  LagCurve curve;
  for (int i = 0; i < 5'000; ++i) curve.saw(Duration(static_cast<int64_t>(minutes(random) * 6e7)));
  expect_never_falling(curve);
  for (const int hours : {1, 3, 10, 30}) {
    EXPECT_NEAR(curve.arrived(std::chrono::hours(hours)), 1 - std::exp(-hours / 10.0), 0.03);
  }
}

TEST(LagCurve, AReceiverThatChangedIsLearnedAnew) {
  LagCurve curve;
  for (int i = 0; i < 100'000; ++i) curve.saw(5min);
  EXPECT_GT(curve.arrived(10min), 0.95);
  for (int i = 0; i < 100'000; ++i) curve.saw(24h * 5);
  EXPECT_LT(curve.arrived(10min), 0.15);
  expect_never_falling(curve);
}

TEST(LagCurve, OfTheSameInAnySplitAndOrder) {
  std::mt19937 random(2);
  LagCurve whole;
  LagCurve parts[3];
  for (int i = 0; i < 3'000; ++i) {
    const Duration lag = std::chrono::seconds(random() % 2'000'000);
    whole.saw(lag);
    parts[random() % 3].saw(lag);
  }
  LagCurve merged;
  for (const int i : {2, 0, 1}) merged.merge(parts[i]);
  SavedWriter one, other;
  whole.save(one);
  merged.save(other);
  EXPECT_EQ(one.bytes(), other.bytes());
}

TEST(LagCurve, SavedAndRestored) {
  LagCurve curve;
  for (int i = 0; i < 100; ++i) curve.saw(std::chrono::minutes(i * i));
  SavedWriter out;
  curve.save(out);
  LagCurve restored;
  SavedReader in(out.bytes());
  restored.restore(in);
  EXPECT_FALSE(in.bad());
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(restored.arrived(7h), curve.arrived(7h));
}

TEST(LagCurve, HostileBytesSpoilTheReader) {
  for (const double bad : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity()}) {
    SavedWriter out;
    for (int i = 0; i < 40; ++i) out.number(i == 17 ? bad : 1.0);
    LagCurve curve;
    SavedReader in(out.bytes());
    curve.restore(in);
    EXPECT_TRUE(in.bad());
    EXPECT_EQ(curve.arrived(6h), LagCurve().arrived(6h));
  }
  LagCurve curve;
  SavedReader in("short");
  curve.restore(in);
  EXPECT_TRUE(in.bad());
}

}  // namespace
}  // namespace watchpost::detect
