#pragma once
#include "base/time.h"

#include <cstdint>

namespace watchpost::enforce {

// The pause before the next try: 1 s doubling to 5 min, shortened by up to half (`jitter` from 0 to
// 1), so that what failed together is not tried again together.
Duration pause_after(uint32_t failures, double jitter);
inline constexpr Duration kLongestPause = std::chrono::minutes(5);

}  // namespace watchpost::enforce
