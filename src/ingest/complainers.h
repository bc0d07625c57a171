#pragma once
#include "base/time.h"
#include "model/event.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// Tells those who complain from their complaints: one person is one, however many messages of one
// customer that were sent on one day (UTC) they complain about.
//   Use:     one for each step; mark() for each new event, in the order in which they are counted.
//   Rules:   a person complains for as long as fewer of their complaints were withdrawn than came.
//            What changes nothing about that is `repeated`: of `complained(not repeated) -
//            complaint_withdrawn(not repeated)` each person is one or none. A withdrawal without a
//            complaint takes nothing back, now or later. Who is not named is not known again:
//            never repeated.
//   Threads: none inside.
class Complainers {
 public:
  using Knows = std::function<bool(const EventId& lasting)>;  // of what was before this step
  explicit Complainers(Knows knows) : knows_(std::move(knows)) {}

  // Says whether the event is `repeated`, whatever it said itself, and adds what is to be known
  // from now on.
  void mark(Event& event, std::vector<store::LastingId>& lasting, Time now);

 private:
  struct Standing {
    uint32_t complained = 0;
    uint32_t withdrawn = 0;
    bool complains() const { return complained > withdrawn; }
  };
  Standing& standing_of(const EventId& person);
  uint32_t known_of(const EventId& person, EventKind kind) const;

  Knows knows_;
  std::map<EventId, Standing> met_;  // in this step
};

}  // namespace watchpost::ingest
