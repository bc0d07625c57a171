#pragma once
#include "base/hash.h"
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
  bool operator==(const StreamKey&) const = default;
};

// A key from a number (of the group) and hashes (of the values, in the group's order).
class StreamKeyMaker {
 public:
  explicit StreamKeyMaker(uint32_t number) : check_(kGolden + number), tag_(kRoot ^ number) {}
  void add(const Hash128& value) {
    check_ = mixed(check_ ^ value.high, kGolden) + value.low;
    tag_ = mixed(tag_ ^ value.low, kRoot) + value.high;
  }
  StreamKey key() const { return {check_, static_cast<uint32_t>(mixed(tag_, kGolden) >> 32)}; }

 private:
  // The fractions of the golden ratio and of the root of 2.
  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  static constexpr uint64_t kRoot = 0x6A09E667F3BCC909;
  // Multiply and fold: each bit of both words reaches each bit of the result.
  static uint64_t mixed(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint64_t check_;
  uint64_t tag_;
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
  uint32_t tag = 0;  // of its key: the table finds its entry again without a look at the values
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
