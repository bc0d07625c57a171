#include "store/sqlite/partition_writer.h"

#include "store/id_filter.h"
#include "store/search_block.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace watchpost::store::sqlite {
namespace {

// Rows of a few hundred bytes, read in order: larger pages mean fewer of them.
constexpr int kPageSize = 8192;

uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

struct Run {
  uint64_t last_sequence = 0;
  uint64_t events = 0;
  int64_t first_at = INT64_MAX;
  int64_t last_at = INT64_MIN;
  std::vector<SearchEntry> entries;
  IdFilterMaker filter{random_seed()};
};

void add_entries(const Event& event, const Place& place, std::vector<SearchEntry>& entries) {
  entries.push_back(SearchEntry::of(kEveryRow, place));
  const uint64_t kind = search_key(event.kind);
  if (kind != kEveryRow) entries.push_back(SearchEntry::of(kind, place));
  for (const Field field : searchable_fields()) {
    const std::string_view value = event[field];
    if (!value.empty()) entries.push_back(SearchEntry::of(search_key(field, value), place));
  }
}

Result<Run> read_run(Database& database) {
  auto query = database.prepare(
      "SELECT sequence, at, kind, body FROM events "
      "WHERE sequence > (SELECT coalesce(max(last_sequence), 0) FROM runs) "
      "ORDER BY sequence LIMIT ?");
  if (!query) return fail(query.error());
  query->bind(uint64_t{PartitionWriter::kRun});
  Run run;
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return run;
    const int64_t at = query->number(1);
    Event event;
    event.at = Time(Duration(at));
    const auto kind = event_kind_of(query->number(2));
    if (!kind) return fail(kind.error());
    event.kind = *kind;
    const auto decoded = decode_event(query->bytes(3), event);
    if (!decoded) return fail(decoded.error());
    run.last_sequence = query->unsigned_number(0);
    run.first_at = std::min(run.first_at, at);
    run.last_at = std::max(run.last_at, at);
    ++run.events;
    add_entries(event, {event.at, run.last_sequence}, run.entries);
    const std::string_view message_id = event[Field::message_id];
    if (!message_id.empty()) run.filter.add(message_id);
  }
}

Result<Done> store_blocks(Database& database, uint64_t number, std::span<const SearchEntry> left) {
  auto insert = database.prepare("INSERT INTO entries VALUES(?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  while (!left.empty()) {
    const auto block = left.first(std::min(left.size(), kEntriesInBlock));
    left = left.subspan(block.size());
    const std::string bytes = pack(block);
    // A block is found by its last entry: the first block whose last is not before what is sought.
    const SearchEntry& last = block.back();
    const auto done =
        insert->bind(number).bind(last.key).bind(last.age).bind(last.back).bind(bytes).run();
    if (!done) return done;
  }
  return Done{};
}

Result<Done> store_filter(Database& database, uint64_t number, IdFilterMaker& filter) {
  auto insert = database.prepare("INSERT INTO filters VALUES(?, ?)");
  if (!insert) return fail(insert.error());
  const std::string bytes = filter.pack();
  return insert->bind(number).bind(bytes).run();
}

Result<uint64_t> counted(Database& database, std::string_view sql) {
  const auto number = database.number(sql);
  if (!number) return fail(number.error());
  return static_cast<uint64_t>(*number);
}

}  // namespace

Result<PartitionWriter> PartitionWriter::open(const std::string& path) {
  auto database = Database::open(path, Database::Access::writer, kPageSize);
  if (!database) return fail(database.error());
  const auto prepared = prepare_partition(*database);
  if (!prepared) return fail(prepared.error());
  auto insert = database->prepare("INSERT INTO events VALUES(?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  auto insert_verdict = database->prepare("INSERT INTO verdicts VALUES(?, ?, ?)");
  if (!insert_verdict) return fail(insert_verdict.error());
  PartitionWriter writer;
  writer.database_ = std::move(*database);
  writer.insert_ = std::move(*insert);
  writer.insert_verdict_ = std::move(*insert_verdict);
  return writer;
}

Result<Done> PartitionWriter::write(std::span<const NumberedEvent> rows) {
  auto transaction = Transaction::begin(database_, true);
  if (!transaction) return fail(transaction.error());
  for (const NumberedEvent& row : rows) {
    const auto done = insert_.bind(row.sequence)
                          .bind(int64_t{row.event->at.time_since_epoch().count()})
                          .bind(number_of(row.event->kind))
                          .bind(encoder_.encode(*row.event))
                          .run();
    if (!done) return done;
    if (row.verdict.empty()) continue;
    const auto with_verdict = write_verdict(row);
    if (!with_verdict) return with_verdict;
  }
  return transaction->commit();
}

Result<Done> PartitionWriter::write_verdict(const NumberedEvent& row) {
  return insert_verdict_.bind(row.sequence)
      .bind(uint64_t{row.verdict.size()})
      .bind(packer_.pack(row.verdict))
      .run();
}

Result<Done> PartitionWriter::cut(uint64_t last) {
  auto transaction = Transaction::begin(database_, true);
  if (!transaction) return fail(transaction.error());
  for (const std::string_view sql :
       {"DELETE FROM verdicts WHERE sequence > ?", "DELETE FROM events WHERE sequence > ?"}) {
    auto remove = database_.prepare(sql);
    if (!remove) return fail(remove.error());
    const auto removed = remove->bind(last).run();
    if (!removed) return removed;
  }
  return transaction->commit();
}

Result<size_t> PartitionWriter::index_run() {
  auto transaction = Transaction::begin(database_, true);
  if (!transaction) return fail(transaction.error());
  auto run = read_run(database_);
  if (!run) {
    Error error = run.error();
    if (error.about.empty()) error.about = database_.path();
    return fail(std::move(error));
  }
  if (run->events == 0) return 0;
  const auto last = database_.number("SELECT max(number) FROM runs");
  if (!last) return fail(last.error());
  const uint64_t number = static_cast<uint64_t>(*last) + 1;
  std::ranges::sort(run->entries);
  const auto blocks = store_blocks(database_, number, run->entries);
  if (!blocks) return fail(blocks.error());
  const auto filtered = store_filter(database_, number, run->filter);
  if (!filtered) return fail(filtered.error());
  auto insert = database_.prepare("INSERT INTO runs VALUES(?, ?, ?, ?, ?)");
  if (!insert) return fail(insert.error());
  const auto stored = insert->bind(number)
                          .bind(run->last_sequence)
                          .bind(run->events)
                          .bind(run->first_at)
                          .bind(run->last_at)
                          .run();
  if (!stored) return fail(stored.error());
  const auto committed = transaction->commit();
  if (!committed) return fail(committed.error());
  return run->events;
}

Result<uint64_t> PartitionWriter::indexed() {
  return counted(database_, "SELECT sum(events) FROM runs");
}
Result<uint64_t> PartitionWriter::first_sequence() {
  return counted(database_, "SELECT min(sequence) FROM events");
}
Result<uint64_t> PartitionWriter::last_sequence() {
  return counted(database_, "SELECT max(sequence) FROM events");
}

}  // namespace watchpost::store::sqlite
