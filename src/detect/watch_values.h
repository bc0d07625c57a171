#pragma once
#include "base/time.h"
#include "detect/notes.h"
#include "detect/slots.h"
#include "detect/stream_table.h"

#include <cstddef>
#include <cstdint>

namespace watchpost::detect {

// Longer values are no addresses, names or domains.
inline constexpr size_t kLongestValue = 1024;

// Where event time stands in a series.
struct SeriesNow {
  int64_t slot = 0;
  Time begins;  // of that slot
  Time ends;
  Time oldest;  // when the oldest slot of the window begins
};

// What a rule is judged by: a stream's numbers in a window that ends with the slot `newest`.
struct Evidence {
  const uint64_t* sums = nullptr;       // of each column
  const double* tries = nullptr;        // of a cohort: the same, as far as results can have come
  const std::byte* sketches = nullptr;  // null: none
  int64_t last = 0;                     // the slot that the sketches slid to
  int64_t newest = 0;
  int64_t values_from = kAllSlots;  // of `distinct`: older ones are left out
  bool firing = false;              // then evidence of a climb holds until it is used up
};

// What an event asks of the rules of one series.
struct TouchedRules {
  uint64_t rules = 0;   // RuleMask: to be judged
  uint64_t raised = 0;  // those of them whose threshold (Rule) is nearer than before
};

struct NotedRule {
  uint32_t rule;
  Noted* noted;
};

// Where a stream's window slides from.
struct Sliding {
  uint32_t series = 0;
  int64_t last = 0;                     // the slot of the stream's newest event
  const std::byte* sketches = nullptr;  // of the stream
};

// One rule, one stream, the cohorts from `first` to `last`.
struct Cohorts {
  uint32_t rule = 0;
  uint32_t stream = 0;
  int64_t first = 0;
  int64_t last = 0;
  const Noted* used = nullptr;  // cohorts that are left out
};
inline constexpr int64_t kCohortsTogether = 24;  // so many of the newest are judged as one

// When an event counts.
struct Moment {
  Time at;
  Time sent;          // when its message was
  bool late = false;  // counts for cohorts only
};

// A group that an event counts in, and its stream there, where it was found.
struct Place {
  uint32_t group = 0;
  uint32_t stream = StreamTable::kNone;
  StreamKey key;
};

inline int64_t second_of(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}
inline int64_t hour_of(Time at) {
  return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count();
}
inline Time start_of(int64_t slot, const WindowShape& shape) {
  return Time(std::chrono::seconds(slot * shape.width));
}

}  // namespace watchpost::detect
