#pragma once
#include "relate/reputation.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::relate {

// The latest time that is remembered: the end of the year 9999.
inline constexpr Time kLatest{std::chrono::seconds(253'402'300'799)};
// No address is longer, nor any name that DNS knows. What is longer is nobody's and is not kept.
inline constexpr size_t kLongestName = 255;

// One party, its counts as they were when it was last seen.
struct Entry {
  uint64_t hash = 0;
  Party party = Party::ip;
  std::string name;
  Standing standing;
};

// The counts as they are `now`; as they were where that is before.
Standing decayed(const Standing& standing, Time now, Duration half_life);
// How much there is to lose where it is forgotten: all its counts, as they are `now`.
double weight(const Standing& standing, Time now, Duration half_life);

// Parties by name, up to a number of them.
//   Owns:    the entries side by side, so that some of them can be drawn at random, and an open
//            table of their positions.
//   Threads: none inside.
class PartyTable {
 public:
  explicit PartyTable(size_t most) : most_(most) {}

  // Its position; kNone where it is not there.
  static constexpr size_t kNone = static_cast<size_t>(-1);
  size_t find(uint64_t hash, Party party, std::string_view name) const;

  // Only where it is not there and the table is not full. Gives its position.
  size_t add(Entry entry);
  // Gives back what was there. The last entry takes its position.
  Entry take(size_t at);
  // Of a few that stand side by side somewhere, the one that weighs least, and of these the one not
  // seen for longest. Only where there are any.
  size_t light_one(uint64_t& random, Time now, Duration half_life) const;

  bool full() const { return entries_.size() >= most_; }
  size_t size() const { return entries_.size(); }
  Entry& operator[](size_t at) { return entries_[at]; }
  const Entry& operator[](size_t at) const { return entries_[at]; }
  const std::vector<Entry>& entries() const { return entries_; }
  void clear();

 private:
  size_t slot_of(size_t at) const;  // of the entry at that position
  void put(uint64_t hash, size_t at);
  void empty_slot(size_t slot);
  void grow();

  size_t most_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // positions + 1, 0 for none; a power of two of them
};

}  // namespace watchpost::relate
