#pragma once
#include "base/result.h"
#include "quarantine/attempt.h"
#include "quarantine/held.h"
#include "store/sqlite/database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// Times in the index: microseconds since 1970.
inline int64_t number_of(Time at) { return at.time_since_epoch().count(); }
inline Time time_from(int64_t number) { return Time{Duration(number)}; }

// A message as the index has it.
struct HeldRow {
  uint64_t number = 0;  // counts up in the order of commits
  HeldMessage message;
  std::vector<uint64_t> attempts;  // that each of its copies is leaving by; 0: none
  uint64_t key = 0;                // number of the key that sealed its file; 0: that is gone
  uint64_t bytes = 0;              // of its file
  std::string sha;  // of the message as a mail server takes it: with a CR LF at its end
};

// An attempt as the index has it.
struct AttemptRow {
  uint64_t number = 0;
  uint64_t message = 0;
  Time began;
  uint64_t start = 0;  // in which it began, counted
  bool doubt = false;  // it ended so
  bool redeemed = false;
  std::string queue_id;
};

// Makes the tables where there are none. Fails with refused where a newer version of Watchpost
// wrote the file.
Result<Done> prepare_index(store::sqlite::Database& database);

// Reads single messages of the index by one connection.
//   Threads: one thread uses it.
class IndexRows {
 public:
  static Result<IndexRows> over(store::sqlite::Database& database);

  Result<std::optional<HeldRow>> find(const HeldId& id);
  Result<std::optional<HeldRow>> at(uint64_t number);
  // Whether its file is to be there.
  Result<bool> has_file(const HeldId& id);
  // Those that nobody works on: of an earlier start, or ended in doubt.
  Result<std::vector<AttemptRow>> doubtful(uint64_t start);
  Result<std::optional<AttemptRow>> attempt(uint64_t number);
  // By the hash of its token.
  Result<std::optional<AttemptRow>> attempt_of(std::string_view hash);

 private:
  Result<std::optional<HeldRow>> read(store::sqlite::Statement& statement);
  Result<Done> read_copies(HeldRow& row);

  store::sqlite::Statement by_id_, by_number_, has_file_, copies_, doubtful_, attempt_, attempt_of_;
};

// Of a row of it, as an attempt: with those copies alone that are leaving by it.
Attempt attempt_from(const AttemptRow& attempt, const HeldRow& row);

}  // namespace watchpost::quarantine
