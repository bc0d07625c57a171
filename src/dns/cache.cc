#include "dns/cache.h"

#include "base/hash.h"

#include <algorithm>

namespace watchpost::dns {
namespace {

// What an entry costs beside its name and answer: nodes of the list and the table, heap blocks.
constexpr size_t kOverhead = 192;

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

Cache::Cache(const CacheSettings& settings, uint64_t seed) : settings_(settings), seed_(seed) {}

Cache::Key Cache::key_of(std::string_view name, RecordType type) const {
  return {name, type, hash64(name, seed_ + static_cast<uint64_t>(type))};
}

AnswerPtr Cache::find(std::string_view name, RecordType type, Time now) {
  const Key key = key_of(name, type);
  Order out;  // freed without the mutex
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  const auto entry = place->second;
  if (entry->until <= now) {
    take_out(entry, out);
    return nullptr;
  }
  if (entry != order_.begin()) order_.splice(order_.begin(), order_, entry);
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
  Order out;
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place != places_.end()) take_out(place->second, out);
  order_.splice(order_.begin(), made);
  places_.emplace(key, order_.begin());
  bytes_ += bytes;
  make_room(out);
  return shared;
}

void Cache::take_out(Order::iterator entry, Order& out) {
  places_.erase(key_of(entry->name, entry->type));
  bytes_ -= entry->bytes;
  out.splice(out.end(), order_, entry);
}

void Cache::make_room(Order& out) {
  const auto most_entries = static_cast<size_t>(std::max<int64_t>(settings_.entries, 1));
  const auto most_bytes = static_cast<size_t>(settings_.megabytes) << 20;
  while (order_.size() > most_entries || bytes_ > most_bytes) {
    take_out(std::prev(order_.end()), out);
    ++evicted_;
  }
}

CacheCounts Cache::counts() const {
  const std::lock_guard lock(mutex_);
  return {.entries = order_.size(), .bytes = bytes_, .evicted = evicted_};
}

}  // namespace watchpost::dns
