#include "store/sqlite/partition_ids.h"

#include "base/log.h"
#include "store/event_row.h"
#include "store/sqlite/schema.h"

#include <algorithm>
#include <iterator>
#include <random>

#include <fmt/format.h>

namespace watchpost::store::sqlite {
namespace {

// Rows without an index that are kept one by one. That many are there only where indexing is far
// behind.
constexpr uint64_t kMostRows = 262'144;
// Of memory: a node of the table and its bucket.
constexpr size_t kRowBytes = 48;

uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

Result<Done> PartitionIds::read_runs(Database& partition, News& news) const {
  const auto filters = has_filters(partition);
  if (!filters) return fail(filters.error());
  auto query = partition.prepare(
      *filters ? "SELECT number, last_sequence, events, body FROM runs "
                 "LEFT JOIN filters ON run = number WHERE last_sequence > ? ORDER BY last_sequence"
               : "SELECT number, last_sequence, events, NULL FROM runs "
                 "WHERE last_sequence > ? ORDER BY last_sequence");
  if (!query) return fail(query.error());
  query->bind(indexed_);
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    const std::string_view body = query->bytes(3);
    Run run{query->unsigned_number(0), IdFilter::unpack(body)};
    if (!run.filter && !body.empty()) {
      log_warning("store", "{}: the filter of run {} is damaged; it is searched without",
                  partition.path(), run.number);
    }
    news.indexed = query->unsigned_number(1);
    news.indexed_events += query->unsigned_number(2);
    news.runs.push_back(std::move(run));
  }
}

Result<Done> PartitionIds::read_rows(Database& partition, uint64_t last, News& news) const {
  auto query = partition.prepare(
      "SELECT sequence, body FROM events WHERE sequence > ? AND sequence <= ? ORDER BY sequence");
  if (!query) return fail(query.error());
  query->bind(std::max(news.indexed, seen_)).bind(last);
  while (true) {
    const auto more = query->row();
    if (!more) return fail(more.error());
    if (!*more) return Done{};
    const uint64_t sequence = query->unsigned_number(0);
    const auto id = event_text_of(query->bytes(1), Field::message_id);
    if (!id) {
      return fail(id.error().code, id.error().what,
                  fmt::format("{} event {}", partition.path(), sequence));
    }
    if (!id->empty()) news.rows.emplace_back(hash64(*id, seed_), sequence);
  }
}

Result<Done> PartitionIds::learn(Database& partition, const PartitionEntry& entry, uint64_t last) {
  // Runs and the rows behind them have to be of one moment.
  auto moment = Transaction::begin(partition, false);
  if (!moment) return fail(moment.error());
  News news{.runs = {}, .indexed = indexed_, .indexed_events = indexed_events_, .rows = {}};
  const auto runs = read_runs(partition, news);
  if (!runs) return runs;
  const bool behind = entry.events > news.indexed_events + kMostRows;
  if (!behind) {
    const auto rows = read_rows(partition, last, news);
    if (!rows) return rows;
  }
  behind_ = behind;
  std::ranges::move(news.runs, std::back_inserter(runs_));
  indexed_ = news.indexed;
  indexed_events_ = news.indexed_events;
  std::erase_if(rows_, [&](const auto& row) { return behind || row.second <= indexed_; });
  rows_.insert(news.rows.begin(), news.rows.end());
  seen_ = behind ? indexed_ : std::max(indexed_, last);
  return Done{};
}

std::optional<IdPlaces> PartitionIds::places_of(std::string_view id) const {
  if (behind_ || given_up_) return std::nullopt;
  IdPlaces places;
  for (const Run& run : runs_) {
    if (!run.filter || run.filter->may_have(id)) places.runs.push_back(run.number);
  }
  const auto [first, end] = rows_.equal_range(hash64(id, seed_));
  for (auto row = first; row != end; ++row) places.rows.push_back(row->second);
  std::ranges::sort(places.rows);
  return places;
}

size_t PartitionIds::bytes() const {
  size_t sum = rows_.size() * kRowBytes;
  for (const Run& run : runs_) sum += sizeof run + (run.filter ? run.filter->bytes() : 0);
  return sum;
}

void PartitionIds::give_up() {
  given_up_ = true;
  runs_ = {};
  rows_ = {};
}

MessageIds::MessageIds(size_t most_bytes) : most_bytes_(most_bytes), seed_(random_seed()) {}

void MessageIds::keep_only(const Catalog& partitions) {
  if (partitions_.size() <= partitions.size() &&
      (partitions_.empty() || partitions.contains(partitions_.begin()->first))) {
    return;
  }
  std::erase_if(partitions_, [&](const auto& one) { return !partitions.contains(one.first); });
}

PartitionIds& MessageIds::of(const PartitionEntry& entry) {
  const auto [found, made] = partitions_.try_emplace(entry.start, entry, seed_);
  if (!made && !found->second.is_of(entry)) found->second = PartitionIds(entry, seed_);
  return found->second;
}

void MessageIds::fit() {
  size_t sum = 0;
  for (const auto& [start, ids] : partitions_) sum += ids.bytes();
  for (auto oldest = partitions_.begin(); sum > most_bytes_ && oldest != partitions_.end();
       ++oldest) {
    sum -= oldest->second.bytes();
    oldest->second.give_up();
  }
}

}  // namespace watchpost::store::sqlite
