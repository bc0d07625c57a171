#include "store/sqlite/kept_mail_room.h"

#include "store/encoding.h"

#include <algorithm>
#include <map>
#include <utility>

namespace watchpost::store::sqlite {
namespace {

constexpr std::string_view kRemoved = "kept_mail/removed";

struct Held {
  uint64_t mails = 0;
  uint64_t bytes = 0;
};
using Holders = std::map<std::string, Held>;

Held all_of(const Holders& holders) {
  Held all;
  for (const auto& [holder, held] : holders) {
    all.mails += held.mails;
    all.bytes += held.bytes;
  }
  return all;
}

Result<Holders> read_holders(Database& database) {
  auto query =
      database.prepare("SELECT holder, count(*), sum(size) FROM kept_mail GROUP BY holder");
  if (!query) return fail(query.error());
  Holders holders;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return holders;
    holders.emplace(query->bytes(0), Held{query->unsigned_number(1), query->unsigned_number(2)});
  }
}

// Who holds most of what there is too much of. What asks to be unsubscribed has to be seen by a
// person: it may take twice the room.
Holders::iterator largest(Holders& holders, bool by_mails) {
  return std::ranges::max_element(holders, {}, [&](const auto& one) {
    const uint64_t held = by_mails ? one.second.mails : one.second.bytes;
    return one.first == kUnsubscribes ? held / 2 : held;
  });
}

Result<uint64_t> remove_too_much(Database& database, Holders& holders) {
  auto oldest = database.prepare(
      "SELECT number, size FROM kept_mail WHERE holder = ? ORDER BY number LIMIT 1");
  if (!oldest) return fail(oldest.error());
  auto remove = database.prepare("DELETE FROM kept_mail WHERE number = ?");
  if (!remove) return fail(remove.error());
  Held all = all_of(holders);
  uint64_t removed = 0;
  while (all.mails > kMostKeptMail || all.bytes > kMostKeptMailBytes) {
    const auto from = largest(holders, all.mails > kMostKeptMail);
    const auto there = oldest->bind(std::string_view(from->first)).row();
    if (!there) return fail(there.error());
    if (!*there) return fail(Code::corrupt, "kept mail is not what was counted", database.path());
    const uint64_t number = oldest->unsigned_number(0);
    const uint64_t size = oldest->unsigned_number(1);
    oldest->reset();
    const auto done = remove->bind(number).run();
    if (!done) return fail(done.error());
    for (Held* const held : {&from->second, &all}) {
      --held->mails;
      held->bytes -= size;
    }
    ++removed;
  }
  return removed;
}

Result<Done> count_removed(Database& database, uint64_t removed, Time now) {
  auto before = removed_kept_mail(database);
  if (!before) return fail(before.error());
  Encoder value;
  value.number(before->mails + removed);
  value.time(before->since.value_or(now));
  auto put = database.prepare("INSERT OR REPLACE INTO facts VALUES(?, ?)");
  if (!put) return fail(put.error());
  const std::string bytes = value.take();
  return put->bind(kRemoved).bind(std::string_view(bytes)).run();
}

}  // namespace

std::string holder_of(const KeptMail& mail) {
  if (mail.proven) return mail.reporter;
  return mail.unsubscribes ? std::string(kUnsubscribes) : std::string();
}

Result<TrimmedKeptMail> trim_kept_mail(Database& database, Time now) {
  auto transaction = Transaction::begin(database, true);
  if (!transaction) return fail(transaction.error());
  auto holders = read_holders(database);
  if (!holders) return fail(holders.error());
  const auto removed = remove_too_much(database, *holders);
  if (!removed) return fail(removed.error());
  const TrimmedKeptMail trimmed{all_of(*holders).mails, *removed};
  if (*removed == 0) return trimmed;
  const auto counted = count_removed(database, *removed, now);
  if (!counted) return fail(counted.error());
  const auto committed = transaction->commit();
  if (!committed) return fail(committed.error());
  return trimmed;
}

Result<RemovedKeptMail> removed_kept_mail(Database& database) {
  auto query = database.prepare("SELECT value FROM facts WHERE name = ?");
  if (!query) return fail(query.error());
  const auto there = query->bind(kRemoved).row();
  if (!there) return fail(there.error());
  if (!*there) return RemovedKeptMail{};
  Decoder value(query->bytes(0));
  RemovedKeptMail removed{value.number(), value.time()};
  const auto whole = value.finish(std::string(kRemoved));
  if (!whole) return fail(whole.error());
  return removed;
}

}  // namespace watchpost::store::sqlite
