#pragma once
// A data folder as an earlier version of Watchpost left it.
#include "store/sqlite/database.h"
#include "store/store_fixture.h"

#include <string>

namespace watchpost::store {

// Takes out of state.db what version 4 brought, with the rows of its tables; gives it open, for
// rows of version 3.
inline sqlite::Database as_version_3(const std::string& state) {
  auto database = value_of(sqlite::Database::open(state, sqlite::Database::Access::writer));
  value_of(database.run(
      "DROP INDEX kept_mail_by_holder; ALTER TABLE kept_mail DROP COLUMN holder;"
      "DROP TABLE suppressions; DROP TABLE suppression_history;"
      "CREATE TABLE suppressions(recipient BLOB NOT NULL, customer BLOB NOT NULL, "
      "change INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(recipient, customer)) "
      "WITHOUT ROWID; CREATE UNIQUE INDEX suppressions_by_change ON suppressions(change);"
      "PRAGMA user_version=3;"));
  return database;
}

}  // namespace watchpost::store
