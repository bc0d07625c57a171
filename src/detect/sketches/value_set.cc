#include "detect/sketches/value_set.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace watchpost::detect {
namespace {

constexpr uint32_t kFirstSlots = 4;
constexpr uint32_t kMostSlots = 512;
constexpr uint32_t kNothing = 0;  // in a free slot of the table

// A filter is lines of 512 bits, as a cache line is; a value sets one bit in each of the 8 words of
// one line.
constexpr size_t kWords = 8;
constexpr size_t kLineBytes = kWords * sizeof(uint64_t);
constexpr int kMostLevels = 5;
constexpr std::array<size_t, kMostLevels> kLines{64, 256, 1024, 4096, 16'384 - 5'440};
// With 32 values a line 39.4 % of the bits are set.
constexpr size_t kFullOnes = 202;  // a line

constexpr auto kLinesBefore = [] {
  std::array<size_t, kMostLevels + 1> before{};
  for (size_t i = 0; i < kLines.size(); ++i) before[i + 1] = before[i] + kLines[i];
  return before;
}();
static_assert(kLinesBefore[kMostLevels] * kLineBytes == 1024 * 1024);

size_t lines_before(int level) { return kLinesBefore[static_cast<size_t>(level)]; }

uint64_t mixed(uint64_t x) {
  x *= 0x9E3779B97F4A7C15;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93;
  return x ^ (x >> 32);
}

// Where a value is in the filters.
struct Place {
  uint64_t high;  // chooses the line
  uint64_t bits;  // six for each word

  explicit Place(uint32_t fingerprint)
      : high(mixed(fingerprint) >> 32), bits(mixed(fingerprint + (uint64_t{1} << 32))) {}
  size_t line(int level) const {
    const size_t lines = kLines[static_cast<size_t>(level)];
    return lines_before(level) + (high * lines >> 32);
  }
  uint64_t bit(size_t word) const { return uint64_t{1} << (bits >> (6 * word) & 63); }
};

bool has(const uint64_t* line, const Place& place) {
  uint64_t missing = 0;
  for (size_t i = 0; i < kWords; ++i) missing |= ~line[i] & place.bit(i);
  return missing == 0;
}

uint32_t ones_of(const uint64_t* words, size_t size) {
  uint32_t ones = 0;
  for (size_t i = 0; i < size; ++i) ones += static_cast<uint32_t>(std::popcount(words[i]));
  return ones;
}

}  // namespace

// Its slots are behind it.
struct ValueSet::Table {
  uint32_t size;    // values
  uint16_t slots;   // 0 where these are filters
  uint16_t levels;  // filters

  uint32_t* begin() { return reinterpret_cast<uint32_t*>(this + 1); }
  uint32_t* end() { return begin() + slots; }
  uint32_t* find(uint32_t fingerprint) {
    const uint32_t mask = slots - 1U;
    uint32_t at = static_cast<uint32_t>(mixed(fingerprint)) & mask;
    while (begin()[at] != kNothing && begin()[at] != fingerprint) at = (at + 1) & mask;
    return begin() + at;
  }
  bool crowded() const { return size >= slots / 4U * 3U; }

  static Table* of(uint32_t slots, Memory& memory) {
    void* const bytes = memory.take(sizeof(Table) + slots * sizeof(uint32_t));
    auto* const table = new (bytes) Table{0, static_cast<uint16_t>(slots), 0};
    std::fill(table->begin(), table->end(), kNothing);
    return table;
  }
};

// The lines of all levels are behind it, each in one cache line.
struct ValueSet::Filters : Table {
  std::array<uint32_t, kMostLevels> ones;  // of each level

  uint64_t* words() {
    const auto behind = reinterpret_cast<uintptr_t>(this + 1);
    return reinterpret_cast<uint64_t*>((behind + kLineBytes - 1) / kLineBytes * kLineBytes);
  }
  uint64_t* line(size_t number) { return words() + number * kWords; }
  bool level_full(int level) const {
    const auto at = static_cast<size_t>(level);
    return ones[at] >= kLines[at] * kFullOnes;
  }
  bool contains(const Place& place) {
    for (int level = levels - 1; level >= 0; --level) {
      if (has(line(place.line(level)), place)) return true;
    }
    return false;
  }
  void set(const Place& place) {
    const int level = levels - 1;
    uint64_t* const words_of_line = line(place.line(level));
    const uint32_t before = ones_of(words_of_line, kWords);
    for (size_t i = 0; i < kWords; ++i) words_of_line[i] |= place.bit(i);
    ones[static_cast<size_t>(level)] += ones_of(words_of_line, kWords) - before;
  }
  void count_ones() {
    for (int level = 0; level < levels; ++level) {
      const auto at = static_cast<size_t>(level);
      ones[at] = ones_of(line(lines_before(level)), kLines[at] * kWords);
    }
  }
};

ValueSet::Filters& ValueSet::filters() const { return static_cast<Filters&>(*table_); }

bool ValueSet::exact() const { return table_ == nullptr || table_->slots != 0; }
uint32_t ValueSet::size() const { return table_ == nullptr ? 0 : table_->size; }

bool ValueSet::full() const {
  return !exact() && table_->levels == kMostLevels && filters().level_full(kMostLevels - 1);
}

bool ValueSet::contains(uint32_t fingerprint) const {
  if (table_ == nullptr) return false;
  if (fingerprint == kNothing) fingerprint = 1;
  if (exact()) return *table_->find(fingerprint) == fingerprint;
  return filters().contains(Place(fingerprint));
}

bool ValueSet::add(uint32_t fingerprint, Memory& memory) {
  if (fingerprint == kNothing) fingerprint = 1;
  if (table_ == nullptr) table_ = Table::of(kFirstSlots, memory);
  if (exact()) {
    uint32_t* const at = table_->find(fingerprint);
    if (*at == fingerprint) return false;
    if (!table_->crowded()) {
      *at = fingerprint;
      ++table_->size;
      return true;
    }
    grow(2U * table_->slots, memory);
    return add(fingerprint, memory);
  }
  const Place place(fingerprint);
  if (filters().contains(place)) return false;
  if (filters().level_full(table_->levels - 1) && table_->levels < kMostLevels) {
    make_filters(table_->levels + 1, memory);
  }
  filters().set(place);
  return true;
}

void ValueSet::grow(uint32_t slots, Memory& memory) {
  if (slots > kMostSlots) return make_filters(1, memory);
  Table* const old = std::exchange(table_, Table::of(slots, memory));
  for (const uint32_t fingerprint : *old) {
    if (fingerprint != kNothing) add(fingerprint, memory);
  }
  memory.give(old);
}

// As many as are wanted; keeps what was in.
void ValueSet::make_filters(int levels, Memory& memory) {
  Table* const old = table_;
  const size_t bytes = lines_before(levels) * kLineBytes;
  void* const room = memory.take(sizeof(Filters) + kLineBytes + bytes);
  auto* const made = new (room) Filters{{0, 0, static_cast<uint16_t>(levels)}, {}};
  table_ = made;
  const bool was_exact = old == nullptr || old->slots != 0;
  const size_t kept = was_exact ? 0 : lines_before(old->levels) * kLineBytes;
  std::memset(reinterpret_cast<char*>(made->words()) + kept, 0, bytes - kept);
  if (old == nullptr) return;
  if (was_exact) {
    for (const uint32_t fingerprint : *old) {
      if (fingerprint != kNothing) made->set(Place(fingerprint));
    }
  } else {
    std::memcpy(made->words(), static_cast<Filters*>(old)->words(), kept);
    made->ones = static_cast<Filters*>(old)->ones;
  }
  memory.give(old);
}

void ValueSet::merge(const ValueSet& other, Memory& memory) {
  if (other.table_ == nullptr) return;
  if (other.exact()) {
    for (const uint32_t fingerprint : *other.table_) {
      if (fingerprint != kNothing) add(fingerprint, memory);
    }
    return;
  }
  if (exact()) make_filters(1, memory);
  Filters& from = other.filters();
  if (from.levels > table_->levels) make_filters(from.levels, memory);
  const size_t words = lines_before(from.levels) * kWords;
  for (size_t i = 0; i < words; ++i) filters().words()[i] |= from.words()[i];
  filters().count_ones();
}

void ValueSet::clear(Memory& memory) {
  memory.give(table_);
  table_ = nullptr;
}

// Sorted, so that the same set is the same bytes.
void ValueSet::save(SavedWriter& out) const {
  out.number(static_cast<uint8_t>(table_ == nullptr ? 0 : exact() ? 1 : 2));
  if (table_ == nullptr) return;
  if (!exact()) {
    out.number(static_cast<uint8_t>(table_->levels));
    out.text({reinterpret_cast<const char*>(filters().words()),
              lines_before(table_->levels) * kLineBytes});
    return;
  }
  std::vector<uint32_t> sorted(table_->begin(), table_->end());
  std::erase(sorted, kNothing);
  std::sort(sorted.begin(), sorted.end());
  out.number(static_cast<uint16_t>(sorted.size()));
  for (const uint32_t fingerprint : sorted) out.number(fingerprint);
}

void ValueSet::restore(SavedReader& in, Memory& memory) {
  clear(memory);
  const auto kind = in.number<uint8_t>();
  in.require(kind <= 2);
  if (in.bad()) return;
  if (kind == 1) restore_table(in, memory);
  if (kind == 2) restore_filters(in, memory);
  if (in.bad()) clear(memory);
}

void ValueSet::restore_table(SavedReader& in, Memory& memory) {
  const auto size = in.number<uint16_t>();
  in.require(size > 0 && size <= kMostSlots / 4 * 3);
  uint32_t before = kNothing;
  for (uint16_t i = 0; i < size && !in.bad(); ++i) {
    const auto fingerprint = in.number<uint32_t>();
    in.require(fingerprint > before);
    if (!in.bad()) add(fingerprint, memory);
    before = fingerprint;
  }
}

void ValueSet::restore_filters(SavedReader& in, Memory& memory) {
  const auto levels = in.number<uint8_t>();
  const std::string_view bytes = in.text();
  in.require(levels > 0 && levels <= kMostLevels);
  if (in.bad()) return;
  in.require(bytes.size() == lines_before(levels) * kLineBytes);
  if (in.bad()) return;
  make_filters(levels, memory);
  std::memcpy(filters().words(), bytes.data(), bytes.size());
  filters().count_ones();
}

}  // namespace watchpost::detect
