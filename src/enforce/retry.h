#pragma once
#include "base/retry.h"

#include <chrono>

namespace watchpost::enforce {

// The pause before the next try: 1 s doubling to 5 min.
inline constexpr Duration kLongestPause = std::chrono::minutes(5);
inline Duration pause_after(uint32_t failures, double jitter) {
  return watchpost::pause_after({std::chrono::seconds(1), kLongestPause}, failures, jitter);
}

}  // namespace watchpost::enforce
