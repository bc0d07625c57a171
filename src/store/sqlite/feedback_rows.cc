#include "store/sqlite/feedback_rows.h"

#include "store/cursor.h"
#include "store/records.h"
#include "store/sqlite/kept_mail_room.h"
#include "store/sqlite/suppression_rows.h"

#include <algorithm>
#include <array>
#include <span>
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

Result<Done> write_lasting_ids(Database& database, std::span<const LastingId> ids) {
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

Result<Done> write_kept_mail(Database& database, std::span<const KeptMail> mails) {
  if (mails.empty()) return Done{};
  auto put =
      database.prepare("INSERT INTO kept_mail(size, body, bytes, holder) VALUES(?, ?, ?, ?)");
  if (!put) return fail(put.error());
  for (const KeptMail& mail : mails) {
    const std::string body = encode(mail);
    const std::string holder = holder_of(mail);
    const auto done =
        put->bind(uint64_t{mail.bytes.size()}).bind(body).bind(mail.bytes).bind(holder).run();
    if (!done) return done;
  }
  return Done{};
}

// Of a row that begins with its number and body.
Result<KeptMail> kept_mail_in(const Database& database, const Statement& row) {
  const uint64_t number = row.unsigned_number(0);
  auto mail =
      decode_kept_mail(row.bytes(1), fmt::format("{} kept_mail row {}", database.path(), number));
  if (mail) mail->number = number;
  return mail;
}

}  // namespace

Result<Done> write_feedback(Database& database, const Commit& commit) {
  auto done = write_lasting_ids(database, commit.lasting);
  if (done) done = write_kept_mail(database, commit.kept_mail);
  if (done) done = write_suppressions(database, commit.suppressions);
  return done;
}

Result<Done> drop_old_ids(Database& database, Time oldest) {
  auto remove = database.prepare("DELETE FROM lasting_ids WHERE at < ?");
  if (!remove) return fail(remove.error());
  return remove->bind(number_of(oldest)).run();
}

Result<bool> LastingIds::has(Database& database, const EventId& id) {
  if (!query_) {
    auto query = database.prepare("SELECT 1 FROM lasting_ids WHERE id = ?");
    if (!query) return fail(query.error());
    query_ = std::move(*query);
  }
  const IdBytes bytes = bytes_of(id);
  const auto found = query_->bind(std::string_view(bytes.data(), bytes.size())).row();
  query_->reset();  // what is read stands still until then
  return found;
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
    mails.push_back(std::move(*mail));
  }
}

Result<std::optional<KeptMail>> read_kept_mail_of(Database& database, uint64_t number) {
  auto query = database.prepare("SELECT number, body, bytes FROM kept_mail WHERE number = ?");
  if (!query) return fail(query.error());
  const auto there = query->bind(number).row();
  if (!there) return fail(there.error());
  if (!*there) return std::nullopt;
  auto mail = kept_mail_in(database, *query);
  if (!mail) return fail(mail.error());
  mail->bytes = query->bytes(2);
  return std::optional(std::move(*mail));
}

}  // namespace watchpost::store::sqlite
