#pragma once
#include "base/result.h"
#include "quarantine/index_rows.h"
#include "quarantine/quarantine.h"
#include "quarantine/search.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// Reads the index: as of the last commit.
//   Threads: one thread uses it.
class IndexReader {
 public:
  // `seed`: of terms.
  static Result<IndexReader> open(const std::string& path, uint64_t seed);

  // Looks at so many messages at most: a page of a search that finds few is shorter than asked for,
  // and goes on behind those.
  static constexpr size_t kMostLookedAt = 20'000;
  Result<HeldPage> list(const HeldSearch& search);
  // Calls `each` for all that a search finds, newest first, whatever its limit.
  Result<Done> each(const HeldSearch& search, const std::function<void(const HeldRow&)>& each);

  IndexRows& rows() { return rows_; }
  store::sqlite::Database& database() { return database_; }
  Result<std::vector<Due>> due(Time now, size_t most);
  Result<std::vector<Exception>> exceptions(Time now);
  // Numbers of messages whose file another key has sealed; of those above `after`.
  Result<std::vector<uint64_t>> sealed_by_others(uint64_t key, uint64_t after, size_t most);

 private:
  Result<HeldPage> page(const HeldSearch& search, size_t most_found,
                        const std::function<void(HeldRow&)>& each);
  Result<store::sqlite::Statement> candidates(const HeldSearch& search);

  store::sqlite::Database database_;
  IndexRows rows_;
  uint64_t seed_ = 0;
};

}  // namespace watchpost::quarantine
