#pragma once
#include "relate/party_table.h"
#include "relate/reputation.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace watchpost::relate {

// A part of all parties, under its own lock.
struct alignas(64) Shard {
  Shard(size_t most, uint64_t random_seed);

  mutable std::mutex mutex;
  // Where there is no room inside, newcomers wait at the door, and go in once they weigh more than
  // somebody there: whoever is met only once pushes out only others at the door.
  PartyTable inside;
  PartyTable door;
  uint64_t random;

  // Null where it is not there.
  const Entry* find(uint64_t hash, Party party, std::string_view name) const;
  // Its place is made where it was not there. False where another had to go for it.
  bool note(uint64_t hash, Party party, std::string_view name, Deed deed, Time now,
            Duration half_life);
  // Puts it there as it is, which must not be there. False as above.
  bool put(Entry entry, Duration half_life);
  bool correct(uint64_t hash, Party party, std::string_view name, Deed from, Deed to, Time noted,
               Duration half_life);
  bool forget(uint64_t hash, Party party, std::string_view name);

 private:
  bool make_room_at_the_door(Time now, Duration half_life);
  void rise(size_t at_door, Time now, Duration half_life);
};

struct Reputation::State {
  explicit State(const ReputationSettings& settings);

  uint64_t hash_of(Party party, std::string_view name) const;
  Shard& shard_of(uint64_t hash) const { return *shards[(hash >> 48) % shards.size()]; }
  template <class See>  // See(const Entry&), under the lock of its shard
  void each(See see) const {
    for (const auto& shard : shards) {
      const std::lock_guard lock(shard->mutex);
      for (const Entry& entry : shard->inside.entries()) see(entry);
      for (const Entry& entry : shard->door.entries()) see(entry);
    }
  }
  // The first `most` in the order that `before` says.
  template <class Before>
  std::vector<Reputed> first(size_t most, Time now, Before before) const;
  void clear();

  Duration half_life;
  uint64_t seed;  // of the hashes: not known outside
  std::vector<std::unique_ptr<Shard>> shards;
  std::atomic<uint64_t> given_way{0};
};

}  // namespace watchpost::relate
