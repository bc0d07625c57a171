#include "enforce/retry.h"

#include <algorithm>

namespace watchpost::enforce {

Duration pause_after(uint32_t failures, double jitter) {
  constexpr uint32_t kDoublings = 9;  // 512 s: past the longest
  const uint32_t doublings = std::min(failures > 0 ? failures - 1 : 0, kDoublings);
  const Duration whole =
      std::min<Duration>(std::chrono::seconds(int64_t{1} << doublings), kLongestPause);
  const double share = 1 - std::clamp(jitter, 0.0, 1.0) / 2;
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * share));
}

}  // namespace watchpost::enforce
