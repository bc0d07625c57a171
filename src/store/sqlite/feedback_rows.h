#pragma once
#include "base/result.h"
#include "base/time.h"
#include "store/sqlite/database.h"
#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace watchpost::store::sqlite {

// What state.db keeps of feedback: ids that count once, mail that was not understood; suppressions
// are in suppression_rows.h.

// Within the transaction of a commit, suppressions included.
Result<Done> write_feedback(Database& database, const Commit& commit);
Result<Done> drop_old_ids(Database& database, Time oldest);

// Whether an id is one of those that last: asked of each piece of feedback, several times.
class LastingIds {
 public:
  // Of the same database each time, which outlives it.
  Result<bool> has(Database& database, const EventId& id);

 private:
  std::optional<Statement> query_;
};
// Newest first, without their bytes.
Result<std::vector<KeptMail>> read_kept_mail(Database& database, size_t limit);
Result<std::optional<KeptMail>> read_kept_mail_of(Database& database, uint64_t number);

}  // namespace watchpost::store::sqlite
