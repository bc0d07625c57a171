#include "relate/party_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace watchpost::relate {
namespace {

constexpr size_t kLookedAt = 8;
constexpr size_t kFirstSlots = 16;

uint64_t next_random(uint64_t& state) {  // xorshift64*; the state is never zero
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545'F491'4F6C'DD1D;
}

// Of counts as they were when it was last seen. A clock that was put back takes nothing away.
double share_left(const Standing& standing, Time now, Duration half_life) {
  if (now <= standing.last_seen) return 1;
  const auto since = static_cast<double>((now - standing.last_seen).count());
  return std::exp2(-since / static_cast<double>(half_life.count()));
}

}  // namespace

Standing decayed(const Standing& standing, Time now, Duration half_life) {
  const double left = share_left(standing, now, half_life);
  Standing result = standing;
  for (double& count : result.counts) count *= left;
  return result;
}

double weight(const Standing& standing, Time now, Duration half_life) {
  return std::accumulate(std::begin(standing.counts), std::end(standing.counts), 0.0) *
         share_left(standing, now, half_life);
}

size_t PartyTable::find(uint64_t hash, Party party, std::string_view name) const {
  if (slots_.empty()) return kNone;
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && entry.party == party && entry.name == name) return slots_[slot] - 1;
  }
  return kNone;
}

size_t PartyTable::add(Entry entry) {
  WP_CHECK(!full() && entries_.size() < std::numeric_limits<uint32_t>::max());
  if (entries_.size() * 2 >= slots_.size()) grow();
  put(entry.hash, entries_.size());
  entries_.push_back(std::move(entry));
  return entries_.size() - 1;
}

Entry PartyTable::take(size_t at) {
  Entry taken = std::move(entries_[at]);
  empty_slot(slot_of(at));
  const size_t last = entries_.size() - 1;
  if (at != last) {
    slots_[slot_of(last)] = static_cast<uint32_t>(at + 1);
    entries_[at] = std::move(entries_[last]);
  }
  entries_.pop_back();
  return taken;
}

size_t PartyTable::light_one(uint64_t& random, Time now, Duration half_life) const {
  size_t lightest = kNone;
  std::pair<double, Time> least;
  size_t at = next_random(random) % entries_.size();
  for (size_t i = 0; i < kLookedAt; ++i) {
    const Standing& standing = entries_[at].standing;
    const std::pair weighs(weight(standing, now, half_life), standing.last_seen);
    if (lightest == kNone || weighs < least) {
      lightest = at;
      least = weighs;
    }
    if (++at == entries_.size()) at = 0;
  }
  return lightest;
}

void PartyTable::clear() {
  entries_.clear();
  slots_.clear();
}

size_t PartyTable::slot_of(size_t at) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = entries_[at].hash & mask;
  while (slots_[slot] != at + 1) slot = (slot + 1) & mask;
  return slot;
}

void PartyTable::put(uint64_t hash, size_t at) {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<uint32_t>(at + 1);
}

// Moves up what stands behind it and may stand there, so that no search ends before its time.
void PartyTable::empty_slot(size_t slot) {
  const size_t mask = slots_.size() - 1;
  for (size_t next = (slot + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const size_t home = entries_[slots_[next] - 1].hash & mask;
    if (((next - home) & mask) < ((next - slot) & mask)) continue;
    slots_[slot] = slots_[next];
    slot = next;
  }
  slots_[slot] = 0;
}

void PartyTable::grow() {
  slots_.assign(std::max(kFirstSlots, slots_.size() * 2), 0);
  for (size_t at = 0; at < entries_.size(); ++at) put(entries_[at].hash, at);
}

}  // namespace watchpost::relate
