#include "dns/cache.h"

#include "base/hash.h"

#include <algorithm>

namespace watchpost::dns {
namespace {

constexpr size_t kMostShards = 16;
constexpr size_t kEntriesOfShard = 64;  // fewer make eviction by age a matter of luck
// What an entry costs beside its name and answer: nodes of the list and the table, heap blocks.
constexpr size_t kOverhead = 192;

// A few entries are in one shard, so that small bounds are exact.
size_t shards_for(const CacheSettings& settings) {
  const auto entries = static_cast<size_t>(std::max<int64_t>(settings.entries, 1));
  size_t shards = 1;
  while (shards < kMostShards && entries / (shards * 2) >= kEntriesOfShard) shards *= 2;
  return shards;
}

}  // namespace

void fields(SettingsVisitor& visit, CacheSettings& settings) {
  visit.setting({.name = "entries",
                 .help = "so many answers are kept at most; those not asked for the longest go",
                 .least = 1,
                 .most = 100'000'000},
                &settings.entries);
  visit.setting(
      {.name = "megabytes", .help = "and no more than so much memory", .least = 1, .most = 65'536},
      &settings.megabytes);
  visit.setting({.name = "least_ttl",
                 .help = "answers are kept for so long even where DNS says shorter: all checks of "
                         "a message then see the same",
                 .least = 1,
                 .most = 300},
                &settings.least_ttl);
  visit.setting({.name = "most_ttl",
                 .help = "and never for longer than this",
                 .least = 1,
                 .most = 7 * 86'400},
                &settings.most_ttl);
  visit.setting({.name = "most_negative_ttl",
                 .help = "that a name or a type of record is not there is kept for so long at most",
                 .least = 1,
                 .most = 86'400},
                &settings.most_negative_ttl);
  visit.setting({.name = "failure_ttl",
                 .help = "that no answer was to be had is kept for so long",
                 .least = 1,
                 .most = 300},
                &settings.failure_ttl);
}

Cache::Cache(const CacheSettings& settings, uint64_t seed)
    : settings_(settings),
      seed_(seed),
      most_entries_(0),
      most_bytes_(0),
      shards_(shards_for(settings)) {
  most_entries_ = std::max<size_t>(1, static_cast<size_t>(settings.entries) / shards_.size());
  most_bytes_ = (static_cast<size_t>(settings.megabytes) << 20) / shards_.size();
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

Cache::~Cache() = default;

Cache::Key Cache::key_of(std::string_view name, RecordType type) const {
  return {name, type, hash64(name, seed_ + static_cast<uint64_t>(type))};
}

Cache::Shard& Cache::shard_of(const Key& key) const {
  return *shards_[(key.hash >> 48) % shards_.size()];
}

AnswerPtr Cache::find(std::string_view name, RecordType type, Time now) {
  const Key key = key_of(name, type);
  Shard& shard = shard_of(key);
  Order out;  // freed without the mutex
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place == shard.places.end()) return nullptr;
  const auto entry = place->second;
  if (entry->until <= now) {
    take_out(shard, entry, out);
    return nullptr;
  }
  if (entry != shard.order.begin()) shard.order.splice(shard.order.begin(), shard.order, entry);
  return entry->answer;
}

Duration Cache::kept_for(const Answer& answer) const {
  if (answer.outcome == Outcome::failed) return settings_.failure_ttl;
  const Duration most =
      answer.outcome == Outcome::found ? settings_.most_ttl : settings_.most_negative_ttl;
  return std::min(std::max<Duration>(std::chrono::seconds(answer.ttl), settings_.least_ttl), most);
}

AnswerPtr Cache::keep(const Question& question, Answer answer, Time now) {
  const Duration kept = kept_for(answer);
  answer.ttl = static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(kept).count());
  const size_t bytes = kOverhead + question.name.size() + bytes_of(answer);
  const auto shared = std::make_shared<const Answer>(std::move(answer));
  Order made;
  made.push_back({question.name, question.type, shared, now + kept, bytes});
  const Key key = key_of(made.front().name, question.type);
  Shard& shard = shard_of(key);
  Order out;
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place != shard.places.end()) take_out(shard, place->second, out);
  shard.order.splice(shard.order.begin(), made);
  shard.places.emplace(key, shard.order.begin());
  shard.bytes += bytes;
  make_room(shard, out);
  return shared;
}

void Cache::take_out(Shard& shard, Order::iterator entry, Order& out) const {
  shard.places.erase(key_of(entry->name, entry->type));
  shard.bytes -= entry->bytes;
  out.splice(out.end(), shard.order, entry);
}

void Cache::make_room(Shard& shard, Order& out) const {
  while (shard.order.size() > most_entries_ || shard.bytes > most_bytes_) {
    take_out(shard, std::prev(shard.order.end()), out);
    ++shard.evicted;
  }
}

CacheCounts Cache::counts() const {
  CacheCounts counts;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    counts.entries += shard->order.size();
    counts.bytes += shard->bytes;
    counts.evicted += shard->evicted;
  }
  return counts;
}

}  // namespace watchpost::dns
