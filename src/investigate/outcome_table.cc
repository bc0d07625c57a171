#include "investigate/outcome_table.h"

#include <algorithm>
#include <utility>

namespace watchpost::investigate {
namespace {

constexpr size_t kFewestSlots = 1024;
constexpr unsigned kMostHalved = 32;

// Where each part stands in the 64 bits of an entry.
constexpr unsigned kFlagBits = 13;
constexpr unsigned kHourBits = 19;
constexpr unsigned kGroupBits = 14;
constexpr unsigned kClassBits = 5;
constexpr unsigned kCountBits = 13;
static_assert(kFlagBits + kHourBits + kGroupBits + kClassBits + kCountBits == 64);

class Bits {
 public:
  explicit Bits(uint64_t packed = 0) : packed_(packed) {}
  void put(uint32_t value, unsigned bits) {
    packed_ = (packed_ << bits) | std::min<uint64_t>(value, (uint64_t{1} << bits) - 1);
  }
  uint32_t take(unsigned bits) {
    const auto value = static_cast<uint32_t>(packed_ & ((uint64_t{1} << bits) - 1));
    packed_ >>= bits;
    return value;
  }
  uint64_t packed() const { return packed_; }

 private:
  uint64_t packed_;
};

}  // namespace

void Outcome::join(const Outcome& other) {
  if (has(own_time) == other.has(own_time)) {
    hour = std::min(hour, other.hour);
  } else if (other.has(own_time)) {
    hour = other.hour;
  }
  // A message says how many recipients it has, each time the same.
  count = has(whole) ? std::max(count, other.count) : std::min(kMostDeferrals, count + other.count);
  if (group == 0 || other.group == 0) {
    group = std::max(group, other.group);
  } else {
    group = std::min(group, other.group);
  }
  const bool both_loose = has(loose) && other.has(loose);
  flags |= other.flags;
  if (!both_loose) flags &= ~uint32_t{loose};
  bounce = std::min(bounce, other.bounce);
}

OutcomeTable::OutcomeTable(size_t most) : most_(std::max(most, kFewestSlots / 2)) {
  entries_.resize(kFewestSlots);
}

uint64_t OutcomeTable::packed(const Outcome& outcome) {
  Bits bits;
  if (outcome.has(Outcome::whole)) {
    bits.put(outcome.count, kCountBits + kClassBits);
  } else {
    bits.put(outcome.count, kCountBits);
    bits.put(outcome.bounce, kClassBits);
  }
  bits.put(outcome.group, kGroupBits);
  bits.put(outcome.hour, kHourBits);
  bits.put(outcome.flags, kFlagBits);
  return bits.packed();
}

Outcome OutcomeTable::unpacked(uint64_t packed) {
  Bits bits(packed);
  Outcome outcome;
  outcome.flags = bits.take(kFlagBits);
  outcome.hour = bits.take(kHourBits);
  outcome.group = bits.take(kGroupBits);
  if (outcome.has(Outcome::whole)) {
    outcome.count = bits.take(kCountBits + kClassBits);
  } else {
    outcome.bounce = bits.take(kClassBits);
    outcome.count = bits.take(kCountBits);
  }
  return outcome;
}

OutcomeTable::Entry& OutcomeTable::slot_of(uint64_t key) {
  size_t at = key & (entries_.size() - 1);
  while (entries_[at].packed != 0 && entries_[at].key != key) {
    at = (at + 1) & (entries_.size() - 1);
  }
  return entries_[at];
}

void OutcomeTable::add(uint64_t key, const Outcome& outcome) {
  if (outcome.flags == 0 || !is_in_sample(key)) return;
  Entry* slot = &slot_of(key);
  if (slot->packed != 0) {
    Outcome joined = unpacked(slot->packed);
    joined.join(outcome);
    slot->packed = packed(joined);
    return;
  }
  if (size_ == most_ || size_ + 1 > entries_.size() / 4 * 3) {
    make_room();
    if (!is_in_sample(key) || size_ == most_) return;
    slot = &slot_of(key);
  }
  *slot = {key, packed(outcome)};
  ++size_;
}

void OutcomeTable::make_room() {
  if (size_ < most_) return rebuild(entries_.size() * 2);
  // Keys that somebody chose may all lie in the half that stays.
  while (size_ == most_ && halved_ < kMostHalved) {
    ++halved_;
    rebuild(entries_.size());
  }
}

void OutcomeTable::rebuild(size_t slots) {
  const std::vector<Entry> before = std::exchange(entries_, std::vector<Entry>(slots));
  size_ = 0;
  for (const Entry& entry : before) {
    if (entry.packed == 0 || !is_in_sample(entry.key)) continue;
    slot_of(entry.key) = entry;
    ++size_;
  }
}

}  // namespace watchpost::investigate
