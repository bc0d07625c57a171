#pragma once
#include "detect/memory.h"

#include <cstdint>
#include <limits>

namespace watchpost {
class SavedReader;
class SavedWriter;
}  // namespace watchpost

namespace watchpost::detect {

// How many different values came in a sliding window of slots (detect/slots.h). Exact up to 48
// values, which live in a short list; a HyperLogLog (p = 10, +-3.3 %) beyond, with the registers of
// each sixth of the window apart, so that old values leave it: there they leave by sixths, up to a
// sixth of the window late.
//   Use:     as Slots: slide() to the present slot, then add(); all slots lie in one window.
//   Owns:    at most one block, taken from and given back to `memory`: whoever holds one calls
//            clear() before dropping it. May be moved as bytes.
//   Merging: merge() of two that saw different events and slid to the same slot gives what one that
//            saw all would give, in any order: the same count where both are lists, or both are
//            not. (A list of parts that were never many at once is exact where the whole
//            estimates.)
class DistinctValues {
 public:
  static constexpr int64_t kWholeWindow = std::numeric_limits<int64_t>::min();

  // `hash` of the value: well mixed, 64 bits.
  void add(int64_t now, int64_t slot, int64_t slots, uint64_t hash, Memory& memory);
  // Drops what is older than `slots` slots before `now`; `last` is a slot not older than any value.
  void slide(int64_t last, int64_t now, int64_t slots, Memory& memory);
  void merge(const DistinctValues& other, int64_t now, int64_t slots, Memory& memory);
  void clear(Memory& memory);

  bool empty() const;
  // Whole for a few, an estimate for many. Of those alone that came in the slot `from` or later; of
  // many, which lie in sixths of the window, in the first whole sixth from there or later.
  double count(int64_t now, int64_t slots, int64_t from = kWholeWindow) const;

  void save(SavedWriter& out) const;
  void restore(SavedReader& in, Memory& memory);  // spoils `in` where the bytes are no such thing

 private:
  struct Block;
  struct Dense;

  Dense& dense() const;
  void add_fingerprint(int64_t now, int64_t slot, int64_t slots, uint32_t fingerprint,
                       Memory& memory);
  void grow_list(Memory& memory);
  void make_dense(int64_t now, int64_t slots, Memory& memory);
  // Where the registers of the part with a slot, or of a part, are; makes room for them.
  size_t part_with(int64_t slot, int64_t now, int64_t slots, Memory& memory);
  size_t part_for(int64_t part, int64_t now, int64_t slots, Memory& memory);
  void restore_list(SavedReader& in, uint8_t size, Memory& memory);
  void restore_parts(SavedReader& in, uint8_t size, Memory& memory);

  Block* block_ = nullptr;
};

}  // namespace watchpost::detect
