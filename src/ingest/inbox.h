#pragma once
#include "ingest/source.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

namespace watchpost::ingest {

// What waits for the pipeline's thread: arrivals, bounded by their events, whose senders wait; and
// errands, which never wait behind them, as few ever are (a person's question, an outcome of a
// try).
//   Use:     any number of senders, one receiver.
//   Why:     what is offered and nobody waits for (mail that was answered) comes message by
//   message,
//            and a commit costs as much as many messages: it is gathered for a moment, but for the
//            first after a quiet while.
//   Threads: all functions may be called from any thread.
class Inbox {
 public:
  using Errand = std::function<void()>;
  using Ticks = std::chrono::steady_clock;
  explicit Inbox(size_t most_events, Ticks::duration gathering = std::chrono::milliseconds(10))
      : most_events_(most_events), gathering_(gathering) {}

  // Waits while it is full, unless stop is requested. False: closed or full, not taken.
  bool put(Arrival arrival, const std::stop_token& stop);
  bool put(Errand errand);
  // The same without any wait.
  bool offer(Arrival arrival);
  // No more comes in; what is inside is still given out.
  void close();

  struct Taken {
    std::vector<Arrival> arrivals;
    std::vector<Errand> errands;
    bool closed = false;
    bool empty() const { return arrivals.empty() && errands.empty(); }
  };
  // Waits for something, at most for `patience`. Arrivals up to about `most_events`.
  Taken take(std::chrono::milliseconds patience, size_t most_events);
  // The same, with arrivals left where they are.
  Taken take_errands(std::chrono::milliseconds patience);
  size_t events() const;

 private:
  // One that is larger than all the room is let in when it is alone.
  bool room_for(size_t more) const { return arrivals_.empty() || events_ + more <= most_events_; }

  // Nothing in it is worth a commit of its own yet.
  bool gathers() const {
    return !closed_ && !awaited_ && errands_.empty() && !arrivals_.empty() &&
           events_ < most_events_ / 2;
  }

  const size_t most_events_;
  const Ticks::duration gathering_;
  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable filled_;
  std::deque<Arrival> arrivals_;
  std::vector<Errand> errands_;
  size_t events_ = 0;
  bool awaited_ = false;  // somebody waits for one of the arrivals, or may
  Ticks::time_point gathered_at_;
  bool closed_ = false;
};

}  // namespace watchpost::ingest
