#pragma once
#include "base/time.h"
#include "detect/slots.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace watchpost::detect {

// What names a stream in the table: 96 bits of a hash with a seed that the outside does not know.
// Values are not compared: nobody can make two streams meet on purpose, and by chance they do not.
struct StreamKey {
  uint64_t check = 0;
  uint32_t tag = 0;
};

// What is kept for each stream, in one line of the processor's cache: nearly all that an event
// touches.
struct alignas(64) StreamRecord {
  static constexpr uint32_t kNear = 2;
  static constexpr uint8_t kHottest = 3;

  uint64_t check = 0;
  Time last_at;  // of its newest event
  // The Slots that `near` has no room for, where its sketches are, its values; null: unused.
  std::byte* body = nullptr;
  uint32_t values_size = 0;  // bytes
  uint16_t group = 0;
  uint8_t heat = 0;                 // touches since the hand came by, at most kHottest
  bool noted = false;               // something is noted about it and a rule, see Notes
  std::array<Slots, kNear> near{};  // of the first series of its group

  // The counters of the nth series of its group.
  Slots& slots(uint32_t series) {
    return series < kNear ? near[series] : reinterpret_cast<Slots*>(body)[series - kNear];
  }
  const Slots& slots(uint32_t series) const {
    return const_cast<StreamRecord*>(this)->slots(series);
  }
};
static_assert(sizeof(StreamRecord) == 64);

}  // namespace watchpost::detect
