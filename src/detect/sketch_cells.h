#pragma once
#include "detect/sketch_plan.h"
#include "detect/sketches/alphabet.h"
#include "detect/sketches/baseline.h"
#include "detect/sketches/distinct_values.h"
#include "detect/sketches/known_values.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>

namespace watchpost::detect {

// The week of all streams of a group, in whole weeks: of a part of one, the days that it has would
// look busier than the others, and all streams too busy on them.
class GroupWeek {
 public:
  void pass_to(int64_t now_hour);
  void learn(int64_t hour, double count) { begun_.learn(hour, count); }
  const WeekShape& shape() const { return whole_; }

  void save(SavedWriter& out) const;
  void restore(SavedReader& in);

 private:
  WeekShape whole_;
  WeekShape begun_;
  int64_t began_ = 0;  // hour; 0: nothing came yet
};

// A stream's past and the two hours that are not over for it yet: while the newest hour is counted,
// events of the one before may still come late.
struct HourlyPast {
  Baseline past;
  int64_t hour = 0;                // the newer of the two; 0: nothing counted yet
  std::array<double, 2> counts{};  // of that one, of the one before
  std::array<bool, 2> skipped{};   // hours of an incident: not learned from
  // The incident, from its first hour to its latest; of what goes on for longer than three days the
  // rest is learned, or a change for good would be an incident for ever.
  int64_t incident_from = 1;
  int64_t incident_to = 0;
  // Hours in which mail was kept back: they say nothing of what is usual.
  int64_t kept_back_from = 1;
  int64_t kept_back_to = 0;

  // Learns what is over by `now_hour`, and begins it.
  void pass_to(int64_t now_hour, GroupWeek& group, Memory& memory);
  // The present hour, and the one before, belong to an incident.
  void skip_incident();
  // Mail was kept back in these hours. Hours between two measures of one day are not learned.
  void skip_kept_back(int64_t from, int64_t to);
  // The hour to pass to first, so that what came before another measure is learned as it was.
  int64_t begun_by(int64_t from, int64_t now_hour) const;

 private:
  bool measure_goes_on(int64_t from) const;
};

inline constexpr int64_t kNoHour = std::numeric_limits<int64_t>::min();

// Whoever asks first works it out.
struct KeptExpectation {
  mutable int64_t hour = kNoHour;  // that it is of
  mutable Expectation value;
};

// More than any error rate asks for: evidence beyond it would only take longer to be used up.
inline constexpr float kMostEvidence = 32;

struct ClimbEvidence {
  float nats = 0;
  uint32_t unused = 0;  // cells are a multiple of eight bytes
};

// Bytes of the cell of a kind, a multiple of eight.
size_t cell_size(SketchKind kind);

// The cells of one stream in one block, zeros at first; each is put into place by its first use.
//   Owns: nothing; whoever holds the block calls clear_cell() for each sketch before it is freed.
template <class Cell>
Cell& cell_at(std::byte* block, const Sketch& sketch) {
  return *std::launder(reinterpret_cast<Cell*>(block + sketch.offset));
}
template <class Cell>
const Cell& cell_at(const std::byte* block, const Sketch& sketch) {
  return *std::launder(reinterpret_cast<const Cell*>(block + sketch.offset));
}
void make_cell(std::byte* block, const Sketch& sketch);
void clear_cell(std::byte* block, const Sketch& sketch, Memory& memory);
// An expectation is no bytes: it is worked out again.
void save_cell(SavedWriter& out, const std::byte* block, const Sketch& sketch);
// `cell` as make_cell() leaves it. Spoils `in` where the bytes are no such thing.
void restore_cell(SavedReader& in, std::byte* block, const Sketch& sketch, Memory& memory);

}  // namespace watchpost::detect
