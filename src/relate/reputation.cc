#include "relate/reputation.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/wilson.h"
#include "relate/party_table.h"
#include "relate/reputation_state.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace watchpost::relate {
namespace {

constexpr std::array<std::string_view, 4> kParties{"ip", "network", "domain", "signer"};
constexpr std::array<std::string_view, kDeeds> kDeedNames{"good", "suspicious", "bad", "complained",
                                                          "reported"};
// So many parties are worth a lock of their own; more locks than this help nobody.
constexpr size_t kShardFrom = 1024;
constexpr size_t kMostShards = 256;
constexpr size_t kDoorShare = 8;  // one place in so many is at the door

bool can_be_known(std::string_view name) { return !name.empty() && name.size() <= kLongestName; }

Time bounded(Time now) { return std::clamp(now, Time(Duration(1)), kLatest); }

double count_of(const Standing& standing, Deed deed) {
  return standing.counts[static_cast<size_t>(deed)];
}

void count(Standing& standing, Deed deed, Time now, Duration half_life) {
  standing = decayed(standing, now, half_life);
  standing.counts[static_cast<size_t>(deed)] += 1;
  // Where the clock was put back, it goes on from there.
  standing.last_seen = now;
  standing.first_seen = std::min(standing.first_seen, now);
}

uint64_t random_number() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

std::string_view name_of(Party party) { return kParties[static_cast<size_t>(party)]; }

Result<Party> party_from(std::string_view name) {
  const auto found = std::ranges::find(kParties, name);
  if (found != kParties.end()) return static_cast<Party>(found - kParties.begin());
  return fail(Code::bad_input, fmt::format("`{}` is none of: ip, network, domain, signer{}",
                                           escaped(name, 60), suggestion(name, kParties)));
}

std::string_view name_of(Deed deed) { return kDeedNames[static_cast<size_t>(deed)]; }

Result<Deed> deed_from(std::string_view name) {
  const auto found = std::ranges::find(kDeedNames, name);
  if (found != kDeedNames.end()) return static_cast<Deed>(found - kDeedNames.begin());
  return fail(Code::bad_input, fmt::format("`{}` is no deed", escaped(name, 60)));
}

double Standing::messages() const {
  return count_of(*this, Deed::good) + count_of(*this, Deed::suspicious) +
         count_of(*this, Deed::bad);
}

double Standing::badness() const {
  constexpr double kNothing = 1e-9;  // of a message: what is left after many half-lives
  const double said_by_people = count_of(*this, Deed::complained) + count_of(*this, Deed::reported);
  const double against =
      count_of(*this, Deed::suspicious) + count_of(*this, Deed::bad) + said_by_people;
  // There was a message for each complaint, also where it is not among those counted.
  const double all = std::max(messages(), said_by_people);
  if (!(all > kNothing)) return 0;
  return wilson(against, all).low;  // one message can have two things against it
}

Shard::Shard(size_t most, uint64_t random_seed)
    : inside(most - std::max<size_t>(1, most / kDoorShare)),
      door(std::max<size_t>(1, most / kDoorShare)),
      random(random_seed | 1) {}

const Entry* Shard::find(uint64_t hash, Party party, std::string_view name) const {
  for (const PartyTable* table : {&inside, &door}) {
    const size_t at = table->find(hash, party, name);
    if (at != PartyTable::kNone) return &(*table)[at];
  }
  return nullptr;
}

bool Shard::note(uint64_t hash, Party party, std::string_view name, Deed deed, Time now,
                 Duration half_life) {
  if (const size_t at = inside.find(hash, party, name); at != PartyTable::kNone) {
    count(inside[at].standing, deed, now, half_life);
    return true;
  }
  if (const size_t at = door.find(hash, party, name); at != PartyTable::kNone) {
    count(door[at].standing, deed, now, half_life);
    rise(at, now, half_life);
    return true;
  }
  Entry entry{hash, party, std::string(name), {.first_seen = now, .last_seen = now}};
  count(entry.standing, deed, now, half_life);
  return put(std::move(entry), half_life);
}

bool Shard::put(Entry entry, Duration half_life) {
  if (!inside.full()) {
    inside.add(std::move(entry));
    return true;
  }
  const Time now = entry.standing.last_seen;
  const bool room = make_room_at_the_door(now, half_life);
  rise(door.add(std::move(entry)), now, half_life);
  return room;
}

bool Shard::make_room_at_the_door(Time now, Duration half_life) {
  if (!door.full()) return true;
  door.take(door.light_one(random, now, half_life));
  return false;
}

void Shard::rise(size_t at_door, Time now, Duration half_life) {
  if (!inside.full()) {  // somebody there was forgotten
    inside.add(door.take(at_door));
    return;
  }
  const size_t lightest = inside.light_one(random, now, half_life);
  const double there = weight(inside[lightest].standing, now, half_life);
  if (weight(door[at_door].standing, now, half_life) <= there) return;
  Entry risen = door.take(at_door);
  door.add(inside.take(lightest));
  inside.add(std::move(risen));
}

bool Shard::correct(uint64_t hash, Party party, std::string_view name, Deed from, Deed to,
                    Time noted, Duration half_life) {
  for (PartyTable* table : {&inside, &door}) {
    const size_t at = table->find(hash, party, name);
    if (at == PartyTable::kNone) continue;
    Standing& standing = (*table)[at].standing;
    Standing deed{.first_seen = noted, .last_seen = noted};
    deed.counts[static_cast<size_t>(from)] = 1;
    // Counts stand as they were when the party was last seen.
    const double left = weight(deed, standing.last_seen, half_life);
    double& wrong = standing.counts[static_cast<size_t>(from)];
    const double moved = std::min(left, wrong);
    wrong -= moved;
    standing.counts[static_cast<size_t>(to)] += moved;
    return true;
  }
  return false;
}

bool Shard::forget(uint64_t hash, Party party, std::string_view name) {
  for (PartyTable* table : {&inside, &door}) {
    const size_t at = table->find(hash, party, name);
    if (at == PartyTable::kNone) continue;
    table->take(at);
    return true;
  }
  return false;
}

Reputation::State::State(const ReputationSettings& settings)
    : half_life(std::max(settings.half_life, Duration(1))), seed(random_number()) {
  const auto most = static_cast<size_t>(std::max<int64_t>(settings.parties, 2));
  const size_t locks = std::clamp<size_t>(std::bit_floor(most / kShardFrom), 1, kMostShards);
  for (size_t i = 0; i < locks; ++i) {
    shards.push_back(std::make_unique<Shard>(most / locks, random_number()));
  }
}

uint64_t Reputation::State::hash_of(Party party, std::string_view name) const {
  return hash64(name, seed + static_cast<uint64_t>(party));
}

template <class Before>
std::vector<Reputed> Reputation::State::first(size_t most, Time now, Before before) const {
  std::vector<Reputed> kept;  // a heap, whose top goes first where there is one that is before it
  each([&](const Entry& entry) {
    Reputed one{entry.party, {}, decayed(entry.standing, now, half_life)};
    if (kept.size() >= most && (kept.empty() || !before(one, kept.front()))) return;
    one.name = entry.name;
    kept.push_back(std::move(one));
    std::ranges::push_heap(kept, before);
    if (kept.size() <= most) return;
    std::ranges::pop_heap(kept, before);
    kept.pop_back();
  });
  std::ranges::sort_heap(kept, before);
  return kept;
}

void Reputation::State::clear() {
  for (const auto& shard : shards) {
    const std::lock_guard lock(shard->mutex);
    shard->inside.clear();
    shard->door.clear();
  }
}

Reputation::Reputation(const ReputationSettings& settings)
    : state_(std::make_unique<State>(settings)) {}

Reputation::~Reputation() = default;

Standing Reputation::of(Party party, std::string_view name, Time now) const {
  const uint64_t hash = state_->hash_of(party, name);
  Shard& shard = state_->shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  const Entry* const entry = shard.find(hash, party, name);
  return entry ? decayed(entry->standing, bounded(now), state_->half_life) : Standing{};
}

void Reputation::note(Party party, std::string_view name, Deed deed, Time now) {
  if (!can_be_known(name)) return;
  const uint64_t hash = state_->hash_of(party, name);
  Shard& shard = state_->shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  if (!shard.note(hash, party, name, deed, bounded(now), state_->half_life)) {
    state_->given_way.fetch_add(1, std::memory_order_relaxed);
  }
}

bool Reputation::correct(Party party, std::string_view name, Deed from, Deed to, Time noted) {
  const uint64_t hash = state_->hash_of(party, name);
  Shard& shard = state_->shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  return shard.correct(hash, party, name, from, to, bounded(noted), state_->half_life);
}

bool Reputation::forget(Party party, std::string_view name) {
  const uint64_t hash = state_->hash_of(party, name);
  Shard& shard = state_->shard_of(hash);
  const std::lock_guard lock(shard.mutex);
  return shard.forget(hash, party, name);
}

std::vector<Reputed> Reputation::worst(size_t most, Time now) const {
  return state_->first(most, bounded(now), [](const Reputed& one, const Reputed& other) {
    return std::pair(one.standing.badness(), one.standing.messages()) >
           std::pair(other.standing.badness(), other.standing.messages());
  });
}

std::vector<Reputed> Reputation::busiest(size_t most, Time now) const {
  return state_->first(most, bounded(now), [](const Reputed& one, const Reputed& other) {
    return one.standing.messages() > other.standing.messages();
  });
}

size_t Reputation::size() const {
  size_t all = 0;
  for (const auto& shard : state_->shards) {
    const std::lock_guard lock(shard->mutex);
    all += shard->inside.size() + shard->door.size();
  }
  return all;
}

uint64_t Reputation::given_way() const { return state_->given_way.load(std::memory_order_relaxed); }

}  // namespace watchpost::relate
