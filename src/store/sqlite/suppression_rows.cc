#include "store/sqlite/suppression_rows.h"

#include "store/cursor.h"
#include "store/records.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// Of a row that begins with its change and body.
Result<Suppression> suppression_in(const Database& database, const Statement& row) {
  return decode_suppression(
      row.bytes(1), fmt::format("{} suppressions row {}", database.path(), row.unsigned_number(0)));
}

// Those of the query's rows (change, body) that are wanted, up to `limit`.
template <class Wanted>
Result<std::vector<Suppression>> suppressions_in(const Database& database, Statement& query,
                                                 size_t limit, const Wanted& wanted) {
  std::vector<Suppression> all;
  while (all.size() < limit) {
    const auto more = query.row();
    if (!more) return fail(more.error());
    if (!*more) break;
    auto one = suppression_in(database, query);
    if (!one) return fail(one.error());
    if (wanted(*one)) all.push_back(std::move(*one));
  }
  return all;
}

bool is_wanted(const SuppressionQuery& wanted, const Suppression& one) {
  return (!wanted.customer || one.customer == *wanted.customer) &&
         (!wanted.reason || one.reason == *wanted.reason) &&
         (!wanted.since || one.since >= *wanted.since) &&
         (!wanted.held_at || one.holds(*wanted.held_at));
}

// The statements of a commit.
class Writer {
 public:
  static Result<Writer> open(Database& database) {
    Writer made;
    const std::pair<Statement*, std::string_view> all[] = {
        {&made.there_,
         "SELECT change, body FROM suppressions WHERE recipient = ? AND customer = ? AND "
         "reason = ?"},
        {&made.put_, "INSERT OR REPLACE INTO suppressions VALUES(?, ?, ?, ?, ?)"},
        {&made.keep_, "INSERT OR REPLACE INTO suppression_history VALUES(?, ?, ?, ?, ?)"},
        {&made.forget_,
         "DELETE FROM suppression_history WHERE recipient = ?1 AND customer = ?2 AND reason = ?3 "
         "AND change <= (SELECT change FROM suppression_history WHERE recipient = ?1 AND "
         "customer = ?2 AND reason = ?3 ORDER BY change DESC LIMIT 1 OFFSET ?4)"}};
    for (const auto& [statement, sql] : all) {
      auto prepared = database.prepare(sql);
      if (!prepared) return fail(prepared.error());
      *statement = std::move(*prepared);
    }
    return made;
  }

  // What was there becomes history.
  Result<Done> write(const Suppression& one) {
    const auto found = key(there_, one).row();
    if (!found) return fail(found.error());
    if (*found && there_.unsigned_number(0) != one.change) {
      const auto kept = key(keep_, one).bind(there_.unsigned_number(0)).bind(there_.bytes(1)).run();
      if (!kept) return kept;
      const auto gone = key(forget_, one).bind(uint64_t{kMostSuppressionHistory}).run();
      if (!gone) return gone;
    }
    there_.reset();
    const std::string body = encode(one);
    return key(put_, one).bind(one.change).bind(body).run();
  }
  // The one with the same key.
  Result<std::optional<Suppression>> read(const Database& database, const Suppression& one) {
    const auto found = key(there_, one).row();
    if (!found) return fail(found.error());
    if (!*found) return std::nullopt;
    auto there = suppression_in(database, there_);
    there_.reset();
    if (!there) return fail(there.error());
    return std::optional(std::move(*there));
  }

 private:
  static Statement& key(Statement& statement, const Suppression& one) {
    return statement.bind(one.recipient).bind(one.customer).bind(name_of(one.reason));
  }

  Statement there_, put_, keep_, forget_;
};

}  // namespace

Result<Done> write_suppressions(Database& database, std::span<const Suppression> all) {
  if (all.empty()) return Done{};
  auto writer = Writer::open(database);
  if (!writer) return fail(writer.error());
  for (const Suppression& one : all) {
    if (const auto done = writer->write(one); !done) return done;
  }
  return Done{};
}

// Of two that were one: who is suppressed stays so, and for as long.
bool says_more(const Suppression& one, const Suppression& there) {
  if (one.lifted != there.lifted) return there.lifted;
  if (!one.until || !there.until) return there.until.has_value();
  return *one.until > *there.until;
}

Result<Done> take_over_suppressions(Database& database) {
  auto writer = Writer::open(database);
  if (!writer) return fail(writer.error());
  auto query = database.prepare("SELECT change, body FROM suppressions_3");
  if (!query) return fail(query.error());
  // Two ways of writing a mailbox may have been two recipients.
  std::vector<Suppression> renamed;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) break;
    auto one = suppression_in(database, *query);
    if (!one) return fail(one.error());
    if (std::string key = suppression_key(one->recipient); !key.empty() && key != one->recipient) {
      one->recipient = std::move(key);
      renamed.push_back(std::move(*one));
    } else if (const auto done = writer->write(*one); !done) {
      return done;
    }
  }
  for (const Suppression& one : renamed) {
    const auto there = writer->read(database, one);
    if (!there) return fail(there.error());
    if (*there && !says_more(one, **there)) continue;
    if (const auto done = writer->write(one); !done) return done;
  }
  *query = Statement();
  return database.run("DROP TABLE suppressions_3");
}

Result<std::vector<Suppression>> read_suppressions(Database& database, uint64_t after,
                                                   size_t limit) {
  auto query = database.prepare(
      "SELECT change, body FROM suppressions WHERE change > ? ORDER BY change LIMIT ?");
  if (!query) return fail(query.error());
  query->bind(std::min<uint64_t>(after, kLastSequence))
      .bind(uint64_t{std::min<uint64_t>(limit, kLastSequence)});
  return suppressions_in(database, *query, limit, [](const Suppression&) { return true; });
}

Result<std::vector<Suppression>> find_suppressions(Database& database,
                                                   const SuppressionQuery& wanted) {
  constexpr const char* kAll =
      "SELECT change, body FROM suppressions WHERE change < ? ORDER BY change DESC";
  constexpr const char* kOfOne =
      "SELECT change, body FROM suppressions WHERE +change < ? AND recipient = ? "
      "ORDER BY +change DESC";
  auto query = database.prepare(wanted.recipient.empty() ? kAll : kOfOne);
  if (!query) return fail(query.error());
  query->bind(wanted.before == 0 ? kLastSequence : std::min(wanted.before, kLastSequence));
  if (!wanted.recipient.empty()) query->bind(std::string_view(wanted.recipient));
  return suppressions_in(database, *query, wanted.limit,
                         [&](const Suppression& one) { return is_wanted(wanted, one); });
}

Result<std::vector<Suppression>> read_suppression_history(Database& database,
                                                          const SuppressionQuery& wanted) {
  auto query = database.prepare(
      "SELECT change, body FROM suppression_history WHERE recipient = ? ORDER BY change DESC");
  if (!query) return fail(query.error());
  query->bind(std::string_view(wanted.recipient));
  return suppressions_in(database, *query, wanted.limit,
                         [&](const Suppression& one) { return is_wanted(wanted, one); });
}

Result<Done> each_suppression(Database& database,
                              const std::function<Result<Done>(const Suppression&)>& each) {
  auto query =
      database.prepare("SELECT change, body FROM suppressions ORDER BY recipient, customer");
  if (!query) return fail(query.error());
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    const auto one = suppression_in(database, *query);
    if (!one) return fail(one.error());
    if (const auto done = each(*one); !done) return done;
  }
}

}  // namespace watchpost::store::sqlite
