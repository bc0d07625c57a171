#pragma once
#include "base/time.h"

#include <cstdint>
#include <optional>

namespace watchpost::detect {

// Event time: the newest time seen, and at what time each event counts.
//   Use:   admit() for each event, advance_to() where time passes without events.
//   Rules: an event older than the newest by more than the lateness is late. An event more than a
//          day ahead of the newest (a broken clock, or a quiet gap in a log) counts at the newest
//          time; a second one in a row moves time: to its own where the two agree within a day,
//          else to that of the first. So one bad stamp never empties the windows. The first event
//          sets time; until another has come within a day of it, one more than a day older starts
//          time anew. An event whose own time is known to be wrong (Event::clock_suspect) counts
//          at the newest time.
class EventClock {
 public:
  enum class Verdict : uint8_t {
    counts,
    ahead,    // counts, at the newest time instead of its own
    restart,  // counts, after all that was counted before is forgotten
    late,     // does not count
  };
  struct Admission {
    Verdict verdict = Verdict::counts;
    Time at;
  };

  explicit EventClock(Duration lateness) : lateness_(lateness) {}

  Admission admit(Time at, bool suspect);
  // Never goes back; does nothing before the first event.
  void advance_to(Time now);

  bool started() const { return newest_.has_value(); }
  Time newest() const { return newest_.value_or(Time{}); }

  // All that admit() depends on, for saving.
  struct Saved {
    std::optional<Time> newest;
    std::optional<Time> leap;
    bool agreed = false;
  };
  Saved save() const { return {newest_, leap_, agreed_}; }
  void restore(const Saved& saved);

 private:
  Admission leap(Time at);

  Duration lateness_;
  std::optional<Time> newest_;
  std::optional<Time> leap_;  // the time of an event far ahead, waiting for a second one
  bool agreed_ = false;       // two events have come within a day of each other
};

// Within the years 0 to 9999: whatever stands in a log, sums of times do not overflow.
Time bounded(Time at);

}  // namespace watchpost::detect
