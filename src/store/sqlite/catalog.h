#pragma once
#include "base/result.h"
#include "base/time.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace watchpost::store::sqlite {

// One file of event history, as state.db lists it.
struct PartitionEntry {
  Time start;
  Time until;  // times of its events lie in [start, until), but for times before 1970 or after 9998
  Time first_at;
  Time last_at;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t events = 0;
};
// By start. Spans never overlap, so newer partitions hold newer events.
using Catalog = std::map<Time, PartitionEntry>;

// "FOLDER/20261124T020000Z.db"
std::string partition_path(std::string_view events_folder, Time start);

// The partition that events of this time belong to: the one there is, or a new one of about `span`.
PartitionEntry partition_for(const Catalog& catalog, Time at, Duration span);

Result<Catalog> load_catalog(Database& state);
Result<Done> store_partition(Database& state, const PartitionEntry& entry);
Result<Done> remove_partition(Database& state, Time start);

}  // namespace watchpost::store::sqlite
