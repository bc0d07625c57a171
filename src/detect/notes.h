#pragma once
#include "base/time.h"
#include "detect/memory.h"
#include "detect/slots.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::detect {

inline constexpr int64_t kAllSlots = std::numeric_limits<int64_t>::min();

// What is known about one rule and one stream beside the stream's counters.
struct Noted {
  bool firing = false;  // its condition holds
  // Since when, after it fired, its condition has not held any more.
  std::optional<Time> quiet_since;
  // Values of `distinct` that came in older slots are no evidence for it.
  int64_t values_from = kAllSlots;
  // What stood in the counters when the rule was told to forget it. Of a rule on cohorts: a cell in
  // each cohort that is used up as evidence.
  Slots before;
  Time since;  // when it was told so

  void stop_firing(Time at) {
    if (firing) quiet_since = at;
    firing = false;
  }
  // Too early to fire once more.
  bool is_quiet(Time at, Duration quiet) const { return quiet_since && at - *quiet_since < quiet; }
};

// The notes on rules and streams, both by number. Few streams have any: StreamRecord::noted says
// whether it is worth looking.
class Notes {
 public:
  // `counted` is for each rule whether notes on it are.
  Notes(Memory& memory, std::vector<bool> counted)
      : memory_(memory), counted_(std::move(counted)) {}
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  Noted* find(uint32_t stream, uint32_t rule);
  const Noted* find(uint32_t stream, uint32_t rule) const;
  Noted& add(uint32_t stream, uint32_t rule);  // or the one that is there
  void remove(uint32_t stream, uint32_t rule);
  size_t count() const { return count_; }

 private:
  static uint64_t key(uint32_t stream, uint32_t rule) { return (uint64_t{stream} << 32) | rule; }

  Memory& memory_;
  const std::vector<bool> counted_;
  size_t count_ = 0;
  std::unordered_map<uint64_t, Noted> notes_;
};

}  // namespace watchpost::detect
