// Changes of the index that are made now and then.
#include "quarantine/held_code.h"
#include "quarantine/index.h"

namespace watchpost::quarantine {

Result<Done> Index::set_until(HeldRow& row, Time until) {
  auto put = database_.prepare("UPDATE messages SET until = ? WHERE number = ?");
  if (!put) return fail(put.error());
  row.message.until = until;
  return put->bind(number_of(until)).bind(row.number).run();
}

Result<Done> Index::set_file(HeldRow& row, uint64_t key, uint64_t bytes) {
  auto put = database_.prepare("UPDATE messages SET key = ?, bytes = ? WHERE number = ?");
  if (!put) return fail(put.error());
  totals_.bytes += bytes - row.bytes;
  row.key = key;
  row.bytes = bytes;
  return put->bind(key).bind(bytes).bind(row.number).run();
}

Result<Done> Index::blank(HeldRow& row) {
  if (const auto gone = drop_terms(row); !gone) return gone;
  const HeldMessage& old = row.message;
  HeldMessage kept;
  kept.id = old.id;
  kept.at = old.at;
  kept.until = old.until;
  kept.direction = old.direction;
  kept.disposition = old.disposition;
  kept.decision = old.decision;
  kept.certain = old.certain;
  kept.size = old.size;
  kept.copies = old.copies;
  auto put = database_.prepare("UPDATE messages SET body = ?, sha = x'' WHERE number = ?");
  if (!put) return fail(put.error());
  const std::string body = encode_message(kept);
  if (const auto done = put->bind(body).bind(row.number).run(); !done) return done;
  row.message = std::move(kept);
  return put_terms(row.number, row.message);
}

Result<Done> Index::blank_copy(HeldRow& row, size_t place) {
  if (const auto gone = drop_terms(row); !gone) return gone;
  Copy copy = row.message.copies[place];
  copy.recipient.clear();
  copy.arguments.clear();
  copy.note.clear();
  if (const auto put = change(row, place, std::move(copy), row.attempts[place]); !put) return put;
  auto same = database_.prepare("UPDATE copies SET same = x'' WHERE message = ? AND place = ?");
  if (!same) return fail(same.error());
  if (const auto put = same->bind(row.number).bind(uint64_t{place}).run(); !put) return put;
  return put_terms(row.number, row.message);
}

Result<Done> Index::forget(HeldRow& row) {
  auto done = drop_terms(row);
  for (const char* const sql :
       {"DELETE FROM copies WHERE message = ?", "DELETE FROM attempts WHERE message = ?",
        "DELETE FROM messages WHERE number = ?"}) {
    if (!done) return done;
    auto remove = database_.prepare(sql);
    if (!remove) return fail(remove.error());
    done = remove->bind(row.number).run();
  }
  return done;
}

Result<std::vector<uint64_t>> Index::numbers(std::string_view sql, Time bound, size_t most) {
  auto rows = database_.prepare(sql);
  if (!rows) return fail(rows.error());
  rows->bind(number_of(bound)).bind(uint64_t{most});
  std::vector<uint64_t> found;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return found;
    found.push_back(rows->unsigned_number(0));
  }
}

Result<std::vector<uint64_t>> Index::past(Time now, size_t most) {
  return numbers(
      "SELECT m.number FROM messages m WHERE m.open > 0 AND m.until <= ?1 AND EXISTS(SELECT 1 FROM "
      "copies c WHERE c.message = m.number AND c.state = 0) ORDER BY m.until LIMIT ?2",
      now, most);
}

Result<std::vector<uint64_t>> Index::ended(Time before, size_t most) {
  return numbers("SELECT number FROM messages WHERE open = 0 AND ended < ? ORDER BY ended LIMIT ?",
                 before, most);
}

Result<AttemptRow> Index::begin_attempt(const HeldRow& row, std::string_view hash, Time now) {
  auto put = database_.prepare(
      "INSERT INTO attempts(message, token, began, start, redeemed, queue_id, doubt) "
      "VALUES(?, ?, ?, ?, 0, x'', 0) RETURNING number");
  if (!put) return fail(put.error());
  const auto there = put->bind(row.number).bind(hash).bind(number_of(now)).bind(start_).row();
  if (!there) return fail(there.error());
  AttemptRow attempt{.number = put->unsigned_number(0),
                     .message = row.number,
                     .began = now,
                     .start = start_,
                     .queue_id = {}};
  put->reset();
  return attempt;
}

Result<Done> Index::redeem(const AttemptRow& attempt, std::string_view queue_id) {
  auto put = database_.prepare("UPDATE attempts SET redeemed = 1, queue_id = ? WHERE number = ?");
  if (!put) return fail(put.error());
  return put->bind(queue_id).bind(attempt.number).run();
}

Result<Done> Index::mark_doubt(const AttemptRow& attempt) {
  auto put = database_.prepare("UPDATE attempts SET doubt = 1 WHERE number = ?");
  if (!put) return fail(put.error());
  return put->bind(attempt.number).run();
}

Result<Done> Index::end_attempt(const AttemptRow& attempt) {
  auto gone = database_.prepare("DELETE FROM attempts WHERE number = ?");
  if (!gone) return fail(gone.error());
  return gone->bind(attempt.number).run();
}

Result<Done> Index::put(const Exception& exception) {
  auto put = database_.prepare("INSERT OR REPLACE INTO exceptions VALUES(?, ?, ?, ?, ?)");
  if (!put) return fail(put.error());
  return put->bind(exception.name)
      .bind(exception.when)
      .bind(number_of(exception.until))
      .bind(exception.by)
      .bind(exception.why)
      .run();
}

Result<bool> Index::remove_exception(std::string_view name) {
  auto gone = database_.prepare("DELETE FROM exceptions WHERE name = ? RETURNING name");
  if (!gone) return fail(gone.error());
  const auto there = gone->bind(name).row();
  gone->reset();
  return there;
}

Result<Done> Index::remove_exceptions(Time past) {
  auto gone = database_.prepare("DELETE FROM exceptions WHERE until <= ?");
  if (!gone) return fail(gone.error());
  return gone->bind(number_of(past)).run();
}

}  // namespace watchpost::quarantine
