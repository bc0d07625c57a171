#include "store/sqlite/schema.h"

#include "store/sqlite/suppression_rows.h"

#include <array>
#include <span>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// docs/formats/store.md says what each column holds. Texts are blobs: they hold any bytes.
constexpr const char* kStateTables = R"sql(
CREATE TABLE ledger(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  last_event INTEGER NOT NULL,
  last_audit INTEGER NOT NULL);
INSERT INTO ledger VALUES(1, 0, 0);
CREATE TABLE partitions(
  start INTEGER PRIMARY KEY, until INTEGER NOT NULL,
  first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
  events INTEGER NOT NULL);
CREATE TABLE facts(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE incidents(number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE decisions(
  number INTEGER PRIMARY KEY,
  detector BLOB NOT NULL, scope BLOB NOT NULL, episode BLOB NOT NULL,
  body BLOB NOT NULL);
CREATE UNIQUE INDEX one_decision_an_episode ON decisions(detector, scope, episode)
  WHERE detector <> x'';
CREATE TABLE shadow_decisions(number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE enforcements(
  decision INTEGER NOT NULL, enforcer BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(decision, enforcer)) WITHOUT ROWID;
CREATE TABLE notices(number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE audit(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who BLOB NOT NULL, what BLOB NOT NULL,
  about BLOB NOT NULL, detail BLOB NOT NULL, hash BLOB NOT NULL);
)sql";

// Since version 3.
constexpr const char* kFeedbackTables = R"sql(
CREATE TABLE lasting_ids(id BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX lasting_ids_by_time ON lasting_ids(at);
CREATE TABLE kept_mail(
  number INTEGER PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE suppressions(
  recipient BLOB NOT NULL, customer BLOB NOT NULL, change INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(recipient, customer)) WITHOUT ROWID;
CREATE UNIQUE INDEX suppressions_by_change ON suppressions(change);
)sql";

// Since version 4. What an older version kept is held by nobody in particular.
constexpr const char* kKeptMailHolders = R"sql(
ALTER TABLE kept_mail ADD COLUMN holder BLOB NOT NULL DEFAULT x'';
CREATE INDEX kept_mail_by_holder ON kept_mail(holder, number, size);
)sql";

// Since version 4: of a recipient and a customer there may be one for each reason.
constexpr const char* kReasonTables = R"sql(
DROP INDEX suppressions_by_change;
ALTER TABLE suppressions RENAME TO suppressions_3;
CREATE TABLE suppressions(
  recipient BLOB NOT NULL, customer BLOB NOT NULL, reason BLOB NOT NULL, change INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY(recipient, customer, reason)) WITHOUT ROWID;
CREATE UNIQUE INDEX suppressions_by_change ON suppressions(change);
CREATE TABLE suppression_history(
  recipient BLOB NOT NULL, customer BLOB NOT NULL, reason BLOB NOT NULL, change INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY(recipient, customer, reason, change)) WITHOUT ROWID;
)sql";

constexpr const char* kPartitionTables = R"sql(
CREATE TABLE events(
  sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE runs(
  number INTEGER PRIMARY KEY, last_sequence INTEGER NOT NULL, events INTEGER NOT NULL,
  first_at INTEGER NOT NULL, last_at INTEGER NOT NULL);
CREATE TABLE entries(
  run INTEGER NOT NULL, key INTEGER NOT NULL, age INTEGER NOT NULL, back INTEGER NOT NULL,
  block BLOB NOT NULL, PRIMARY KEY(run, key, age, back));
)sql";

// Since version 2.
constexpr const char* kVerdictTables = R"sql(
CREATE TABLE verdicts(sequence INTEGER PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL);
)sql";

// Since version 3.
constexpr const char* kFilterTables = R"sql(
CREATE TABLE filters(run INTEGER PRIMARY KEY, body BLOB NOT NULL);
)sql";

// The tables that came with a version, in order: an older file gets those it lacks.
struct Tables {
  int since;
  const char* sql;
  Result<Done> (*take_over)(Database& database) = nullptr;  // moves rows of the version before
};
struct Schema {
  int version;
  std::span<const Tables> tables;
  const char* file;
};
// 2: bodies of incidents, decisions and shadow decisions have more members behind those of 1. Rows
// of 1 are read as they are.
constexpr std::array kState{Tables{1, kStateTables}, Tables{3, kFeedbackTables},
                            Tables{4, kKeptMailHolders},
                            Tables{4, kReasonTables, take_over_suppressions}};
constexpr Schema kStateSchema{4, kState, "store"};
constexpr std::array kPartition{Tables{1, kPartitionTables}, Tables{2, kVerdictTables},
                                Tables{3, kFilterTables}};
constexpr Schema kPartitionSchema{3, kPartition, "event partition"};

Result<int64_t> version_in(Database& database, const Schema& schema) {
  const auto version = database.number("PRAGMA user_version");
  if (version && *version > schema.version) {
    return fail(Code::refused,
                fmt::format("this {} was written by a newer version of Watchpost (schema {}; this "
                            "program knows schema {}); use that version or a newer one",
                            schema.file, *version, schema.version),
                database.path());
  }
  return version;
}

Result<Done> prepare(Database& database, const Schema& schema) {
  const auto version = version_in(database, schema);
  if (!version) return fail(version.error());
  if (*version == schema.version) return Done{};
  auto transaction = Transaction::begin(database, true);
  if (!transaction) return fail(transaction.error());
  for (const Tables& some : schema.tables) {
    if (*version >= some.since) continue;
    const auto made = database.run(some.sql);
    if (!made) return made;
    if (some.take_over == nullptr) continue;
    if (const auto moved = some.take_over(database); !moved) return moved;
  }
  const auto marked = database.run(fmt::format("PRAGMA user_version={}", schema.version).c_str());
  if (!marked) return marked;
  return transaction->commit();
}

Result<Done> check(Database& database, const Schema& schema) {
  const auto version = version_in(database, schema);
  if (!version) return fail(version.error());
  if (*version > 0) return Done{};
  return fail(Code::not_found, fmt::format("this {} has no tables yet", schema.file),
              database.path());
}

}  // namespace

std::string state_path(std::string_view folder) { return fmt::format("{}/state.db", folder); }
std::string events_folder(std::string_view folder) { return fmt::format("{}/events", folder); }
std::string detector_state_path(std::string_view folder) {
  return fmt::format("{}/detector.state", folder);
}
std::string lock_path(std::string_view folder) { return fmt::format("{}/lock", folder); }

Result<Done> prepare_state(Database& state) { return prepare(state, kStateSchema); }
Result<Done> prepare_partition(Database& partition) { return prepare(partition, kPartitionSchema); }
Result<Done> check_state(Database& state) { return check(state, kStateSchema); }
Result<Done> check_partition(Database& partition) { return check(partition, kPartitionSchema); }

Result<bool> has_verdicts(Database& partition) {
  const auto version = version_in(partition, kPartitionSchema);
  if (!version) return fail(version.error());
  return *version >= 2;
}

Result<bool> has_filters(Database& partition) {
  const auto version = version_in(partition, kPartitionSchema);
  if (!version) return fail(version.error());
  return *version >= 3;
}

}  // namespace watchpost::store::sqlite
