#include "store/sqlite/feedback_rows.h"

#include "store/cursor.h"
#include "store/records.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

using IdBytes = std::array<char, 16>;

IdBytes bytes_of(const EventId& id) {
  IdBytes bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(id.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<char>(id.low >> (56 - 8 * i));
  }
  return bytes;
}

int64_t number_of(Time at) { return at.time_since_epoch().count(); }

Result<Done> write_lasting_ids(Database& database, const std::vector<LastingId>& ids) {
  if (ids.empty()) return Done{};
  auto put = database.prepare("INSERT OR IGNORE INTO lasting_ids VALUES(?, ?)");
  if (!put) return fail(put.error());
  for (const LastingId& one : ids) {
    const IdBytes id = bytes_of(one.id);
    const auto done =
        put->bind(std::string_view(id.data(), id.size())).bind(number_of(one.at)).run();
    if (!done) return done;
  }
  return Done{};
}

Result<Done> write_kept_mail(Database& database, const std::vector<KeptMail>& mails) {
  if (mails.empty()) return Done{};
  const auto last = database.number("SELECT MAX(number) FROM kept_mail");
  if (!last) return fail(last.error());
  auto put = database.prepare("INSERT INTO kept_mail VALUES(?, ?, ?)");
  if (!put) return fail(put.error());
  auto number = static_cast<uint64_t>(*last);
  for (const KeptMail& mail : mails) {
    KeptMail numbered = mail;
    numbered.number = ++number;
    const std::string body = encode(numbered);
    const auto done = put->bind(number).bind(number_of(mail.at)).bind(body).run();
    if (!done) return done;
  }
  return Done{};
}

Result<Done> write_suppressions(Database& database, const std::vector<Suppression>& all) {
  if (all.empty()) return Done{};
  auto put = database.prepare("INSERT OR REPLACE INTO suppressions VALUES(?, ?, ?, ?)");
  if (!put) return fail(put.error());
  for (const Suppression& one : all) {
    const std::string body = encode(one);
    const auto done = put->bind(one.recipient).bind(one.customer).bind(one.change).bind(body).run();
    if (!done) return done;
  }
  return Done{};
}

Result<KeptMail> kept_mail_in(const Database& database, const Statement& row) {
  return decode_kept_mail(
      row.bytes(1), fmt::format("{} kept_mail row {}", database.path(), row.unsigned_number(0)));
}

}  // namespace

Result<Done> write_feedback(Database& database, const Commit& commit) {
  auto done = write_lasting_ids(database, commit.lasting);
  if (done) done = write_kept_mail(database, commit.kept_mail);
  if (done) done = write_suppressions(database, commit.suppressions);
  return done;
}

Result<Done> drop_old_feedback(Database& database, Time oldest) {
  auto remove_ids = database.prepare("DELETE FROM lasting_ids WHERE at < ?");
  if (!remove_ids) return fail(remove_ids.error());
  const auto removed = remove_ids->bind(number_of(oldest)).run();
  if (!removed) return removed;
  // The number of the newest that is too much.
  auto query = database.prepare(
      "SELECT MAX(number) FROM (SELECT number, ROW_NUMBER() OVER newest AS place, "
      "SUM(LENGTH(body)) OVER newest AS bytes FROM kept_mail "
      "WINDOW newest AS (ORDER BY number DESC)) WHERE place > ? OR bytes > ?");
  if (!query) return fail(query.error());
  const auto found = query->bind(uint64_t{kMostKeptMail}).bind(uint64_t{kMostKeptMailBytes}).row();
  if (!found) return fail(found.error());
  const int64_t last = *found ? query->number(0) : 0;
  query->reset();
  if (last == 0) return Done{};
  auto remove = database.prepare("DELETE FROM kept_mail WHERE number <= ?");
  if (!remove) return fail(remove.error());
  return remove->bind(last).run();
}

Result<bool> has_lasting_id(Database& database, const EventId& id) {
  auto query = database.prepare("SELECT 1 FROM lasting_ids WHERE id = ?");
  if (!query) return fail(query.error());
  const IdBytes bytes = bytes_of(id);
  return query->bind(std::string_view(bytes.data(), bytes.size())).row();
}

Result<std::vector<KeptMail>> read_kept_mail(Database& database, size_t limit) {
  auto query = database.prepare("SELECT number, body FROM kept_mail ORDER BY number DESC LIMIT ?");
  if (!query) return fail(query.error());
  query->bind(uint64_t{std::min<uint64_t>(limit, kLastSequence)});
  std::vector<KeptMail> mails;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return mails;
    auto mail = kept_mail_in(database, *query);
    if (!mail) return fail(mail.error());
    mail->bytes.clear();
    mails.push_back(std::move(*mail));
  }
}

Result<std::optional<KeptMail>> read_kept_mail_of(Database& database, uint64_t number) {
  auto query = database.prepare("SELECT number, body FROM kept_mail WHERE number = ?");
  if (!query) return fail(query.error());
  const auto there = query->bind(number).row();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  auto mail = kept_mail_in(database, *query);
  if (!mail) return fail(mail.error());
  return std::optional(std::move(*mail));
}

Result<std::vector<Suppression>> read_suppressions(Database& database, uint64_t after,
                                                   size_t limit) {
  auto query = database.prepare(
      "SELECT change, body FROM suppressions WHERE change > ? ORDER BY change LIMIT ?");
  if (!query) return fail(query.error());
  query->bind(std::min<uint64_t>(after, kLastSequence))
      .bind(uint64_t{std::min<uint64_t>(limit, kLastSequence)});
  std::vector<Suppression> all;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return all;
    auto one = decode_suppression(
        query->bytes(1),
        fmt::format("{} suppressions row {}", database.path(), query->unsigned_number(0)));
    if (!one) return fail(one.error());
    all.push_back(std::move(*one));
  }
}

}  // namespace watchpost::store::sqlite
