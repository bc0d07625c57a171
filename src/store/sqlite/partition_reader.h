#pragma once
#include "base/result.h"
#include "model/event.h"
#include "store/cursor.h"
#include "store/search_block.h"
#include "store/sqlite/database.h"
#include "store/sqlite/partition_ids.h"
#include "store/store.h"
#include "store/verdict.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::store::sqlite {

// What to look for in one partition.
struct PartitionSearch {
  const EventQuery& query;
  Place before;         // only what is older
  uint64_t last_event;  // nothing above it is committed
  size_t want = 0;
  bool with_verdict = false;  // only events that have one
  // Where to look; null: in all runs, and in all rows behind them.
  const IdPlaces* places = nullptr;
};

// Reads one file of event history.
//   Threads: one thread uses it.
//   Fails:   corrupt, naming the file and the row.
class PartitionReader {
 public:
  static Result<PartitionReader> open(const std::string& path);

  // The places of the newest matches, newest first: at most `want`. Holds places, not events.
  Result<std::vector<Place>> newest(const PartitionSearch& search);
  // The Message-IDs that came since `ids` learned last; as PartitionIds::learn().
  Result<Done> learn(const PartitionEntry& entry, uint64_t last_event, PartitionIds& ids) {
    return ids.learn(database_, entry, last_event);
  }
  // A copy of one event.
  Result<Done> fetch(uint64_t sequence, EventBatch& into);
  // That of one event, which has one.
  Result<MessageVerdict> verdict(uint64_t sequence);

  struct Row {
    uint64_t sequence = 0;
    Event event;
  };
  // Calls `each` for the rows above `after`, up to `last`, in that order. The texts are good within
  // the call.
  Result<Done> scan(uint64_t after, uint64_t last, const std::function<void(const Row&)>& each);
  // Calls `each` for the committed rows of [first, second), in the order of their times, until it
  // gives false; whether it never did. SQLite sorts their places, on disk where they are many.
  Result<bool> in_time(const std::pair<Time, Time>& span, uint64_t last_event,
                       const std::function<bool(const Event&)>& each);
  // The same as scan() for ids alone, of events since then.
  Result<Done> ids(Time since, uint64_t last, std::vector<EventId>& into);

 private:
  struct Run {
    uint64_t number = 0;
    Time first_at;
    Time last_at;
  };
  // Those that are to be searched; the ones that reach to newer times first.
  Result<std::vector<Run>> runs(const PartitionSearch& search);
  Result<Done> search_rows(const PartitionSearch& search, std::vector<Place>& found);
  Result<Done> search_tail(const PartitionSearch& search, std::vector<Place>& found);
  Result<Done> search_runs(const PartitionSearch& search, std::vector<Place>& found);
  Result<Done> candidates(const Run& run, const SearchEntry& after, size_t most,
                          std::vector<Place>& found);
  // The place of an event that matches.
  Result<std::optional<Place>> match(uint64_t sequence, const PartitionSearch& search);
  // Makes the statements below ready. False: there are no verdicts here.
  Result<bool> prepare_verdicts();
  Result<bool> has_verdict(uint64_t sequence);
  std::unexpected<Error> damaged(Error error, uint64_t sequence) const;

  Database database_;
  Statement row_;
  Statement rows_;
  Statement blocks_;
  bool verdicts_ready_ = false;
  Statement verdict_there_;
  Statement verdict_;
};

}  // namespace watchpost::store::sqlite
