#include "store/sqlite/state_writer.h"

#include "store/audit_chain.h"
#include "store/records.h"
#include "store/sqlite/feedback_rows.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// Prepares `sql` once and runs it for each value; `bind` gives the values to it.
template <class Value, class Bind>
Result<Done> for_each(Database& database, std::string_view sql, std::span<const Value> values,
                      Bind bind) {
  if (values.empty()) return Done{};
  auto statement = database.prepare(sql);
  if (!statement) return fail(statement.error());
  for (const Value& value : values) {
    const std::string body = encode(value);
    bind(*statement, value, std::string_view(body));
    const auto done = statement->run();
    if (!done) return done;
  }
  return Done{};
}

std::string_view bytes_of(const crypto::Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

Result<StateWriter> StateWriter::open(const std::string& path) {
  auto database = Database::open(path, Database::Access::writer);
  if (!database) return fail(database.error());
  const auto prepared = prepare_state(*database);
  if (!prepared) return fail(prepared.error());
  StateWriter writer;
  writer.database_ = std::move(*database);
  const auto read = writer.read_ends();
  if (!read) return fail(read.error());
  return writer;
}

Result<Done> StateWriter::read_ends() {
  const auto last = database_.number("SELECT last_event FROM ledger");
  if (!last) return fail(last.error());
  last_event_ = static_cast<uint64_t>(*last);
  const auto last_audit = database_.number("SELECT last_audit FROM ledger");
  if (!last_audit) return fail(last_audit.error());
  audit_.number = static_cast<uint64_t>(*last_audit);
  auto query = database_.prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  if (!query) return fail(query.error());
  const auto there = query->row();
  if (!there) return fail(there.error());
  if (!*there) return Done{};
  // Where the last rows were taken out, numbers go on from the ledger's: the gap stays to be seen.
  audit_.number = std::max(audit_.number, query->unsigned_number(0));
  // A hash of another size is found by verify_audit(); it must not keep the store from opening.
  const std::string_view hash = query->bytes(1);
  std::copy_n(hash.begin(), std::min(hash.size(), audit_.hash.size()), audit_.hash.begin());
  return Done{};
}

Result<Done> StateWriter::write(const Commit& commit, uint64_t last_event,
                                std::span<const PartitionEntry> partitions) {
  auto transaction = Transaction::begin(database_, true);
  if (!transaction) return fail(transaction.error());
  for (const PartitionEntry& entry : partitions) {
    const auto stored = store_partition(database_, entry);
    if (!stored) return stored;
  }
  const auto records = write_records(commit);
  if (!records) return records;
  const auto audit = write_audit(commit.audit);
  if (!audit) return fail(audit.error());
  auto ledger = database_.prepare("UPDATE ledger SET last_event = ?, last_audit = ?");
  if (!ledger) return fail(ledger.error());
  const auto counted = ledger->bind(last_event).bind(audit->number).run();
  if (!counted) return counted;
  const auto committed = transaction->commit();
  if (!committed) return committed;
  last_event_ = last_event;
  audit_ = *audit;
  return committed;
}

Result<Done> StateWriter::write_records(const Commit& commit) {
  auto done = write_facts(commit.facts);
  if (!done) return done;
  done = write_feedback(database_, commit);
  if (!done) return done;
  done = for_each(database_, "INSERT OR REPLACE INTO incidents VALUES(?, ?)",
                  std::span(commit.incidents),
                  [](Statement& row, const Incident& incident, std::string_view body) {
                    row.bind(incident.id.number).bind(body);
                  });
  if (!done) return done;
  done = write_decisions(commit.decisions);
  if (!done) return done;
  done = for_each(
      database_, "INSERT INTO shadow_decisions(body) VALUES(?)", std::span(commit.shadow),
      [](Statement& row, const ShadowDecision&, std::string_view body) { row.bind(body); });
  if (!done) return done;
  done = for_each(database_, "INSERT OR REPLACE INTO enforcements VALUES(?, ?, ?)",
                  std::span(commit.enforcements),
                  [](Statement& row, const Enforcement& value, std::string_view body) {
                    row.bind(value.decision.number).bind(value.enforcer).bind(body);
                  });
  if (!done) return done;
  return for_each(database_, "INSERT OR REPLACE INTO notices VALUES(?, ?)",
                  std::span(commit.notices),
                  [](Statement& row, const Notice& notice, std::string_view body) {
                    row.bind(notice.number).bind(body);
                  });
}

Result<Done> StateWriter::write_facts(std::span<const Fact> facts) {
  if (facts.empty()) return Done{};
  auto put = database_.prepare("INSERT OR REPLACE INTO facts VALUES(?, ?)");
  if (!put) return fail(put.error());
  auto remove = database_.prepare("DELETE FROM facts WHERE name = ?");
  if (!remove) return fail(remove.error());
  for (const Fact& fact : facts) {
    const auto done = fact.value.empty() ? remove->bind(fact.name).run()
                                         : put->bind(fact.name).bind(fact.value).run();
    if (!done) return done;
  }
  return Done{};
}

Result<Done> StateWriter::write_decisions(std::span<const Decision> decisions) {
  if (decisions.empty()) return Done{};
  // Not INSERT OR REPLACE: that would silently replace another decision of the same episode.
  auto put = database_.prepare(
      "INSERT INTO decisions VALUES(?, ?, ?, ?, ?) ON CONFLICT(number) DO UPDATE SET "
      "detector = excluded.detector, scope = excluded.scope, episode = excluded.episode, "
      "body = excluded.body");
  if (!put) return fail(put.error());
  for (const Decision& decision : decisions) {
    const std::string scope = decision.scope.text();
    const std::string body = encode(decision);
    const auto done = put->bind(decision.id.number)
                          .bind(decision.detector)
                          .bind(scope)
                          .bind(decision.episode)
                          .bind(body)
                          .run();
    if (!done && done.error().code == Code::internal) {
      return fail(Code::internal,
                  fmt::format("detector `{}` already has a decision on this stream in this episode",
                              decision.detector),
                  text_of(decision.id));
    }
    if (!done) return done;
  }
  return Done{};
}

Result<StateWriter::AuditEnd> StateWriter::write_audit(std::span<const AuditEntry> audit) {
  AuditEnd end = audit_;
  if (audit.empty()) return end;
  auto insert = database_.prepare("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  for (const AuditEntry& entry : audit) {
    ++end.number;
    end.hash = chained(end.hash, end.number, entry);
    const auto done = insert->bind(end.number)
                          .bind(int64_t{entry.at.time_since_epoch().count()})
                          .bind(entry.who)
                          .bind(entry.what)
                          .bind(entry.about)
                          .bind(entry.detail)
                          .bind(bytes_of(end.hash))
                          .run();
    if (!done) return fail(done.error());
  }
  return end;
}

}  // namespace watchpost::store::sqlite
