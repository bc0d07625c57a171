#pragma once
#include "base/result.h"
#include "store/sqlite/database.h"

#include <string>
#include <string_view>

namespace watchpost::store::sqlite {

// Files of a data folder.
std::string state_path(std::string_view folder);
std::string events_folder(std::string_view folder);
std::string detector_state_path(std::string_view folder);
std::string lock_path(std::string_view folder);

// Makes the tables where there are none, and brings older ones up to date, in one transaction.
// Fails with refused where a newer version of Watchpost wrote the file.
Result<Done> prepare_state(Database& state);
Result<Done> prepare_partition(Database& partition);
// The same check, changing nothing: for readers.
Result<Done> check_state(Database& state);
Result<Done> check_partition(Database& partition);
// Whether it has the table of verdicts, or of filters: one of an older version gets it when it is
// next written to.
Result<bool> has_verdicts(Database& partition);
Result<bool> has_filters(Database& partition);

}  // namespace watchpost::store::sqlite
