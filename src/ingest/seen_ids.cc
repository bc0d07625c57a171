#include "ingest/seen_ids.h"

#include <algorithm>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr size_t kFirstSlots = 1 << 14;

uint64_t fingerprint_of(const EventId& id) {
  const uint64_t mixed = (id.high * 0x9e3779b97f4a7c15U) ^ id.low;
  return mixed == 0 ? 1 : mixed;
}

// The slot that holds the fingerprint, or the empty one where it would go.
size_t slot_of(const std::vector<uint64_t>& slots, uint64_t fingerprint) {
  const size_t mask = slots.size() - 1;
  size_t at = (fingerprint ^ (fingerprint >> 32)) & mask;
  while (slots[at] != 0 && slots[at] != fingerprint) at = (at + 1) & mask;
  return at;
}

}  // namespace

SeenIds::SeenIds(Duration span, size_t most)
    : span_(span), most_each_(std::max<size_t>(most / 2, 1)) {}

bool SeenIds::Table::has(uint64_t fingerprint) const {
  return !slots.empty() && slots[slot_of(slots, fingerprint)] != 0;
}

void SeenIds::Table::add(uint64_t fingerprint) {
  if (count * 2 >= slots.size()) {
    std::vector<uint64_t> larger(std::max(kFirstSlots, slots.size() * 2));
    for (const uint64_t one : slots) {
      if (one != 0) larger[slot_of(larger, one)] = one;
    }
    slots = std::move(larger);
  }
  slots[slot_of(slots, fingerprint)] = fingerprint;
  ++count;
}

bool SeenIds::add(const EventId& id, Time now) {
  const uint64_t fingerprint = fingerprint_of(id);
  if (newer_.has(fingerprint) || older_.has(fingerprint)) return false;
  if (newer_.count == 0) newer_.since = std::max(newer_.since, now);
  if (newer_.count >= most_each_ || now - newer_.since > span_) turn(now);
  newer_.add(fingerprint);
  return true;
}

void SeenIds::turn(Time now) {
  if (older_.count > 0 && now - newer_.since <= span_) forgotten_early_ += older_.count;
  older_ = std::exchange(newer_, Table{});
  newer_.since = now;
}

size_t SeenIds::bytes() const {
  return (newer_.slots.capacity() + older_.slots.capacity()) * sizeof(uint64_t);
}

}  // namespace watchpost::ingest
