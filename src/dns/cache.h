#pragma once
#include "base/settings.h"
#include "base/time.h"
#include "dns/packet.h"
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace watchpost::dns {

struct CacheSettings {
  int64_t entries = 100'000;
  int64_t megabytes = 64;
  Duration least_ttl = 5s;
  Duration most_ttl = 24h;
  Duration most_negative_ttl = 15min;
  Duration failure_ttl = 5s;
};
void fields(SettingsVisitor& visit, CacheSettings& settings);

struct CacheCounts {
  size_t entries = 0;
  size_t bytes = 0;
  uint64_t evicted = 0;  // for room, before their time
};

// Answers for as long as they are good. Bounded by entries and by memory; past either, those go
// that were not asked for the longest time.
//   Threads: any. Shards with a mutex each; none is held while an answer is freed by its last user.
//   Time:    comes in, from any clock that never goes back.
class Cache {
 public:
  // `seed` of the hash: nobody outside may know it, since names come from outside.
  Cache(const CacheSettings& settings, uint64_t seed);
  ~Cache();

  // Nothing where nothing is known, or no longer.
  AnswerPtr find(std::string_view name, RecordType type, Time now);
  // Keeps the answer, with its TTL brought within the bounds (what is not there: RFC 2308 section
  // 5; failures: RFC 9520 section 3.2), and gives it back as it was kept.
  AnswerPtr keep(const Question& question, Answer answer, Time now);

  CacheCounts counts() const;

 private:
  struct Entry {
    std::string name;
    RecordType type;
    AnswerPtr answer;
    Time until;
    size_t bytes;
  };
  using Order = std::list<Entry>;
  struct Key {
    std::string_view name;  // of the entry
    RecordType type;
    uint64_t hash;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const { return key.hash; }
  };
  // One cache line each: neighbours do not slow each other down.
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Order order;  // the one asked for last is first
    std::unordered_map<Key, Order::iterator, Hash> places;
    size_t bytes = 0;
    uint64_t evicted = 0;
  };

  Key key_of(std::string_view name, RecordType type) const;
  Shard& shard_of(const Key& key) const;
  Duration kept_for(const Answer& answer) const;
  void take_out(Shard& shard, Order::iterator entry, Order& out) const;
  void make_room(Shard& shard, Order& out) const;

  CacheSettings settings_;
  uint64_t seed_;
  size_t most_entries_;  // of a shard
  size_t most_bytes_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace watchpost::dns
