#pragma once
#include "base/result.h"
#include "crypto/digest.h"
#include "store/sqlite/catalog.h"
#include "store/sqlite/database.h"
#include "store/store.h"

#include <cstdint>
#include <span>
#include <string>

namespace watchpost::store::sqlite {

// The one connection that writes to state.db.
//   Threads: one thread uses it.
class StateWriter {
 public:
  static Result<StateWriter> open(const std::string& path);

  uint64_t last_event() const { return last_event_; }
  Database& database() { return database_; }

  // One transaction, durable: all of `commit` but its events, which stand in partitions already,
  // and what became of those partitions. last_event() then is `last_event`.
  Result<Done> write(const Commit& commit, uint64_t last_event,
                     std::span<const PartitionEntry> partitions);

 private:
  struct AuditEnd {
    uint64_t number = 0;
    crypto::Sha256 hash{};
  };
  Result<Done> write_records(const Commit& commit);
  Result<Done> write_facts(std::span<const Fact> facts);
  Result<Done> write_decisions(std::span<const Decision> decisions);
  Result<AuditEnd> write_audit(std::span<const AuditEntry> audit);
  Result<Done> read_ends();

  Database database_;
  uint64_t last_event_ = 0;
  AuditEnd audit_;
};

}  // namespace watchpost::store::sqlite
