#pragma once
#include "base/result.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/database.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::store::sqlite {

// Reads state.db. What each function returns is of one moment.
//   Threads: one thread uses it.
class StateReader {
 public:
  // Fails with not_found where there is no store.
  static Result<StateReader> open(const std::string& path);

  struct History {
    uint64_t last_event = 0;
    Catalog partitions;
  };
  Result<History> history();
  Result<std::vector<Incident>> incidents();
  Result<std::vector<Decision>> decisions();
  Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit);
  Result<std::vector<Enforcement>> enforcements();
  Result<std::vector<Notice>> notices(size_t limit);
  Result<std::vector<Fact>> facts(std::string_view prefix);
  // For what feedback_rows.h reads.
  Database& database() { return database_; }
  Result<std::vector<AuditEntry>> audit(size_t limit);
  Result<uint64_t> verify_audit();

 private:
  Database database_;
};

}  // namespace watchpost::store::sqlite
