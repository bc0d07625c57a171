#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/event.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace watchpost::investigate {

// How far a search of the store may go.
struct SearchBounds {
  // No time: it goes on to its end.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // Asked now and then with the event it is at, and the events so far; false stops it.
  std::function<bool(const Event& at, uint64_t events)> go_on;
};

struct SearchEnd {
  uint64_t events = 0;
  // Where it was stopped before its end: everything from then on was seen.
  std::optional<Time> reached;
};

// Calls `each` for the stored events that fit, the newest first (those of the newest hours in the
// order in which they were committed). Holds none of them, and reads by the store's index where
// the query has a field or kind that it knows. `limit`, `where` and `after` of the query are not
// used.
//   Threads: those of the reader.
Result<SearchEnd> search_newest(store::Reader& reader, store::EventQuery query,
                                const SearchBounds& bounds,
                                const std::function<void(const Event&)>& each);

}  // namespace watchpost::investigate
