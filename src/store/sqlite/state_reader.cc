#include "store/sqlite/state_reader.h"

#include "store/audit_chain.h"
#include "store/cursor.h"
#include "store/records.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// Decodes the rows (number, body) of a query, at most `limit`.
template <class Value>
Result<std::vector<Value>> decoded(Database& database, std::string_view sql, std::string_view table,
                                   size_t limit,
                                   Result<Value> (*decode)(std::string_view, std::string_view)) {
  auto query = database.prepare(sql);
  if (!query) return fail(query.error());
  query->bind(uint64_t{std::min<uint64_t>(limit, kLastSequence)});
  std::vector<Value> values;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return values;
    const std::string about =
        fmt::format("{} {} row {}", database.path(), table, query->unsigned_number(0));
    auto value = decode(query->bytes(1), about);
    if (!value) return fail(value.error());
    values.push_back(std::move(*value));
  }
}

AuditEntry audit_entry(const Statement& row) {
  return {Time(Duration(row.number(1))), std::string(row.bytes(2)), std::string(row.bytes(3)),
          std::string(row.bytes(4)), std::string(row.bytes(5))};
}

std::unexpected<Error> broken_audit(std::string what, uint64_t number) {
  return fail(Code::corrupt, std::move(what), fmt::format("audit row {}", number));
}

}  // namespace

Result<StateReader> StateReader::open(const std::string& path) {
  auto database = Database::open(path, Database::Access::reader);
  if (!database && database.error().code == Code::not_found) {
    return fail(Code::not_found, "there is no store in this folder yet", path);
  }
  if (!database) return fail(database.error());
  const auto checked = check_state(*database);
  if (!checked) return fail(checked.error());
  StateReader reader;
  reader.database_ = std::move(*database);
  return reader;
}

Result<StateReader::History> StateReader::history() {
  auto moment = Transaction::begin(database_, false);
  if (!moment) return fail(moment.error());
  const auto last = database_.number("SELECT last_event FROM ledger");
  if (!last) return fail(last.error());
  auto partitions = load_catalog(database_);
  if (!partitions) return fail(partitions.error());
  return History{static_cast<uint64_t>(*last), std::move(*partitions)};
}

Result<std::vector<Incident>> StateReader::incidents() {
  return decoded(database_, "SELECT number, body FROM incidents ORDER BY number DESC LIMIT ?",
                 "incidents", SIZE_MAX, decode_incident);
}

Result<std::vector<Decision>> StateReader::decisions() {
  return decoded(database_, "SELECT number, body FROM decisions ORDER BY number DESC LIMIT ?",
                 "decisions", SIZE_MAX, decode_decision);
}

Result<std::vector<ShadowDecision>> StateReader::shadow_decisions(size_t limit) {
  return decoded(database_,
                 "SELECT number, body FROM shadow_decisions ORDER BY number DESC LIMIT ?",
                 "shadow_decisions", limit, decode_shadow_decision);
}

Result<std::vector<Enforcement>> StateReader::enforcements() {
  return decoded(database_,
                 "SELECT decision, body FROM enforcements ORDER BY decision, enforcer LIMIT ?",
                 "enforcements", SIZE_MAX, decode_enforcement);
}

Result<std::vector<Notice>> StateReader::notices(size_t limit) {
  return decoded(database_, "SELECT number, body FROM notices ORDER BY number DESC LIMIT ?",
                 "notices", limit, decode_notice);
}

Result<std::vector<Fact>> StateReader::facts(std::string_view prefix) {
  auto query = database_.prepare("SELECT name, value FROM facts WHERE name >= ? ORDER BY name");
  if (!query) return fail(query.error());
  query->bind(prefix);
  std::vector<Fact> facts;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more || !query->bytes(0).starts_with(prefix)) return facts;
    facts.push_back({std::string(query->bytes(0)), std::string(query->bytes(1))});
  }
}

Result<std::vector<AuditEntry>> StateReader::audit(size_t limit) {
  auto query = database_.prepare(
      "SELECT number, at, who, what, about, detail FROM audit ORDER BY number DESC LIMIT ?");
  if (!query) return fail(query.error());
  query->bind(uint64_t{std::min<uint64_t>(limit, kLastSequence)});
  std::vector<AuditEntry> entries;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return entries;
    entries.push_back(audit_entry(*query));
  }
}

Result<uint64_t> StateReader::verify_audit() {
  auto moment = Transaction::begin(database_, false);
  if (!moment) return fail(moment.error());
  const auto last = database_.number("SELECT last_audit FROM ledger");
  if (!last) return fail(last.error());
  auto query = database_.prepare(
      "SELECT number, at, who, what, about, detail, hash FROM audit ORDER BY number");
  if (!query) return fail(query.error());
  crypto::Sha256 hash{};
  uint64_t checked = 0;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) break;
    const uint64_t number = query->unsigned_number(0);
    if (number != checked + 1) return broken_audit("an audit row is missing", checked + 1);
    hash = chained(hash, number, audit_entry(*query));
    const std::string_view expected(reinterpret_cast<const char*>(hash.data()), hash.size());
    if (query->bytes(6) != expected) {
      return broken_audit("an audit row is not what was written", number);
    }
    ++checked;
  }
  if (checked < static_cast<uint64_t>(*last)) {
    return broken_audit("an audit row is missing", checked + 1);
  }
  if (checked > static_cast<uint64_t>(*last)) {
    return broken_audit("an audit row was added by something else", checked);
  }
  return checked;
}

}  // namespace watchpost::store::sqlite
