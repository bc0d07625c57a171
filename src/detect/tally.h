#pragma once
#include "detect/rules.h"
#include "detect/watch.h"
#include "model/event.h"

#include <memory>
#include <vector>

namespace watchpost::detect {

struct TallyState;

// What one Tally counted between two take()s: for each stream, and by slots of time, counts,
// distinct values, cohorts and what the other terms go by; and how late complaints came.
//   Use:   Watch::fold(), of a Watch with the same detectors and the same seed of values.
//   Owns:  all of it.
class Increments {
 public:
  explicit Increments(std::unique_ptr<TallyState> state);
  Increments(Increments&&) noexcept;
  Increments& operator=(Increments&&) noexcept;
  ~Increments();

  const WatchStats& stats() const;
  const TallyState& state() const { return *state_; }  // for Watch::fold()

 private:
  std::unique_ptr<TallyState> state_;
};

// Counts events just as Watch does and judges nothing, so that it can stand where events arrive and
// the Watch where streams are owned.
//   Use:     on() for each event; take() every so often, well within the shortest window: what held
//            only between two take()s is never seen to hold. take() as soon as full(), since from
//            there on streams are dropped for room.
//   Time:    goes by its own events, and goes on from one batch to the next. It does not know which
//            receiver is at fault: failures there count for all.
//   Owns:    the counts since the last take().
//   Threads: none inside.
//   Fails:   never; late and over-limit events are counted in stats().
class Tally {
 public:
  Tally(std::vector<Detector> detectors, WatchLimits limits);
  Tally(Tally&&) noexcept;
  Tally& operator=(Tally&&) noexcept;
  ~Tally();

  void on(const Event& event);
  Increments take();
  bool full() const;
  const WatchStats& stats() const;  // of this batch

 private:
  WatchLimits limits_;
  std::unique_ptr<TallyState> state_;  // in detect/tally_state.h
};

}  // namespace watchpost::detect
