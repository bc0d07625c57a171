#pragma once
#include "base/result.h"
#include "store/id_filter.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/database.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::store::sqlite {

// Where in a partition a Message-ID may be.
struct IdPlaces {
  std::vector<uint64_t> runs;  // that have it in their index, if anything does
  std::vector<uint64_t> rows;  // behind the runs: sequence numbers, rising
  bool empty() const { return runs.empty() && rows.empty(); }
};

// What is in memory of the Message-IDs of one partition: the filters of its runs, and the rows
// behind them one by one.
//   Use:     learn() while there are events that it does not cover; then places_of().
//   Threads: one thread uses it.
//   Why:     a look-up asks the disk only where it may find something, and each row that has no
//            index yet is read once, not for each look-up.
class PartitionIds {
 public:
  // `seed` is one that strangers do not know.
  PartitionIds(const PartitionEntry& entry, uint64_t seed)
      : first_sequence_(entry.first_sequence), seed_(seed) {}

  // Whether it knows of all events of this partition that are committed. A file of the same name
  // that was made anew is another partition.
  bool is_of(const PartitionEntry& entry) const { return entry.first_sequence == first_sequence_; }
  bool covers(const PartitionEntry& entry) const { return entry.last_sequence <= seen_; }
  // Reads what came since, up to the event `last`. Fails as the database does; then it knows what
  // it knew before. Rows behind the runs are left for later where they are very many.
  Result<Done> learn(Database& partition, const PartitionEntry& entry, uint64_t last);
  // Nothing where that is not known: all of the partition has to be searched.
  std::optional<IdPlaces> places_of(std::string_view id) const;

  size_t bytes() const;  // of memory, about
  void give_up();        // lets go of that, for good
  bool given_up() const { return given_up_; }

 private:
  struct Run {
    uint64_t number = 0;
    std::optional<IdFilter> filter;  // nothing: an older version indexed it, or it is damaged
  };
  struct News {
    std::vector<Run> runs;
    uint64_t indexed = 0;         // the last event that is in a run
    uint64_t indexed_events = 0;  // how many are
    std::vector<std::pair<uint64_t, uint64_t>> rows;
  };
  Result<Done> read_runs(Database& partition, News& news) const;
  Result<Done> read_rows(Database& partition, uint64_t last, News& news) const;

  uint64_t first_sequence_;
  uint64_t seed_;
  bool given_up_ = false;
  uint64_t seen_ = 0;            // the last event that is in `runs_` or `rows_`
  uint64_t indexed_ = 0;         // the last one that is in `runs_`
  uint64_t indexed_events_ = 0;  // how many are
  bool behind_ = false;          // there are rows that are in neither
  std::vector<Run> runs_;
  std::unordered_multimap<uint64_t, uint64_t> rows_;  // by the hash of their Message-ID
};

// Those of all partitions, within bounds.
//   Rules:   where there is no room, it gives up those of the oldest.
class MessageIds {
 public:
  explicit MessageIds(size_t most_bytes);

  // Lets go of partitions that are not there any more.
  void keep_only(const Catalog& partitions);
  PartitionIds& of(const PartitionEntry& entry);
  // To be called when any of them learned something.
  void fit();

 private:
  const size_t most_bytes_;
  const uint64_t seed_;
  std::map<Time, PartitionIds> partitions_;
};

}  // namespace watchpost::store::sqlite
