#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "suppress/list.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace watchpost::enforce {

// How far one that follows the list of suppressions by itself has come: for alerts, which nobody
// who is told of decisions by the dispatcher would get for it.
//   Threads: failures() any; all else its own thread only.
class Following {
 public:
  Following(const std::string& name, Metrics& metrics)
      : done_(tries(metrics, name, "done")),
        failed_(tries(metrics, name, "failed")),
        behind_(metrics.gauge("watchpost_suppression_feed_behind",
                              "Changes of suppressions that it has yet to pass on.",
                              {{"enforcer", name}})),
        current_(metrics.gauge("watchpost_suppression_feed_current_timestamp_seconds",
                               "When it was last up to date; 0: not since the start.",
                               {{"enforcer", name}})) {}

  // Before each round.
  void is_behind(uint64_t changes) { behind_.set(static_cast<double>(changes)); }
  // There is nothing left to pass on.
  void is_current(Time now) {
    failures_ = 0;
    behind_.set(0);
    current_.set(std::chrono::duration<double>(now.time_since_epoch()).count());
  }
  void done() {
    failures_ = 0;
    done_.add();
  }
  void failed() {
    ++failures_;
    failed_.add();
  }
  // Tries in a row; 0: the last one succeeded.
  uint64_t failures() const { return failures_; }

 private:
  static Counter& tries(Metrics& metrics, const std::string& name, const std::string& result) {
    return metrics.counter("watchpost_enforcements", "Tries to make a decision true.",
                           {{"enforcer", name}, {"result", result}});
  }

  Counter& done_;
  Counter& failed_;
  Gauge& behind_;
  Gauge& current_;
  std::atomic<uint64_t> failures_{0};
};

inline uint64_t changes_since(const suppress::List& list, uint64_t position) {
  const uint64_t last = list.last_change();
  return last > position ? last - position : 0;
}

}  // namespace watchpost::enforce
