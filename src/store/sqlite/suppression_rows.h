#pragma once
#include "base/result.h"
#include "model/suppression.h"
#include "store/sqlite/database.h"
#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace watchpost::store::sqlite {

// What state.db keeps of recipients that are mailed no more: each suppression as it is, and as it
// was before its last changes.

// Within the transaction of a commit.
Result<Done> write_suppressions(Database& database, std::span<const Suppression> all);
// Moves what version 3 had, one row for each recipient and customer, out of `suppressions_3`.
// Within the transaction that makes the tables.
Result<Done> take_over_suppressions(Database& database);

Result<std::vector<Suppression>> read_suppressions(Database& database, uint64_t after,
                                                   size_t limit);
Result<std::vector<Suppression>> find_suppressions(Database& database,
                                                   const SuppressionQuery& wanted);
Result<std::vector<Suppression>> read_suppression_history(Database& database,
                                                          const SuppressionQuery& wanted);
Result<Done> each_suppression(Database& database,
                              const std::function<Result<Done>(const Suppression&)>& each);

}  // namespace watchpost::store::sqlite
