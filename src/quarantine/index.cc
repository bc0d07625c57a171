#include "quarantine/index.h"

#include "crypto/digest.h"
#include "quarantine/held_code.h"
#include "quarantine/terms.h"

#include <algorithm>
#include <set>

namespace watchpost::quarantine {
namespace {

using store::sqlite::Database;
using store::sqlite::Statement;

bool is_counted_due(CopyState state) {
  return state == CopyState::due || state == CopyState::leaving;
}

size_t open_copies(const HeldMessage& message) {
  return static_cast<size_t>(
      std::ranges::count_if(message.copies, [](const Copy& copy) { return is_open(copy.state); }));
}

}  // namespace

Result<Index> Index::open(const std::string& path, std::string_view key) {
  auto database = Database::open(path, Database::Access::writer);
  if (!database) return fail(database.error());
  Index index;
  index.database_ = std::move(*database);
  // What a person had erased is not left in free pages.
  auto ready = index.database_.run("PRAGMA secure_delete=ON; PRAGMA cache_size=-32768");
  if (ready) ready = prepare_index(index.database_);
  if (ready) ready = index.set_up(key);
  if (!ready) return fail(ready.error());
  return index;
}

Result<Done> Index::set_up(std::string_view key) {
  if (const auto prepared = prepare(); !prepared) return prepared;
  if (const auto begun = begin(); !begun) return begun;
  const auto secret = this->secret("link_secret", 32);
  if (!secret) return fail(secret.error());
  secret_ = *secret;
  const auto seed = this->secret("seed", 8);
  if (!seed) return fail(seed.error());
  seed_ = hash64(*seed);
  auto known = database_.prepare("INSERT OR IGNORE INTO keys(id) VALUES(?)");
  if (!known) return fail(known.error());
  if (const auto put = known->bind(key).run(); !put) return put;
  auto number = database_.prepare("SELECT number FROM keys WHERE id = ?");
  if (!number) return fail(number.error());
  if (const auto there = number->bind(key).row(); !there) return fail(there.error());
  key_ = number->unsigned_number(0);
  number->reset();
  const auto started = database_.run(
      "INSERT INTO meta VALUES(CAST('start' AS BLOB), 1) "
      "ON CONFLICT(name) DO UPDATE SET value = value + 1");
  if (!started) return started;
  const auto start = database_.number("SELECT value FROM meta WHERE name = CAST('start' AS BLOB)");
  if (!start) return fail(start.error());
  start_ = static_cast<uint64_t>(*start);
  auto born = database_.prepare("INSERT OR IGNORE INTO meta VALUES(CAST('born' AS BLOB), ?)");
  if (!born) return fail(born.error());
  if (const auto put = born->bind(number_of(SystemClock().now())).run(); !put) return put;
  const auto made = database_.number("SELECT value FROM meta WHERE name = CAST('born' AS BLOB)");
  if (!made) return fail(made.error());
  born_ = time_from(*made);
  if (const auto counted = count(); !counted) return counted;
  return commit();
}

Result<Done> Index::prepare() {
  auto rows = IndexRows::over(database_);
  if (!rows) return fail(rows.error());
  rows_ = std::move(*rows);
  const auto make = [&](Statement& into, std::string_view sql) -> Result<Done> {
    auto made = database_.prepare(sql);
    if (!made) return fail(made.error());
    into = std::move(*made);
    return Done{};
  };
  auto ready = make(insert_message_,
                    "INSERT INTO messages(id, at, until, open, ended, key, bytes, sha, body) "
                    "VALUES(?, ?, ?, ?, 0, ?, ?, ?, ?) RETURNING number");
  if (ready) {
    ready = make(insert_copy_,
                 "INSERT INTO copies VALUES(?, ?, ?, ?, 0, ?, 0, 0, NULL, 0, ?, ?, x'', x'')");
  }
  if (ready) ready = make(insert_term_, "INSERT OR IGNORE INTO terms VALUES(?, ?, ?)");
  if (ready) {
    ready = make(drop_term_, "DELETE FROM terms WHERE term = ? AND at = ? AND message = ?");
  }
  if (ready) {
    ready = make(same_,
                 "SELECT message FROM copies WHERE same = ? AND same <> x'' AND at >= ? "
                 "ORDER BY at LIMIT 8");
  }
  if (ready) {
    ready = make(update_copy_,
                 "UPDATE copies SET state = ?, changed = ?, release_at = ?, paced = ?, "
                 "requested = iif(?, ?, NULL), attempt = ?, recipient = ?, arguments = ?, who = ?, "
                 "note = ? WHERE message = ? AND place = ?");
  }
  if (ready) {
    ready = make(update_open_, "UPDATE messages SET open = ?, ended = ?, key = ? WHERE number = ?");
  }
  return ready;
}

Result<std::string> Index::secret(std::string_view name, size_t bytes) {
  auto there = database_.prepare("SELECT value FROM meta WHERE name = ?");
  if (!there) return fail(there.error());
  const auto found = there->bind(name).row();
  if (!found) return fail(found.error());
  if (*found) return std::string(there->bytes(0));
  std::string made = crypto::random_hex(bytes);
  auto put = database_.prepare("INSERT INTO meta VALUES(?, ?)");
  if (!put) return fail(put.error());
  if (const auto done = put->bind(name).bind(made).run(); !done) return fail(done.error());
  return made;
}

Result<Done> Index::count() {
  auto all = database_.prepare(
      "SELECT count(*), coalesce(sum(open), 0), coalesce(sum(bytes), 0) FROM messages "
      "WHERE open > 0");
  if (!all) return fail(all.error());
  if (const auto there = all->row(); !there) return fail(there.error());
  totals_ = {};
  totals_.messages = all->unsigned_number(0);
  totals_.copies = all->unsigned_number(1);
  totals_.bytes = all->unsigned_number(2);
  all->reset();
  const auto due =
      database_.number("SELECT count(*) FROM copies WHERE state > 0 AND state IN (1, 2)");
  if (!due) return fail(due.error());
  const auto requested =
      database_.number("SELECT count(*) FROM copies WHERE requested IS NOT NULL AND state <= 2");
  if (!requested) return fail(requested.error());
  totals_.due = static_cast<uint64_t>(*due);
  totals_.requested = static_cast<uint64_t>(*requested);
  return Done{};
}

Result<Time> Index::oldest() {
  const auto at = database_.number("SELECT at FROM messages WHERE open > 0 ORDER BY at LIMIT 1");
  if (!at) return fail(at.error());
  return time_from(*at);
}

Result<std::vector<std::string>> Index::keys_in_use() {
  auto keys = database_.prepare(
      "SELECT id FROM keys WHERE EXISTS(SELECT 1 FROM messages WHERE key = keys.number AND key > "
      "0)");
  if (!keys) return fail(keys.error());
  std::vector<std::string> found;
  while (true) {
    const auto there = keys->row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    found.emplace_back(keys->bytes(0));
  }
}

Result<Done> Index::begin() {
  begun_ = {.totals = totals_, .gone = gone_.size()};
  return database_.run("BEGIN IMMEDIATE");
}

Result<Done> Index::commit() {
  auto done = database_.run("COMMIT");
  if (!done) roll_back();
  return done;
}

void Index::roll_back() {
  // SQLite may have rolled back by itself.
  (void)database_.run("ROLLBACK");
  totals_ = begun_.totals;
  gone_.resize(begun_.gone);
}

Result<Done> Index::begin_part() {
  part_ = {.totals = totals_, .gone = gone_.size()};
  return database_.run("SAVEPOINT part");
}

Result<Done> Index::end_part() { return database_.run("RELEASE part"); }

bool Index::undo_part() {
  if (!database_.run("ROLLBACK TO part; RELEASE part")) return false;
  totals_ = part_.totals;
  gone_.resize(part_.gone);
  return true;
}

void Index::add_to_totals(const Copy& copy, bool take_off) {
  const uint64_t one = take_off ? uint64_t(-1) : 1;  // unsigned sums wrap: that is a difference
  if (!is_open(copy.state)) return;
  totals_.copies += one;
  if (is_counted_due(copy.state)) totals_.due += one;
  if (copy.requested) totals_.requested += one;
}

Result<HeldId> Index::known(std::string_view same, Time since, const HasFile& has_file) {
  std::vector<uint64_t> found;
  same_.bind(same).bind(number_of(since));
  while (true) {
    const auto there = same_.row();
    if (!there) return fail(there.error());
    if (!*there) break;
    found.push_back(same_.unsigned_number(0));
  }
  for (const uint64_t number : found) {
    const auto row = rows_.at(number);
    if (!row) return fail(row.error());
    if (*row && ((*row)->key == 0 || has_file((*row)->message.id))) return (*row)->message.id;
  }
  return HeldId{};
}

Result<HeldId> Index::insert(NewMessage& added, Time since, const HasFile& has_file) {
  HeldMessage& message = added.message;
  HeldId earlier;
  std::set<std::string> seen;
  std::vector<Copy> copies;
  std::vector<std::string> same;
  for (size_t i = 0; i < message.copies.size(); ++i) {
    if (!seen.insert(added.same[i]).second) continue;
    const auto there = known(added.same[i], since, has_file);
    if (!there) return there;
    if (*there) {
      earlier = *there;
      continue;
    }
    copies.push_back(std::move(message.copies[i]));
    same.push_back(std::move(added.same[i]));
  }
  message.copies = std::move(copies);
  added.same = std::move(same);
  if (message.copies.empty()) return earlier;

  const std::string id = bytes_of(message.id);
  const std::string body = encode_message(message);
  const auto there = insert_message_.bind(id)
                         .bind(number_of(message.at))
                         .bind(number_of(message.until))
                         .bind(uint64_t{message.copies.size()})
                         .bind(key_)
                         .bind(added.bytes)
                         .bind(added.sha)
                         .bind(body)
                         .row();
  if (!there) return fail(there.error());
  const uint64_t number = insert_message_.unsigned_number(0);
  insert_message_.reset();
  for (size_t place = 0; place < message.copies.size(); ++place) {
    if (const auto put = insert_copy(number, added, place); !put) return fail(put.error());
  }
  if (const auto put = put_terms(number, message); !put) return fail(put.error());
  ++totals_.messages;
  totals_.bytes += added.bytes;
  return message.id;
}

Result<Done> Index::insert_copy(uint64_t number, const NewMessage& added, size_t place) {
  const Copy& copy = added.message.copies[place];
  add_to_totals(copy, false);
  return insert_copy_.bind(number)
      .bind(uint64_t{place})
      .bind(number_of(added.message.at))
      .bind(added.same[place])
      .bind(number_of(copy.changed))
      .bind(copy.recipient)
      .bind(copy.arguments)
      .run();
}

Result<Done> Index::put_terms(uint64_t number, const HeldMessage& message) {
  for (const uint64_t term : terms_of(message, seed_)) {
    const auto put = insert_term_.bind(term).bind(number_of(message.at)).bind(number).run();
    if (!put) return put;
  }
  return Done{};
}

Result<Done> Index::drop_terms(const HeldRow& row) {
  for (const uint64_t term : terms_of(row.message, seed_)) {
    const auto gone = drop_term_.bind(term).bind(number_of(row.message.at)).bind(row.number).run();
    if (!gone) return gone;
  }
  return Done{};
}

Result<Done> Index::change(HeldRow& row, size_t place, Copy copy, uint64_t attempt) {
  Copy& there = row.message.copies[place];
  const bool was_open = is_open(there.state);
  const auto put = update_copy_.bind(static_cast<int64_t>(copy.state))
                       .bind(number_of(copy.changed))
                       .bind(number_of(copy.release_at))
                       .bind(int64_t{copy.paced})
                       .bind(int64_t{copy.requested.has_value()})
                       .bind(number_of(copy.requested.value_or(Time{})))
                       .bind(attempt)
                       .bind(copy.recipient)
                       .bind(copy.arguments)
                       .bind(copy.by)
                       .bind(copy.note)
                       .bind(row.number)
                       .bind(uint64_t{place})
                       .run();
  if (!put) return put;
  add_to_totals(there, true);
  add_to_totals(copy, false);
  there = std::move(copy);
  row.attempts[place] = attempt;
  return was_open == is_open(there.state) ? Done{} : close_or_open(row, there.changed);
}

// A copy that is closed stays so: a message can only come to its end.
Result<Done> Index::close_or_open(HeldRow& row, Time now) {
  const size_t open = open_copies(row.message);
  const bool over = open == 0;
  const auto put = update_open_.bind(uint64_t{open})
                       .bind(over ? number_of(now) : 0)
                       .bind(over ? 0 : row.key)
                       .bind(row.number)
                       .run();
  if (!put || !over) return put;
  row.key = 0;
  --totals_.messages;
  totals_.bytes -= row.bytes;
  gone_.push_back(row.message.id);
  return Done{};
}

}  // namespace watchpost::quarantine
