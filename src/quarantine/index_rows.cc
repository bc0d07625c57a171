#include "quarantine/index_rows.h"

#include "quarantine/held_code.h"

#include <utility>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

using store::sqlite::Database;
using store::sqlite::Statement;
using store::sqlite::Transaction;

constexpr int kVersion = 1;

// Texts are blobs: they hold any bytes. `terms` has what a message can be found by, hashed, so that
// an entry takes few bytes whatever strangers have written; `copies.same` is by what a copy that is
// handed in again is known.
constexpr const char* kTables = R"sql(
CREATE TABLE meta(name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE keys(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE messages(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE,
  at INTEGER NOT NULL, until INTEGER NOT NULL, open INTEGER NOT NULL, ended INTEGER NOT NULL,
  key INTEGER NOT NULL, bytes INTEGER NOT NULL, sha BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX messages_by_time ON messages(at);
CREATE INDEX messages_open ON messages(at, open, bytes) WHERE open > 0;
CREATE INDEX messages_until ON messages(until) WHERE open > 0;
CREATE INDEX messages_ended ON messages(ended) WHERE open = 0;
CREATE INDEX messages_by_key ON messages(key) WHERE key > 0;
CREATE TABLE terms(
  term INTEGER NOT NULL, at INTEGER NOT NULL, message INTEGER NOT NULL,
  PRIMARY KEY(term, at, message)) WITHOUT ROWID;
CREATE TABLE copies(
  message INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, same BLOB NOT NULL,
  state INTEGER NOT NULL, changed INTEGER NOT NULL, release_at INTEGER NOT NULL,
  paced INTEGER NOT NULL, requested INTEGER, attempt INTEGER NOT NULL,
  recipient BLOB NOT NULL, arguments BLOB NOT NULL, who BLOB NOT NULL, note BLOB NOT NULL,
  PRIMARY KEY(message, place)) WITHOUT ROWID;
CREATE INDEX copies_same ON copies(same, at) WHERE same <> x'';
CREATE INDEX copies_by_state ON copies(state, at) WHERE state > 0;
CREATE INDEX copies_due ON copies(release_at) WHERE state = 1;
CREATE INDEX copies_requested ON copies(at) WHERE requested IS NOT NULL AND state <= 2;
CREATE TABLE attempts(
  number INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL, token BLOB NOT NULL UNIQUE,
  began INTEGER NOT NULL, start INTEGER NOT NULL, redeemed INTEGER NOT NULL,
  queue_id BLOB NOT NULL, doubt INTEGER NOT NULL);
CREATE TABLE digests(
  recipient BLOB PRIMARY KEY, day INTEGER NOT NULL, told INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE exceptions(
  name BLOB PRIMARY KEY, condition BLOB NOT NULL, until INTEGER NOT NULL, who BLOB NOT NULL,
  why BLOB NOT NULL) WITHOUT ROWID;
)sql";

constexpr std::string_view kMessage =
    "SELECT number, id, at, until, key, bytes, sha, body FROM messages WHERE ";
constexpr std::string_view kCopies =
    "SELECT state, changed, release_at, paced, requested IS NOT NULL, requested, attempt, "
    "recipient, arguments, who, note FROM copies WHERE message = ? ORDER BY place";
constexpr std::string_view kAttempt =
    "SELECT number, message, began, start, doubt, redeemed, queue_id FROM attempts WHERE ";

AttemptRow attempt_in(const Statement& row) {
  return {.number = row.unsigned_number(0),
          .message = row.unsigned_number(1),
          .began = time_from(row.number(2)),
          .start = row.unsigned_number(3),
          .doubt = row.number(4) != 0,
          .redeemed = row.number(5) != 0,
          .queue_id = std::string(row.bytes(6))};
}

}  // namespace

Result<Done> prepare_index(Database& database) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version > kVersion) {
    return fail(Code::refused,
                fmt::format("this quarantine was written by a newer version of Watchpost (schema "
                            "{}; this program knows schema {}); use that version or a newer one",
                            *version, kVersion),
                database.path());
  }
  if (*version == kVersion) return Done{};
  auto transaction = Transaction::begin(database, true);
  if (!transaction) return fail(transaction.error());
  if (const auto made = database.run(kTables); !made) return made;
  const auto marked = database.run(fmt::format("PRAGMA user_version={}", kVersion).c_str());
  if (!marked) return marked;
  return transaction->commit();
}

Result<IndexRows> IndexRows::over(Database& database) {
  IndexRows rows;
  const auto prepare = [&](Statement& into, const std::string& sql) -> Result<Done> {
    auto made = database.prepare(sql);
    if (!made) return fail(made.error());
    into = std::move(*made);
    return Done{};
  };
  auto ready = prepare(rows.by_id_, std::string(kMessage) + "id = ?");
  if (ready) ready = prepare(rows.by_number_, std::string(kMessage) + "number = ?");
  if (ready) ready = prepare(rows.has_file_, "SELECT key FROM messages WHERE id = ?");
  if (ready) ready = prepare(rows.copies_, std::string(kCopies));
  if (ready) ready = prepare(rows.attempt_, std::string(kAttempt) + "number = ?");
  if (ready) ready = prepare(rows.attempt_of_, std::string(kAttempt) + "token = ?");
  if (ready) {
    ready =
        prepare(rows.doubtful_, std::string(kAttempt) + "doubt = 1 OR start < ? ORDER BY number");
  }
  if (!ready) return fail(ready.error());
  return rows;
}

Result<std::optional<HeldRow>> IndexRows::find(const HeldId& id) {
  const std::string bytes = bytes_of(id);
  by_id_.bind(bytes);
  return read(by_id_);
}

Result<std::optional<HeldRow>> IndexRows::at(uint64_t number) {
  by_number_.bind(number);
  return read(by_number_);
}

Result<std::optional<HeldRow>> IndexRows::read(Statement& statement) {
  const auto there = statement.row();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  HeldRow row;
  row.number = statement.unsigned_number(0);
  const HeldId id = id_from_bytes(statement.bytes(1));
  const Time at = time_from(statement.number(2));
  const Time until = time_from(statement.number(3));
  row.key = statement.unsigned_number(4);
  row.bytes = statement.unsigned_number(5);
  row.sha = statement.bytes(6);
  auto message = decode_message(statement.bytes(7));
  statement.reset();
  if (!message) {
    return fail(Code::corrupt, message.error().what, fmt::format("held message {}", to_hex(id)));
  }
  row.message = std::move(*message);
  row.message.id = id;
  row.message.at = at;
  row.message.until = until;
  if (const auto copies = read_copies(row); !copies) return fail(copies.error());
  return row;
}

Result<Done> IndexRows::read_copies(HeldRow& row) {
  copies_.bind(row.number);
  while (true) {
    const auto there = copies_.row();
    if (!there) return fail(there.error());
    if (!*there) return Done{};
    const auto state = copies_.number(0);
    if (state < 0 || state > static_cast<int64_t>(CopyState::expired)) {
      copies_.reset();
      return fail(Code::corrupt, "a copy is in a state that cannot be",
                  fmt::format("held message {}", to_hex(row.message.id)));
    }
    Copy& copy = row.message.copies.emplace_back();
    copy.state = static_cast<CopyState>(state);
    copy.changed = time_from(copies_.number(1));
    copy.release_at = time_from(copies_.number(2));
    copy.paced = copies_.number(3) != 0;
    if (copies_.number(4) != 0) copy.requested = time_from(copies_.number(5));
    row.attempts.push_back(copies_.unsigned_number(6));
    copy.recipient = copies_.bytes(7);
    copy.arguments = copies_.bytes(8);
    copy.by = copies_.bytes(9);
    copy.note = copies_.bytes(10);
  }
}

Result<bool> IndexRows::has_file(const HeldId& id) {
  const std::string bytes = bytes_of(id);
  const auto there = has_file_.bind(bytes).row();
  if (!there) return there;
  const bool has = *there && has_file_.number(0) > 0;
  has_file_.reset();
  return has;
}

Result<std::vector<AttemptRow>> IndexRows::doubtful(uint64_t start) {
  std::vector<AttemptRow> found;
  doubtful_.bind(start);
  while (true) {
    const auto there = doubtful_.row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    found.push_back(attempt_in(doubtful_));
  }
}

Result<std::optional<AttemptRow>> IndexRows::attempt(uint64_t number) {
  const auto there = attempt_.bind(number).row();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  AttemptRow row = attempt_in(attempt_);
  attempt_.reset();
  return row;
}

Result<std::optional<AttemptRow>> IndexRows::attempt_of(std::string_view hash) {
  const auto there = attempt_of_.bind(hash).row();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  AttemptRow row = attempt_in(attempt_of_);
  attempt_of_.reset();
  return row;
}

Attempt attempt_from(const AttemptRow& attempt, const HeldRow& row) {
  Attempt made;
  made.number = attempt.number;
  made.began = attempt.began;
  made.queue_id = attempt.queue_id;
  made.redeemed = attempt.redeemed;
  made.message = row.message;
  made.message.copies.clear();
  for (size_t i = 0; i < row.message.copies.size(); ++i) {
    if (row.attempts[i] == attempt.number) made.message.copies.push_back(row.message.copies[i]);
  }
  return made;
}

}  // namespace watchpost::quarantine
