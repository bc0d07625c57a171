#pragma once
#include "base/result.h"
#include "base/time.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "ingest/recent_failures.h"
#include "ingest/seen_ids.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace watchpost::ingest {

// What is needed to count on where a run before stopped.
struct RestoredCounters {
  detect::Watch watch;
  SeenIds seen = SeenIds();
  RecentFailures failures = RecentFailures();
  std::optional<Time> newest;  // of the events counted once more
  uint64_t sequence = 0;       // the event that the saved counters stand at
  Result<Done> complete = Done{};
};

// The saved counters, and what came after them once more: its signals were decided then.
//   Use:     on a thread of its own; with ten million streams it takes a while.
//   Fails:   `complete` says what could not be read. What could be is in the counters.
class CounterReading {
 public:
  // `last` is the newest stored event; `rearms` are what was to be counted anew, by the event
  // after which it was.
  CounterReading(store::StoreSettings store, uint64_t last, std::vector<detect::Detector> detectors,
                 detect::WatchLimits limits, std::multimap<uint64_t, decide::Rearm> rearms);
  RestoredCounters read(Time now) const;

 private:
  Result<Done> read_into(RestoredCounters& counters, Time now) const;
  Result<uint64_t> read_saved(store::Reader& reader, RestoredCounters& counters) const;
  void rearm_after(uint64_t sequence, detect::Watch& watch) const;

  store::StoreSettings store_;
  uint64_t last_;
  std::vector<detect::Detector> detectors_;
  detect::WatchLimits limits_;
  std::multimap<uint64_t, decide::Rearm> rearms_;
};

}  // namespace watchpost::ingest
