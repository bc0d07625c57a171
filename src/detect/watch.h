#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "detect/rules.h"
#include "model/event.h"
#include "model/signal.h"
#include "model/stream.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::detect {

struct WatchLimits {
  int64_t memory = 512 * 1024 * 1024;            // bytes for all streams; the coldest are evicted
  Duration lateness = std::chrono::minutes(15);  // events older than the newest by more are dropped
  // No setting: what values are known by in `distinct` and `new`. Who counts what strangers send
  // gives one that they do not know, or they could pick values that count as one. It is saved with
  // the counters and comes back with them; where it is the same, so are the signals.
  uint64_t value_seed = 0x5761746368706F73;
};
void fields(SettingsVisitor& visit, WatchLimits& limits);

struct WatchStats {
  uint64_t events = 0;  // counted
  uint64_t late = 0;    // too late: counted for cohorts only
  uint64_t ahead =
      0;  // more than a day ahead, or of an untrusted clock: counted at the newest time
  uint64_t oversized = 0;  // a watched dimension's value was too long to be one; not counted for it
  uint64_t evicted = 0;    // streams dropped for room
  uint64_t streams = 0;    // live now
  uint64_t bytes = 0;      // held for them
};

// One detector held against one stream, for people.
struct DetectorView {
  std::string detector;
  Mode mode = Mode::off;
  Stream stream;  // as this detector sees it
  Duration window{};
  std::string when;
  std::string guard;
  double value = 0;  // left side of the condition; NaN where unknown
  double threshold = 0;
  bool guard_holds = false;
  bool firing = false;
  std::vector<std::string> because;                    // the condition, explained line by line
  std::vector<std::pair<std::string, double>> counts;  // each count of the condition and guard
};

// A stream and how it moves: counts of its window, and the same for the window's newer half and
// older half.
struct StreamView {
  Stream stream;
  Duration window{};
  std::vector<std::pair<std::string, double>> counts;  // by event kind, those that are not zero
  double newer = 0;                                    // events in the newer half of the window
  double older = 0;
  Time last_at;
};

struct WatchState;
class Increments;

// Turns events into signals. Pure: the same events in the same order give the same signals.
//   Rules:   a window slides in steps of about a sixtieth (at least a second), and holds the step
//            that event time stands in and those before. A detector judges a stream when an event
//            of it counts for its condition or guard. It fires once, and again only after its
//            condition has not held for as long as its window is, and for an hour at least, or
//            after rearm(); a climb also when its evidence is used up. What time an event counts
//            at: detect/event_clock.h.
//   Cohorts: where a detector has them, events count when their message was sent, however late
//            they come. When something comes of a cohort (more mail alone is no reason), it is
//            judged by itself, then the newest 24 together without those that fired: each is
//            evidence once. Mail counts with the share of complaints (or bounces) that should have
//            come by its age. rearm() uses up all that there are, the present one included.
//   Receivers: while a detector without cohorts that suggests receiver_fault fires for a stream
//            with a provider, the failures of that stream that its condition counts count for no
//            detector without provider in its watch. One in shadow mode does so only for streams
//            that nobody watches but others in shadow mode.
//   Past:    hours of an incident (a detector fires for the stream) teach `usual` nothing, for
//   three
//            days at most; nor do hours in which a measure kept mail back.
//   Memory:  what a stream knew (`new`, `usual`) is kept for 60 days of silence, 2 days where it
//            came once, as long as there is room; rearm() leaves it.
//   Owns:    all counters.
//   Threads: none inside; the pipeline thread calls it.
//   Fails:   never; late and over-limit events are counted in stats().
class Watch {
 public:
  Watch(std::vector<Detector> detectors, WatchLimits limits);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // Counts one event and judges the streams it belongs to; signals are appended to `out`.
  // Self-inflicted events are not counted: they only say that the hour is not as usual.
  void on(const Event& event, std::vector<Signal>& out);
  // The same for what others counted (detect/tally.h; same detectors): adds all of it, moves time
  // to the newest of it, and judges each stream that something was added to once. Whatever still
  // lies in a window counts. Signals stand in the order of detectors, then streams. Self-inflicted,
  // late and too long things are in their stats() and are added to ours.
  //   Split:   events in one piece, or in any pieces in any order handed to one call, give the same
  //            signals: counts, shares, `exceeds`, `distinct`, cohorts, `new`, `climbs`, `usual`;
  //            for `new` and `usual` where no piece saw an event later than its longest window.
  //            Pieces handed to several calls come to the same numbers for the first five, and what
  //            holds in the end fires for the first four; what held of some only may have fired
  //            before.
  //   Nearly:  `distinct` of more than 48, where parts of them were never so many at once. `new`,
  //            `usual`: over several calls, where they come in the order of time (by hours for
  //            `usual`). `climbs`: tries in one slot of the window count together, the good against
  //            the bad, so that it is never quicker than event by event; over several calls, a slot
  //            that is split counts in pieces. `in_order`: piece by piece, and where one piece
  //            follows the other in time also across them.
  //   Not:     while a receiver is at fault, failures there were counted for all (see Tally).
  //            Nobody tells of hours in which mail was kept back.
  void fold(std::span<const Increments> increments, std::vector<Signal>& out);
  // The only way time passes without events: windows slide, conditions that no longer hold re-arm.
  void advance_to(Time now);
  // Forgets what this detector has counted for the stream so far: evidence used once is not used
  // again. Others keep theirs; of `distinct` that they share, what comes in the same slot does not
  // count for it either.
  void rearm(std::string_view detector, const Stream& stream);
  // A measure has kept mail of the stream back from then until now: what did not come is no part of
  // what is usual.
  void kept_back(const Stream& stream, Time from);

  // How many streams with exactly these dimensions had an event in the longest window that
  // watches them.
  size_t active_streams(std::span<const Field> dimensions) const;
  std::vector<DetectorView> explain(const Stream& stream) const;
  // The streams of these dimensions (all, where empty) that moved most, largest first.
  std::vector<StreamView> movers(std::span<const Field> dimensions, size_t most) const;
  const WatchStats& stats() const;

  // All counters as bytes, and back. restore() refuses bytes of other rules only in part: counters
  // that the present rules still want are kept, the others start empty.
  std::string save() const;
  Result<Done> restore(std::string_view saved);

 private:
  std::unique_ptr<WatchState> state_;  // in detect/watch_state.h
};

}  // namespace watchpost::detect
