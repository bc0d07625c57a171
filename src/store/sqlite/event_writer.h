#pragma once
#include "base/result.h"
#include "base/time.h"
#include "model/event.h"
#include "model/mail_verdict.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/partition_writer.h"

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::store::sqlite {

// Writes events to the partitions of their times, and looks after those.
//   Use:     write(), then state.db's commit, then accept(); or reject() where either failed.
//   Owns:    the connections to the partitions written to last, a few.
//   Threads: one thread uses it.
//   Why:     the sequence numbers tie the files together without a commit in two phases. Rows above
//            the last event of state.db do not count, and are cut before anything else is written.
class EventWriter {
 public:
  EventWriter(std::string folder, Duration span) : folder_(std::move(folder)), span_(span) {}

  // Takes over what state.db lists, and cuts what was written and never committed.
  Result<Done> open(Catalog catalog, uint64_t last_event);

  // Durable when it returns. Gives the entries that state.db has to store.
  // `verdicts` are those of some of the events.
  Result<std::vector<PartitionEntry>> write(std::span<const Event> events,
                                            std::span<const KeptVerdict> verdicts,
                                            uint64_t last_event);
  void accept(std::span<const PartitionEntry> written);
  void reject(uint64_t last_event);

  const Catalog& catalog() const { return catalog_; }
  // One step of indexing; false: there is nothing to do now.
  Result<bool> index_step(Time now);
  // Ends a partition: its file first, then, when state.db does not list it any more, the entry.
  Result<Done> remove_file(Time start);
  void forget(Time start);

 private:
  // What is known of a partition besides its entry.
  struct Progress {
    uint64_t indexed = 0;  // rows
    bool written = true;   // since index_step() last saw it
    Time quiet_since;      // else
    bool settled = false;  // all indexed, and its WAL copied back
  };
  using VerdictOf = std::map<EventId, std::string_view>;
  struct Group {
    PartitionEntry entry;
    std::vector<NumberedEvent> rows;
  };
  std::vector<Group> grouped(std::span<const Event> events, const VerdictOf& verdict_of,
                             uint64_t last_event) const;
  Result<PartitionWriter*> writer_of(Time start);
  Result<Done> check_file(const PartitionEntry& entry, uint64_t last_event);
  Result<Done> set_aside(const std::string& path, const Error& why);
  Result<Done> remove_unlisted(uint64_t last_event);
  Result<Done> cut_rejected(uint64_t last_event);
  bool wants_index(const PartitionEntry& entry, Progress& progress, Time now) const;

  std::string folder_;
  Duration span_;
  Catalog catalog_;
  std::map<Time, Progress> progress_;
  std::set<Time> to_cut_;  // partitions that may hold rows of a commit that failed
  struct Open {
    Time start;
    PartitionWriter writer;
  };
  std::list<Open> open_;  // used last first
};

}  // namespace watchpost::store::sqlite
