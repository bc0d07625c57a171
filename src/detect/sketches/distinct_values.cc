#include "detect/sketches/distinct_values.h"

#include "base/saved_bytes.h"
#include "detect/sketches/hyperloglog.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace watchpost::detect {
namespace {

// 32 bits stand for a value. Among the few of a list two are the same once in four million lists;
// in the HyperLogLog ten of the bits choose a register and the others make its rank.
constexpr uint32_t kFirstListed = 3;
constexpr uint32_t kSecondListed = 8;
constexpr uint32_t kMostListed = 48;
// A window is cut into six; where it does not begin with a part it touches seven.
constexpr int64_t kPartsOfWindow = 6;
constexpr size_t kMostParts = kPartsOfWindow + 1;

uint32_t fingerprint_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

uint32_t age(int64_t now, uint8_t slot) {
  return static_cast<uint8_t>(static_cast<uint8_t>(now) - slot);
}

int64_t length_of_parts(int64_t slots) { return (slots + kPartsOfWindow - 1) / kPartsOfWindow; }

// Parts lie at fixed places, so that any two that count the same window agree about them.
int64_t part_of(int64_t slot, int64_t slots) {
  const int64_t length = length_of_parts(slots);
  return slot >= 0 ? slot / length : -((-slot + length - 1) / length);
}

}  // namespace

// What all blocks begin with. A list has the fingerprints and then the slots behind it.
struct DistinctValues::Block {
  bool is_list;
  uint8_t size;          // values, or parts of the window
  uint8_t capacity;      // of these
  uint8_t latest = 0;    // the part that was written to
  uint32_t slid_to = 0;  // low bits of a slot; all of a list lie in the window that ends there

  uint32_t* fingerprints() { return reinterpret_cast<uint32_t*>(this + 1); }
  uint8_t* slots() { return reinterpret_cast<uint8_t*>(fingerprints() + capacity); }

  static Block* list(uint8_t capacity, Memory& memory) {
    void* const bytes = memory.take(sizeof(Block) + capacity * (sizeof(uint32_t) + 1));
    return new (bytes) Block{true, 0, capacity};
  }
  uint8_t find(uint32_t fingerprint) {
    const uint32_t* const all = fingerprints();
    return static_cast<uint8_t>(std::find(all, all + size, fingerprint) - all);
  }
};

// Behind it the registers of the whole window, then those of each part, in no order.
struct DistinctValues::Dense : Block {
  RegisterSummary summary;  // of the whole window
  // The slots of the part `latest`: most events go there, and a division is slow.
  int64_t latest_from;
  int64_t latest_to;
  int64_t parts[kMostParts];

  uint8_t* whole() { return reinterpret_cast<uint8_t*>(this + 1); }
  uint8_t* part(size_t at) { return whole() + (1 + at) * kRegisters; }

  static Dense* with_room(uint8_t capacity, Memory& memory) {
    void* const bytes = memory.take(sizeof(Dense) + (size_t{1} + capacity) * kRegisters);
    auto* const dense = new (bytes) Dense{{false, 0, capacity}, {0, kRegisters, 0}, 0, 0, {}};
    std::fill_n(dense->whole(), kRegisters, uint8_t{0});
    return dense;
  }
  bool all_within(int64_t first, int64_t last) const {
    return std::all_of(parts, parts + size, [&](int64_t p) { return p >= first && p <= last; });
  }
  void add(size_t at, uint32_t fingerprint) {
    const size_t index = register_of(fingerprint);
    const uint8_t rank = rank_of(fingerprint);
    uint8_t& own = part(at)[index];
    if (rank <= own) return;  // then the whole has it too
    own = rank;
    uint8_t& of_whole = whole()[index];
    if (rank <= of_whole) return;
    summary.remove(of_whole);
    summary.add(rank);
    of_whole = rank;
  }
  void keep_within(int64_t first, int64_t last) {
    for (uint8_t at = 0; at < size;) {
      if (parts[at] >= first && parts[at] <= last) {
        ++at;
        continue;
      }
      --size;
      if (at == size) break;
      parts[at] = parts[size];
      std::copy_n(part(size), kRegisters, part(at));
    }
    latest_from = latest_to = 0;
    sum_up();
  }
  void sum_up() {
    std::fill_n(whole(), kRegisters, uint8_t{0});
    for (size_t at = 0; at < size; ++at) raise_to(whole(), part(at));
    summary = summary_of(whole());
  }
};

DistinctValues::Dense& DistinctValues::dense() const { return static_cast<Dense&>(*block_); }

bool DistinctValues::empty() const { return block_ == nullptr; }

void DistinctValues::clear(Memory& memory) {
  memory.give(block_);
  block_ = nullptr;
}

void DistinctValues::add(int64_t now, int64_t slot, int64_t slots, uint64_t hash, Memory& memory) {
  if (slot > now || slot <= now - slots) return;
  add_fingerprint(now, slot, slots, fingerprint_of(hash), memory);
}

void DistinctValues::add_fingerprint(int64_t now, int64_t slot, int64_t slots, uint32_t fingerprint,
                                     Memory& memory) {
  if (block_ != nullptr && !block_->is_list) {
    const size_t at = part_with(slot, now, slots, memory);
    return dense().add(at, fingerprint);
  }
  if (block_ == nullptr) block_ = Block::list(kFirstListed, memory);
  block_->slid_to = static_cast<uint32_t>(now);
  const uint8_t at = block_->find(fingerprint);
  const auto name = static_cast<uint8_t>(slot);
  if (at < block_->size) {
    uint8_t& seen = block_->slots()[at];
    if (age(now, name) < age(now, seen)) seen = name;
    return;
  }
  if (block_->size == kMostListed) {
    make_dense(now, slots, memory);
    return add_fingerprint(now, slot, slots, fingerprint, memory);
  }
  if (block_->size == block_->capacity) grow_list(memory);
  block_->fingerprints()[block_->size] = fingerprint;
  block_->slots()[block_->size++] = name;
}

void DistinctValues::grow_list(Memory& memory) {
  const uint32_t wanted = std::clamp(2U * block_->capacity, kSecondListed, kMostListed);
  Block* const grown = Block::list(static_cast<uint8_t>(wanted), memory);
  grown->size = block_->size;
  grown->slid_to = block_->slid_to;
  std::copy_n(block_->fingerprints(), block_->size, grown->fingerprints());
  std::copy_n(block_->slots(), block_->size, grown->slots());
  memory.give(block_);
  block_ = grown;
}

void DistinctValues::make_dense(int64_t now, int64_t slots, Memory& memory) {
  Block* const list = std::exchange(block_, Dense::with_room(1, memory));
  for (uint8_t i = 0; i < list->size; ++i) {
    const int64_t slot = now - age(now, list->slots()[i]);
    if (slot <= now - slots) continue;
    const uint32_t fingerprint = list->fingerprints()[i];
    const size_t at = part_with(slot, now, slots, memory);
    dense().add(at, fingerprint);
  }
  memory.give(list);
}

size_t DistinctValues::part_with(int64_t slot, int64_t now, int64_t slots, Memory& memory) {
  const Dense& all = dense();
  if (slot >= all.latest_from && slot < all.latest_to) return all.latest;
  return part_for(part_of(slot, slots), now, slots, memory);
}

size_t DistinctValues::part_for(int64_t part, int64_t now, int64_t slots, Memory& memory) {
  Dense* old = &dense();
  const int64_t* const found = std::find(old->parts, old->parts + old->size, part);
  auto at = static_cast<uint8_t>(found - old->parts);
  if (at == kMostParts) {  // only saved bytes can hold so many that are of no use
    old->keep_within(part_of(now - slots + 1, slots), part_of(now, slots));
    at = old->size;
  }
  if (at == old->capacity) {
    Dense* const grown = Dense::with_room(static_cast<uint8_t>(at + 1), memory);
    grown->size = old->size;
    grown->summary = old->summary;
    std::copy_n(old->parts, kMostParts, grown->parts);
    std::copy_n(old->whole(), (size_t{1} + old->size) * kRegisters, grown->whole());
    memory.give(old);
    block_ = old = grown;
  }
  if (at == old->size) {
    old->parts[at] = part;
    std::fill_n(old->part(at), kRegisters, uint8_t{0});
    ++old->size;
  }
  old->latest_from = part * length_of_parts(slots);
  old->latest_to = old->latest_from + length_of_parts(slots);
  return old->latest = at;
}

void DistinctValues::slide(int64_t last, int64_t now, int64_t slots, Memory& memory) {
  if (block_ == nullptr || now <= last) return;
  const int64_t steps = now - last;
  if (steps >= slots) return clear(memory);
  if (!block_->is_list) {
    const int64_t first = part_of(now - slots + 1, slots);
    const int64_t newest = part_of(now, slots);
    if (!dense().all_within(first, newest)) dense().keep_within(first, newest);
    if (block_->size == 0) clear(memory);
    return;
  }
  for (uint8_t i = 0; i < block_->size;) {
    if (age(last, block_->slots()[i]) + steps < slots) {
      ++i;
      continue;
    }
    --block_->size;
    block_->fingerprints()[i] = block_->fingerprints()[block_->size];
    block_->slots()[i] = block_->slots()[block_->size];
  }
  block_->slid_to = static_cast<uint32_t>(now);
  if (block_->size == 0) clear(memory);
}

void DistinctValues::merge(const DistinctValues& other, int64_t now, int64_t slots,
                           Memory& memory) {
  if (other.block_ == nullptr) return;
  if (other.block_->is_list) {
    for (uint8_t i = 0; i < other.block_->size; ++i) {
      const int64_t slot = now - age(now, other.block_->slots()[i]);
      if (slot <= now - slots) continue;
      add_fingerprint(now, slot, slots, other.block_->fingerprints()[i], memory);
    }
    return;
  }
  if (block_ == nullptr) block_ = Dense::with_room(1, memory);
  if (block_->is_list) make_dense(now, slots, memory);
  Dense& from = other.dense();
  const int64_t first = part_of(now - slots + 1, slots);
  for (size_t i = 0; i < from.size; ++i) {
    if (from.parts[i] < first || from.parts[i] > part_of(now, slots)) continue;
    const size_t at = part_for(from.parts[i], now, slots, memory);
    raise_to(dense().part(at), from.part(i));
  }
  dense().sum_up();
  if (block_->size == 0) clear(memory);
}

double DistinctValues::count(int64_t now, int64_t slots, int64_t from) const {
  const bool all_of_it = from <= now - slots + 1;
  if (block_ == nullptr || from > now) return 0;
  if (block_->is_list) {
    if (all_of_it && block_->slid_to == static_cast<uint32_t>(now)) return block_->size;
    const int64_t length = all_of_it ? slots : now - from + 1;
    const uint8_t* const names = block_->slots();
    return static_cast<double>(std::count_if(
        names, names + block_->size, [&](uint8_t name) { return age(now, name) < length; }));
  }
  Dense& all = dense();
  const int64_t first = all_of_it ? part_of(now - slots + 1, slots) : part_of(from - 1, slots) + 1;
  const int64_t last = part_of(now, slots);
  if (all.all_within(first, last)) return std::round(all.summary.estimate());
  std::array<uint8_t, kRegisters> whole{};
  for (size_t at = 0; at < all.size; ++at) {
    if (all.parts[at] >= first && all.parts[at] <= last) raise_to(whole.data(), all.part(at));
  }
  return std::round(summary_of(whole.data()).estimate());
}

// Sorted, so that the same values are the same bytes.
void DistinctValues::save(SavedWriter& out) const {
  out.number(static_cast<uint8_t>(block_ == nullptr ? 0 : block_->is_list ? 1 : 2));
  if (block_ == nullptr) return;
  out.number(block_->size);
  std::array<uint8_t, kMostListed> order{};
  for (uint8_t i = 0; i < block_->size; ++i) order[i] = i;
  const auto sort_by = [&](const auto* key) {
    std::sort(order.begin(), order.begin() + block_->size,
              [&](uint8_t a, uint8_t b) { return key[a] < key[b]; });
  };
  if (block_->is_list) {
    sort_by(block_->fingerprints());
    for (uint8_t i = 0; i < block_->size; ++i) {
      out.number(block_->fingerprints()[order[i]]);
      out.number(block_->slots()[order[i]]);
    }
    return;
  }
  sort_by(dense().parts);
  for (uint8_t i = 0; i < block_->size; ++i) {
    out.number(dense().parts[order[i]]);
    out.text({reinterpret_cast<const char*>(dense().part(order[i])), kRegisters});
  }
}

void DistinctValues::restore(SavedReader& in, Memory& memory) {
  clear(memory);
  const auto kind = in.number<uint8_t>();
  in.require(kind <= 2);
  if (kind == 0 || in.bad()) return;
  const auto size = in.number<uint8_t>();
  in.require(size > 0 && size <= (kind == 1 ? kMostListed : kMostParts));
  if (in.bad()) return;
  if (kind == 1) {
    restore_list(in, size, memory);
  } else {
    restore_parts(in, size, memory);
  }
  if (in.bad()) clear(memory);
}

void DistinctValues::restore_list(SavedReader& in, uint8_t size, Memory& memory) {
  uint32_t capacity = kFirstListed;
  while (capacity < size) capacity = std::clamp(2 * capacity, kSecondListed, kMostListed);
  block_ = Block::list(static_cast<uint8_t>(capacity), memory);
  uint32_t* const fingerprints = block_->fingerprints();
  for (uint8_t i = 0; i < size && !in.bad(); ++i) {
    fingerprints[i] = in.number<uint32_t>();
    block_->slots()[i] = in.number<uint8_t>();
    in.require(i == 0 || fingerprints[i - 1] < fingerprints[i]);
    ++block_->size;
  }
}

void DistinctValues::restore_parts(SavedReader& in, uint8_t size, Memory& memory) {
  block_ = Dense::with_room(size, memory);
  Dense& all = dense();
  for (uint8_t i = 0; i < size && !in.bad(); ++i) {
    all.parts[i] = in.number<int64_t>();
    const std::string_view registers = in.text();
    in.require(i == 0 || all.parts[i - 1] < all.parts[i]);
    in.require(registers.size() == kRegisters);
    in.require(std::all_of(registers.begin(), registers.end(),
                           [](char rank) { return static_cast<uint8_t>(rank) <= kMostRank; }));
    if (in.bad()) return;
    std::copy_n(registers.begin(), kRegisters, all.part(i));
    ++all.size;
  }
  all.sum_up();
}

}  // namespace watchpost::detect
