#pragma once
#include "detect/memory.h"

#include <cstdint>

namespace watchpost {
class SavedReader;
class SavedWriter;
}  // namespace watchpost

namespace watchpost::detect {

// A growing set of 32-bit fingerprints. Up to 384 in a table, exactly; beyond in up to five blocked
// Bloom filters, each four times the last and of 16 bits a value, 1 MiB in all: room for about half
// a million, of new ones less than one in 200 is taken for one that is in.
//   Owns:    at most one block of `memory`: clear() before dropping it. May be moved as bytes.
//   Merging: the union. Exact while it is a table; filters are united bit by bit and may then be
//            fuller, so that they err more often about new ones, never about those that are in.
class ValueSet {
 public:
  bool contains(uint32_t fingerprint) const;
  // True where it was not in. Always takes it in; look at full() before.
  bool add(uint32_t fingerprint, Memory& memory);
  bool full() const;
  bool exact() const;
  bool empty() const { return table_ == nullptr; }
  uint32_t size() const;  // of an exact one
  void merge(const ValueSet& other, Memory& memory);
  void clear(Memory& memory);

  void save(SavedWriter& out) const;
  void restore(SavedReader& in, Memory& memory);

 private:
  struct Table;
  struct Filters;

  Filters& filters() const;
  void grow(uint32_t slots, Memory& memory);
  void make_filters(int levels, Memory& memory);
  void restore_table(SavedReader& in, Memory& memory);
  void restore_filters(SavedReader& in, Memory& memory);

  Table* table_ = nullptr;
};

}  // namespace watchpost::detect
