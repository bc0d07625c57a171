#pragma once
#include "base/time.h"
#include "detect/memory.h"

#include <cstdint>

namespace watchpost {
class SavedReader;
class SavedWriter;
}  // namespace watchpost

namespace watchpost::detect {

// The values that a stream ever had, for telling new ones: two sets (value_set.h), of this period
// of 30 days and the last one. Exact fingerprints of a few hundred each, Bloom filters (up to 1 MiB
// each; at most about 1 % error: a new value is taken for a known one) beyond. What did not come
// for 30 to 60 days, or was pushed out where a stream has very many values, is new again.
//   Owns:    blocks of `memory`, as DistinctValues does.
//   Merging: the union, in any order; exact while the sets are tables and none was pushed out.
class KnownValues {
 public:
  // True where the value was not known yet; it is from then on.
  bool add(uint64_t hash, Time at, Memory& memory);
  bool knows(uint64_t hash) const;
  // Young ones know too little to call anything new: true from a day after the first event on, once
  // there were at least 20. Whoever was silent until all was forgotten is young again.
  bool settled(Time at) const;
  void merge(const KnownValues& other, Memory& memory);
  void clear(Memory& memory);

  void save(SavedWriter& out) const;
  void restore(SavedReader& in, Memory& memory);

 private:
  struct Block;

  Block& block_at(Time at, Memory& memory);

  Block* block_ = nullptr;
};

}  // namespace watchpost::detect
