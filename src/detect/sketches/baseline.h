#pragma once
#include "base/time.h"
#include "detect/memory.h"

#include <array>
#include <cstdint>

namespace watchpost {
class SavedReader;
class SavedWriter;
}  // namespace watchpost

namespace watchpost::detect {

inline constexpr int kHoursOfWeek = 168;
// 0 for the hour that begins on Monday at 00:00 UTC.
int hour_of_week(int64_t hour_since_epoch);

// How a week goes, learned from all streams of a group: the share of each hour. Young streams
// borrow it. Sums of counts, so that merging is adding.
class WeekShape {
 public:
  void learn(int64_t hour, double count);
  void merge(const WeekShape& other);
  // The mean over the week is 1.
  double factor(int hour_of_week) const;
  void save(SavedWriter& out) const;
  void restore(SavedReader& in);

 private:
  std::array<double, kHoursOfWeek> sums_{};
  double total_ = 0;
};

// What is expected: a negative binomial distribution. `mean` is NaN where nothing can be said yet.
struct Expectation {
  double mean = 0;
  double size = 0;  // variance = mean + mean^2 / size
};

// A stream's own past, hour by hour of the week (research: standards 3.3): its level (exponentially
// weighted, half-life 14 days) times the blend of its own week and the group's (its own alone after
// four weeks, where it has the events to tell), and how much the hours varied about that. Hours far
// above what was expected, and above all of the last 60 days, are cut to the 99th percentile before
// they are learned.
//   Use:  learn() once for each hour that has passed (also those without events), in order; hours
//   of
//         an incident are skipped with skip(), so that an attacker cannot teach it. Hours that are
//         left out are as skipped; older ones than the last are ignored.
//   Owns: a block of `memory`, less than 800 bytes.
//   Why the size: young streams may begin to send campaigns at any time, so theirs is tiny (0.04 at
//         a week, 1 at two, up to 22 at four weeks, 50 in the end). Where a stream lives in a few
//         hours (its largest of 60 days is 12 times its level), one as large may come at any hour.
class Baseline {
 public:
  void learn(int64_t hour, double count, const WeekShape& group, Memory& memory);
  void skip(int64_t hour);
  // Of a window that ends in the hour `hour`, `hours` long (a part of an hour counts as a part). An
  // hour early or late is as usual (windows move, clocks change): the largest of three. Needs three
  // days of hours, and in the first four weeks 12 with events, before it says anything.
  Expectation expected(int64_t hour, double hours, const WeekShape& group) const;
  int64_t learned_until() const;  // hour; the next one to learn. 0 where none was
  void clear(Memory& memory);

  void save(SavedWriter& out) const;
  void restore(SavedReader& in, Memory& memory);

 private:
  struct Block;
  struct Blend;
  Block* block_ = nullptr;
};

}  // namespace watchpost::detect
