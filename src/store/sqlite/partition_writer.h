#pragma once
#include "base/result.h"
#include "model/event.h"
#include "store/event_row.h"
#include "store/sqlite/database.h"
#include "store/verdict.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace watchpost::store::sqlite {

struct NumberedEvent {
  const Event* event = nullptr;
  uint64_t sequence = 0;
  std::string_view verdict = {};  // on its message; empty: none
};

// The one connection that writes to a file of event history.
//   Use:     write() with growing sequence numbers; index_run() from time to time.
//   Threads: one thread uses it.
//   Why:     rows go in without indexes, which would cost a random write each. Runs of rows are
//            indexed afterwards, sorted in memory and packed, so that each step is short and late
//            rows are nothing special: they are one more run.
class PartitionWriter {
 public:
  static constexpr size_t kRun = 65536;  // rows indexed in one step, at most

  static Result<PartitionWriter> open(const std::string& path);

  // One transaction: all of them, durable, or none.
  Result<Done> write(std::span<const NumberedEvent> rows);
  // Takes out what was written and then never committed: rows above `last`.
  Result<Done> cut(uint64_t last);
  // Indexes the next rows; gives how many. 0: all are.
  Result<size_t> index_run();
  // Copies the WAL back and gives its space back, as far as readers allow.
  Result<Done> settle() { return database_.checkpoint(true); }

  Result<uint64_t> indexed();         // rows that are
  Result<uint64_t> first_sequence();  // 0: no rows
  Result<uint64_t> last_sequence();

 private:
  Result<Done> write_verdict(const NumberedEvent& row);

  Database database_;
  Statement insert_;
  Statement insert_verdict_;
  EventEncoder encoder_;
  VerdictPacker packer_;
};

}  // namespace watchpost::store::sqlite
