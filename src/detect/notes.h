#pragma once
#include "base/time.h"
#include "detect/memory.h"
#include "detect/slots.h"

#include <cstdint>
#include <unordered_map>

namespace watchpost::detect {

// What is known about one rule and one stream beside the stream's counters.
struct Noted {
  bool firing = false;
  Slots before;  // what stood in the counters when the rule was told to forget it
  Time since;    // when that was
};

// The notes on rules and streams, both by number. Few streams have any: StreamRecord::noted says
// whether it is worth looking.
class Notes {
 public:
  explicit Notes(Memory& memory) : memory_(memory) {}
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  Noted* find(uint32_t stream, uint32_t rule);
  const Noted* find(uint32_t stream, uint32_t rule) const;
  Noted& add(uint32_t stream, uint32_t rule);  // or the one that is there
  void remove(uint32_t stream, uint32_t rule);

 private:
  static uint64_t key(uint32_t stream, uint32_t rule) { return (uint64_t{stream} << 32) | rule; }

  Memory& memory_;
  std::unordered_map<uint64_t, Noted> notes_;
};

}  // namespace watchpost::detect
