#include "quarantine/digest_marks.h"

#include "base/text.h"

#include <string>
#include <unordered_map>
#include <utility>

namespace watchpost::quarantine {
namespace {

using store::sqlite::Database;
using store::sqlite::Transaction;

using Marks = std::unordered_map<std::string, DigestMark>;

Result<Marks> read_marks(Database& database) {
  auto rows = database.prepare("SELECT recipient, day, told FROM digests");
  if (!rows) return fail(rows.error());
  Marks marks;
  while (true) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return marks;
    marks[std::string(rows->bytes(0))] = {time_from(rows->number(1)), time_from(rows->number(2))};
  }
}

}  // namespace

Result<std::vector<DigestDue>> find_digest_due(Database& database, IndexRows& index, Time day,
                                               size_t most) {
  auto still = Transaction::begin(database, false);
  if (!still) return fail(still.error());
  const auto marks = read_marks(database);
  if (!marks) return fail(marks.error());
  const auto mark_of = [&](const std::string& recipient) {
    const auto found = marks->find(recipient);
    return found == marks->end() ? DigestMark{} : found->second;
  };
  std::vector<DigestDue> due;
  if (mark_of("").day >= day) return due;
  auto rows = database.prepare(
      "SELECT m.number, m.at, c.recipient FROM messages m JOIN copies c ON c.message = m.number "
      "WHERE m.open > 0 AND c.state = 0");
  if (!rows) return fail(rows.error());
  // Of those met before: whether they are among the due. What is told of a message is in its body,
  // which is not read for each.
  std::unordered_map<std::string, bool> met;
  while (due.size() < most) {
    const auto there = rows->row();
    if (!there) return fail(there.error());
    if (!*there) return due;
    std::string recipient = lower_ascii(rows->bytes(2));
    if (recipient.empty() || met[recipient]) continue;
    const DigestMark mark = mark_of(recipient);
    if (mark.day >= day || time_from(rows->number(1)) < mark.told) continue;
    const auto row = index.at(rows->unsigned_number(0));
    if (!row && row.error().code == Code::corrupt) continue;  // the others do not wait for it
    if (!row) return fail(row.error());
    if (!*row || (*row)->message.direction != Direction::inbound || (*row)->message.certain) {
      continue;
    }
    met[recipient] = true;
    due.push_back({std::move(recipient), mark});
  }
  rows->reset();
  return due;
}

Result<Done> put_digest_mark(Database& database, std::string_view recipient,
                             const DigestMark& mark) {
  auto put = database.prepare("INSERT OR REPLACE INTO digests VALUES(?, ?, ?)");
  if (!put) return fail(put.error());
  return put->bind(recipient).bind(number_of(mark.day)).bind(number_of(mark.told)).run();
}

Result<Done> forget_digest_marks(Database& database, Time then) {
  auto gone = database.prepare(
      "DELETE FROM digests WHERE recipient <> x'' AND day < ?1 AND "
      "told < IFNULL((SELECT MIN(at) FROM messages WHERE open > 0), ?1)");
  if (!gone) return fail(gone.error());
  return gone->bind(number_of(then)).run();
}

Result<Done> drop_digest_mark(Database& database, std::string_view recipient) {
  auto gone = database.prepare("DELETE FROM digests WHERE recipient = ?");
  if (!gone) return fail(gone.error());
  const std::string key = lower_ascii(recipient);
  return gone->bind(key).run();
}

}  // namespace watchpost::quarantine
