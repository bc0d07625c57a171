#pragma once
#include "ingest/recent_events.h"
#include "model/event.h"
#include "model/signal.h"

#include <vector>

namespace watchpost::ingest {

// The last failures that were counted, for what a stream's have in common: kept apart from other
// events, of which a busy platform has so many that they would push them out within seconds.
//   Use:     add() each event that is counted, before its signals are asked about.
//   Owns:    copies of the failures; bounded as RecentEvents is.
//   Threads: none inside.
class RecentFailures {
 public:
  // Anything but a failure, and what Watchpost caused, is not kept.
  void add(const Event& event);
  std::vector<Share> shares(const Signal& signal) const;

 private:
  RecentEvents kept_;
  EventBatch newest_;  // not in kept_ yet
};

}  // namespace watchpost::ingest
