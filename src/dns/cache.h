#pragma once
#include "base/settings.h"
#include "base/time.h"
#include "dns/packet.h"
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

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
//   Threads: any. One mutex, which is not held while an answer is freed by its last user.
//   Time:    comes in, from any clock that never goes back.
class Cache {
 public:
  // `seed` of the hash: nobody outside may know it, since names come from outside.
  Cache(const CacheSettings& settings, uint64_t seed);

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

  Key key_of(std::string_view name, RecordType type) const;
  Duration kept_for(const Answer& answer) const;
  void take_out(Order::iterator entry, Order& out);
  void make_room(Order& out);

  CacheSettings settings_;
  uint64_t seed_;
  mutable std::mutex mutex_;  // of all that follows
  Order order_;               // the one asked for last is first
  std::unordered_map<Key, Order::iterator, Hash> places_;
  size_t bytes_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace watchpost::dns
