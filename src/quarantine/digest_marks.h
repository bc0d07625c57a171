#pragma once
#include "base/result.h"
#include "quarantine/digest_mark.h"
#include "quarantine/index_rows.h"
#include "store/sqlite/database.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// What recipients were told, as the index has it; see Quarantine::digest_due().

Result<std::vector<DigestDue>> find_digest_due(store::sqlite::Database& database, IndexRows& rows,
                                               Time day, size_t most);
Result<Done> put_digest_mark(store::sqlite::Database& database, std::string_view recipient,
                             const DigestMark& mark);
// Those of before `then` that nothing depends on: all that is held came after they were made. The
// mark of a day that is done, which names nobody, stays.
Result<Done> forget_digest_marks(store::sqlite::Database& database, Time then);
Result<Done> drop_digest_mark(store::sqlite::Database& database, std::string_view recipient);

}  // namespace watchpost::quarantine
