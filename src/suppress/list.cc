#include "suppress/list.h"

#include "base/ascii.h"
#include "base/hash.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>

namespace watchpost::suppress {
namespace {

constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kReasonBits = 0b00111;
constexpr uint32_t kLiftedBit = 0b01000;
constexpr uint32_t kPersonBit = 0b10000;
constexpr uint32_t kHashBits = ~(kReasonBits | kLiftedBit | kPersonBit);
constexpr size_t kFirstSlots = 16;

// Clamped to what 32 bits hold, which ends in 2106.
uint32_t seconds_of(Time at) {
  const int64_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  return static_cast<uint32_t>(std::clamp<int64_t>(seconds, 0, kNever - 1));
}

Time time_of(uint32_t seconds) { return Time(std::chrono::seconds(seconds)); }

// Not `x % n`: the upper bits decide, and n need be no power of two.
size_t scaled(uint64_t key, size_t slots) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<size_t>((static_cast<Wide>(key) * slots) >> 64);
}

}  // namespace

List::Found List::hash_of(std::string_view customer, std::string_view recipient) const {
  // A recipient has no NUL, so that no two pairs give the same bytes.
  std::array<char, 512> near;
  std::string far;
  const size_t length = customer.size() + 1 + recipient.size();
  char* bytes = near.data();
  if (length > near.size()) {
    far.resize(length);
    bytes = far.data();
  }
  std::copy(recipient.begin(), recipient.end(), bytes);
  bytes[recipient.size()] = '\0';
  std::copy(customer.begin(), customer.end(), bytes + recipient.size() + 1);
  const Hash128 hash = hash128({bytes, length}, seed_);
  return {hash.high == 0 ? 1 : hash.high, static_cast<uint32_t>(hash.low >> 32) & kHashBits};
}

size_t List::place(const std::vector<Slot>& slots, const Found& wanted, uint32_t mask) {
  size_t at = scaled(wanted.key, slots.size());
  while (slots[at].key != 0 &&
         (slots[at].key != wanted.key || ((slots[at].check ^ wanted.check) & mask) != 0)) {
    if (++at == slots.size()) at = 0;
  }
  return at;
}

void List::grow(Table& table) {
  std::vector<Slot> larger(std::max(kFirstSlots, table.slots.size() + table.slots.size() * 2 / 5));
  for (const Slot& slot : table.slots) {
    if (slot.key == 0) continue;
    larger[place(larger, {slot.key, slot.check}, kHashBits | kReasonBits)] = slot;
  }
  table.slots.swap(larger);
}

void List::put(const Suppression& one) {
  Found wanted = hash_of(one.customer, one.recipient);
  wanted.check |= static_cast<uint32_t>(one.reason) & kReasonBits;
  Slot slot{.key = wanted.key, .time = kNever, .check = wanted.check};
  if (one.by_person) slot.check |= kPersonBit;
  if (one.lifted) {
    slot.check |= kLiftedBit;
    slot.time = seconds_of(one.changed_at);
  } else if (one.until) {
    slot.time = seconds_of(*one.until + std::chrono::seconds(1) - Duration(1));
  }
  Table& table = tables_[wanted.key % kTables];
  {
    const std::unique_lock lock(table.mutex);
    if ((table.used + 1) * 5 > table.slots.size() * 4) grow(table);
    Slot& there = table.slots[place(table.slots, wanted, kHashBits | kReasonBits)];
    if (there.key == 0) {
      ++table.used;
      size_.fetch_add(1, std::memory_order_relaxed);
    }
    there = slot;
  }
  if (one.change > last_change_.load(std::memory_order_relaxed)) {
    last_change_.store(one.change, std::memory_order_release);
  }
}

Entry List::entry_of(const Slot& slot) {
  Entry entry{.reason = static_cast<SuppressionReason>(slot.check & kReasonBits),
              .lifted = (slot.check & kLiftedBit) != 0,
              .by_person = (slot.check & kPersonBit) != 0};
  if (entry.lifted) {
    entry.lifted_at = time_of(slot.time);
  } else if (slot.time != kNever) {
    entry.until = time_of(slot.time);
  }
  return entry;
}

template <class Each>
void List::look(const Found& wanted, const Each& each) const {
  const Table& table = tables_[wanted.key % kTables];
  const std::shared_lock lock(table.mutex);
  if (table.slots.empty()) return;
  size_t at = scaled(wanted.key, table.slots.size());
  while (table.slots[at].key != 0) {
    const Slot& slot = table.slots[at];
    if (slot.key == wanted.key && (slot.check & kHashBits) == wanted.check && each(slot)) return;
    if (++at == table.slots.size()) at = 0;
  }
}

std::optional<Entry> List::of(std::string_view customer, std::string_view recipient,
                              SuppressionReason reason) const {
  std::optional<Entry> found;
  look(hash_of(customer, recipient), [&](const Slot& slot) {
    if ((slot.check & kReasonBits) == static_cast<uint32_t>(reason)) found = entry_of(slot);
    return found.has_value();
  });
  return found;
}

std::vector<Entry> List::all_of(std::string_view customer, std::string_view recipient) const {
  std::vector<Entry> all;
  look(hash_of(customer, recipient), [&](const Slot& slot) {
    all.push_back(entry_of(slot));
    return false;
  });
  return all;
}

std::optional<Entry> List::held(std::string_view customer, std::string_view recipient,
                                Time now) const {
  std::optional<Entry> found;
  look(hash_of(customer, recipient), [&](const Slot& slot) {
    const Entry entry = entry_of(slot);
    if (entry.holds(now)) found = entry;
    return found.has_value();
  });
  return found;
}

std::optional<Entry> List::holding(std::string_view customer, std::string_view address,
                                   Time now) const {
  if (size() == 0) return std::nullopt;
  const std::string recipient = suppression_key(address);
  if (recipient.empty()) return std::nullopt;
  if (!customer.empty()) {
    if (const auto own = held(customer, recipient, now)) return own;
  }
  return held({}, recipient, now);
}

size_t List::bytes() const {
  size_t all = sizeof(List);
  for (const Table& table : tables_) {
    const std::shared_lock lock(table.mutex);
    all += table.slots.capacity() * sizeof(Slot);
  }
  return all;
}

}  // namespace watchpost::suppress
