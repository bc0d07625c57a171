#include "detect/sketches/baseline.h"

#include "base/saved_bytes.h"
#include "expr/tail.h"

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

constexpr int64_t kMonday = 4 * 24 + 168 * 2'900;  // hours
constexpr int64_t kWeek = kHoursOfWeek;
constexpr double kErrorRate = 1e-9;
using Random = std::mt19937_64;

double by_chance(Random& random, double mean) {
  if (mean <= 0) return 0;
  return static_cast<double>(std::poisson_distribution<int64_t>(mean)(random));
}
double one_of(Random& random) { return std::uniform_real_distribution<>()(random); }
double normal(Random& random) { return std::normal_distribution<>()(random); }
// Between `least` and `most`, alike in all orders of magnitude.
double some_size(Random& random, double least, double most) {
  return least * std::pow(most / least, one_of(random));
}
bool office_is_open(int64_t hour) {
  const int of_week = hour_of_week(hour);
  return of_week / 24 < 5 && of_week % 24 >= 8 && of_week % 24 < 18;
}

// One that gives its block back.
struct Past {
  explicit Past(Memory& memory) : memory_(memory) {}
  Past(const Past&) = delete;
  Past& operator=(const Past&) = delete;
  ~Past() { baseline.clear(memory_); }

  void learn(int64_t hour, double count, const WeekShape& group = {}) {
    baseline.learn(hour, count, group, memory_);
  }
  std::string saved() const {
    SavedWriter out;
    baseline.save(out);
    return out.bytes();
  }

  Baseline baseline;

 private:
  Memory& memory_;
};

// How many come in an hour.
using Stream = std::function<double(int64_t hour, Random&)>;

Stream constant(Random& random) {
  const double mean = some_size(random, 1, 3'000);
  return [=](int64_t, Random& chance) { return by_chance(chance, mean); };
}
Stream office_hours(Random& random) {
  const double mean = some_size(random, 3, 3'000);
  return [=](int64_t hour, Random& chance) {
    return by_chance(chance, mean * (office_is_open(hour) ? 1 : 0.02));
  };
}
// With a clock that is changed each four weeks.
Stream office_hours_with_clocks(Random& random) {
  const double mean = some_size(random, 3, 3'000);
  return [=](int64_t hour, Random& chance) {
    return by_chance(chance, mean * (office_is_open(hour + hour / kWeek / 4 % 2) ? 1 : 0.02));
  };
}
// One an hour of the week, nothing else.
Stream weekly_newsletter(Random& random) {
  const double size = some_size(random, 100, 100'000);
  const auto when = static_cast<int>(one_of(random) * kHoursOfWeek);
  return [=](int64_t hour, Random& chance) {
    if (hour_of_week(hour) != when) return 0.0;
    return by_chance(chance, size * std::exp(0.2 * normal(chance)));
  };
}
// About once a week, some hours or a day early or late.
Stream moving_newsletter(Random& random) {
  const double size = some_size(random, 100, 100'000);
  auto next = static_cast<int64_t>(one_of(random) * kHoursOfWeek);
  return [=](int64_t hour, Random& chance) mutable {
    if (next < kHoursOfWeek) next += hour;  // the first call
    if (hour < next) return 0.0;
    next = hour + kWeek + std::lround(20 * normal(chance));
    return by_chance(chance, size * std::exp(0.2 * normal(chance)));
  };
}
Stream heavy_tailed(Random& random) {
  const double mean = some_size(random, 1, 1'000);
  return
      [=](int64_t, Random& chance) { return by_chance(chance, mean * std::exp(normal(chance))); };
}
// A mailbox: a few mails a day, now and then one to a club of thirty.
Stream mailbox(Random& random) {
  const double mean = some_size(random, 0.02, 0.5);
  return [=](int64_t, Random& chance) {
    return by_chance(chance, mean) + (one_of(chance) < 1.0 / 720 ? 30 : 0);
  };
}
Stream growing(Random& random) {
  const double mean = some_size(random, 1, 300);
  return [=](int64_t hour, Random& chance) {
    return by_chance(chance, mean * std::pow(1.1, static_cast<double>(hour - kMonday) / kWeek));
  };
}

struct Seen {
  int64_t alarms = 0;
  int64_t jumps = 0;  // to ten times, after four weeks
  int64_t jumps_above_usual = 0;
  int64_t jumps_above_three_times = 0;

  double share_above_usual() const {
    return static_cast<double>(jumps_above_usual) / static_cast<double>(jumps);
  }
  double share_above_three_times() const {
    return static_cast<double>(jumps_above_three_times) / static_cast<double>(jumps);
  }
};

Seen simulate(Stream (*kind)(Random&), int streams, int weeks) {
  Seen seen;
  Random random(7);
  const WeekShape group;
  Memory memory;
  for (int i = 0; i < streams; ++i) {
    const Stream stream = kind(random);
    Past past(memory);
    const auto start = kMonday + static_cast<int64_t>(random() % kHoursOfWeek);
    for (int64_t hour = start; hour < start + weeks * kWeek; ++hour) {
      const double count = stream(hour, random);
      const Expectation usual = past.baseline.expected(hour, 1, group);
      const auto above = [&](double k, double times) {
        return expr::negative_binomial_exceeds(k, times * usual.mean, usual.size, kErrorRate);
      };
      seen.alarms += above(count, 3);
      if (hour >= start + 4 * kWeek && count >= 20) {
        ++seen.jumps;
        seen.jumps_above_usual += above(10 * count, 1);
        seen.jumps_above_three_times += above(10 * count, 3);
      }
      past.learn(hour, count, group);
    }
  }
  return seen;
}

TEST(HourOfWeek, BeginsOnMonday) {
  EXPECT_EQ(hour_of_week(0), 3 * 24) << "1970-01-01 was a Thursday";
  EXPECT_EQ(hour_of_week(4 * 24), 0);
  EXPECT_EQ(hour_of_week(4 * 24 - 1), 167);
  EXPECT_EQ(hour_of_week(-3 * 24), 0);
  EXPECT_EQ(hour_of_week(-3 * 24 - 1), 167);
  EXPECT_EQ(hour_of_week(kMonday), 0);
}

TEST(WeekShape, LearnsTheShareOfEachHour) {
  WeekShape shape;
  EXPECT_EQ(shape.factor(5), 1);
  WeekShape other;
  for (int64_t hour = kMonday; hour < kMonday + 4 * kWeek; ++hour) {
    (hour % 2 == 0 ? shape : other).learn(hour, office_is_open(hour) ? 10'000 : 1'000);
  }
  shape.merge(other);
  double sum = 0;
  for (int hour = 0; hour < kHoursOfWeek; ++hour) sum += shape.factor(hour);
  EXPECT_NEAR(sum, kHoursOfWeek, 1e-9);
  EXPECT_NEAR(shape.factor(12) / shape.factor(2), 10, 0.1);

  SavedWriter out;
  shape.save(out);
  WeekShape restored;
  SavedReader in(out.bytes());
  restored.restore(in);
  EXPECT_TRUE(in.at_end() && !in.bad());
  EXPECT_EQ(restored.factor(12), shape.factor(12));
  SavedReader cut(std::string_view(out.bytes()).substr(0, 100));
  restored.restore(cut);
  EXPECT_TRUE(cut.bad());
  EXPECT_EQ(restored.factor(12), 1);
}

TEST(Baseline, SaysNothingBeforeThreeDays) {
  Memory memory;
  Past past(memory);
  EXPECT_EQ(past.baseline.learned_until(), 0);
  EXPECT_TRUE(std::isnan(past.baseline.expected(kMonday, 1, {}).mean));
  for (int64_t hour = kMonday; hour < kMonday + 72; ++hour) {
    EXPECT_TRUE(std::isnan(past.baseline.expected(hour, 1, {}).mean));
    past.learn(hour, 100);
  }
  EXPECT_EQ(past.baseline.learned_until(), kMonday + 72);
  const Expectation usual = past.baseline.expected(kMonday + 72, 1, {});
  EXPECT_NEAR(usual.mean, 100, 1e-3);
  EXPECT_LT(usual.size, 0.01) << "young: all may come yet";
  EXPECT_NEAR(past.baseline.expected(kMonday + 72, 24, {}).mean, 2'400, 0.1);
  EXPECT_NEAR(past.baseline.expected(kMonday + 72, 1.0 / 12, {}).mean, 100.0 / 12, 0.01);
  EXPECT_LE(memory.bytes(), 800U);
}

TEST(Baseline, SaysNothingOfYoungOnesWithFewEvents) {
  Memory memory;
  Past past(memory);
  for (int64_t hour = kMonday; hour < kMonday + 4 * kWeek; ++hour) {
    ASSERT_TRUE(std::isnan(past.baseline.expected(hour, 1, {}).mean));
    past.learn(hour, hour == kMonday ? 1 : 0);
  }
  EXPECT_GT(past.baseline.expected(kMonday + 4 * kWeek, 1, {}).mean, 0);
}

TEST(Baseline, LearnsTheWeekOfAStream) {
  Memory memory;
  Past past(memory);
  for (int64_t hour = kMonday; hour < kMonday + 6 * kWeek; ++hour) {
    past.learn(hour, office_is_open(hour) ? 1'000 : 20);
  }
  const int64_t monday = kMonday + 6 * kWeek;
  EXPECT_NEAR(past.baseline.expected(monday + 12, 1, {}).mean, 1'000, 60);
  EXPECT_NEAR(past.baseline.expected(monday + 3, 1, {}).mean, 20, 15);
  EXPECT_NEAR(past.baseline.expected(monday + 5 * 24 + 12, 1, {}).mean, 20, 15);
  EXPECT_GT(past.baseline.expected(monday + 7, 1, {}).mean, 900) << "an hour early";
  EXPECT_GT(past.baseline.expected(monday + 18, 1, {}).mean, 900) << "an hour late";
}

TEST(Baseline, YoungOnesBorrowTheWeekOfTheirGroup) {
  WeekShape group;
  for (int64_t hour = kMonday; hour < kMonday + kWeek; ++hour) {
    group.learn(hour, office_is_open(hour) ? 100'000 : 2'000);
  }
  Memory memory;
  Past past(memory);
  const int64_t friday = kMonday + 4 * 24;
  for (int64_t hour = friday; hour < friday + 72; ++hour) {  // only one working day of three
    past.learn(hour, office_is_open(hour) ? 500 : 10, group);
  }
  EXPECT_NEAR(past.baseline.expected(friday + 72 + 12, 1, group).mean, 500, 10);
}

TEST(Baseline, OneOutlierTeachesLittleAndIsUsualWhenItComesAgain) {
  Memory memory;
  Past past(memory);
  Random random(1);
  int64_t hour = kMonday;
  for (; hour < kMonday + 6 * kWeek; ++hour) past.learn(hour, by_chance(random, 100));
  past.learn(hour++, 1'000'000);
  EXPECT_LT(past.baseline.expected(hour + kWeek - 1, 1, {}).mean, 200);
  for (int week = 0; week < 4; ++week) {
    for (int i = 0; i < 167; ++i) past.learn(hour++, by_chance(random, 100));
    const Expectation usual = past.baseline.expected(hour, 1, {});
    EXPECT_FALSE(expr::negative_binomial_exceeds(1e6, 3 * usual.mean, usual.size, kErrorRate));
    past.learn(hour++, 1'000'000);
  }
  EXPECT_GT(past.baseline.expected(hour + kWeek - 1, 1, {}).mean, 300'000);
}

TEST(Baseline, SkippedHoursTeachNothing) {
  Memory memory;
  Past past(memory);
  int64_t hour = kMonday;
  for (; hour < kMonday + 200; ++hour) past.learn(hour, 100);
  const double mean = past.baseline.expected(hour, 1, {}).mean;
  for (int i = 0; i < 48; ++i) past.baseline.skip(hour++);
  EXPECT_EQ(past.baseline.learned_until(), hour);
  EXPECT_NEAR(past.baseline.expected(hour, 1, {}).mean, mean, 0.01);
  past.learn(hour - 20, 1e6);
  EXPECT_NEAR(past.baseline.expected(hour, 1, {}).mean, mean, 0.01) << "older than the last";
  Past none(memory);
  none.baseline.skip(hour);
  EXPECT_EQ(none.baseline.learned_until(), 0);
}

// 10,080 weeks of streams in which nothing is wrong.
TEST(Baseline, HealthyStreamsRaiseNoAlarm) {
  EXPECT_EQ(simulate(constant, 120, 12).alarms, 0);
  EXPECT_EQ(simulate(office_hours, 120, 12).alarms, 0);
  EXPECT_EQ(simulate(office_hours_with_clocks, 100, 12).alarms, 0);
  EXPECT_EQ(simulate(weekly_newsletter, 100, 12).alarms, 0);
  EXPECT_EQ(simulate(moving_newsletter, 100, 12).alarms, 0);
  EXPECT_EQ(simulate(heavy_tailed, 100, 12).alarms, 0);
  EXPECT_EQ(simulate(mailbox, 100, 12).alarms, 0);
  EXPECT_EQ(simulate(growing, 100, 12).alarms, 0);
}

TEST(Baseline, TenTimesAsManyAreSeenWithinTheHour) {
  const Seen steady = simulate(constant, 60, 12);
  EXPECT_GT(steady.jumps, 20'000);
  EXPECT_EQ(steady.share_above_usual(), 1);
  EXPECT_GT(steady.share_above_three_times(), 0.9);
  const Seen office = simulate(office_hours, 60, 12);
  EXPECT_GT(office.jumps, 8'000);
  EXPECT_GT(office.share_above_usual(), 0.95);
  EXPECT_GT(office.share_above_three_times(), 0.65);
}

TEST(Baseline, SavedAndRestored) {
  Memory memory;
  Past before(memory), after(memory);
  Random random(2);
  int64_t hour = kMonday;
  for (; hour < kMonday + 500; ++hour) before.learn(hour, by_chance(random, 30));
  const std::string bytes = before.saved();
  SavedReader in(bytes);
  after.baseline.restore(in, memory);
  EXPECT_TRUE(in.at_end() && !in.bad());
  EXPECT_EQ(after.saved(), bytes);
  for (int i = 0; i < 500; ++i, ++hour) {
    const double count = by_chance(random, 30);
    before.learn(hour, count);
    after.learn(hour, count);
    ASSERT_NEAR(after.baseline.expected(hour, 1, {}).mean,
                before.baseline.expected(hour, 1, {}).mean, 1e-3);
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    SavedReader cut(std::string_view(bytes).substr(0, size));
    Past none(memory);
    none.baseline.restore(cut, memory);
    ASSERT_TRUE(cut.bad());
    ASSERT_EQ(none.baseline.learned_until(), 0);
  }
}

// Whatever is restored or learned, an expectation is two numbers above zero, or not known.
TEST(Baseline, HostileBytesAndCountsDoNoHarm) {
  Memory memory;
  Random random(3);
  Past good(memory);
  for (int64_t hour = kMonday; hour < kMonday + 800; ++hour) good.learn(hour, by_chance(random, 9));
  const double infinity = std::numeric_limits<double>::infinity();
  const double counts[] = {0, 1e300, infinity, -1, -infinity, std::nan(""), 7};
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes = good.saved();
    for (size_t i = 0; i < 1 + random() % 5; ++i) {
      bytes[random() % (i % 2 == 0 ? 60 : bytes.size())] = static_cast<char>(random());
    }
    SavedReader in(bytes);
    Past used(memory);
    used.baseline.restore(in, memory);
    for (int64_t i = 0; i < 10; ++i) used.learn(kMonday + 800 + i, counts[random() % 7]);
    for (const double hours : {0.01, 1.0, 30.0, 1e9, 0.0, -3.0, std::nan("")}) {
      const Expectation usual = used.baseline.expected(kMonday + 810, hours, {});
      ASSERT_TRUE(std::isnan(usual.mean) || (usual.mean > 0 && std::isfinite(usual.mean)));
      ASSERT_TRUE(std::isnan(usual.mean) || (usual.size > 0 && std::isfinite(usual.size)));
    }
  }
}

}  // namespace
}  // namespace watchpost::detect
