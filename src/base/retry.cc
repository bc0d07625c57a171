#include "base/retry.h"

#include <algorithm>

namespace watchpost {

Duration pause_after(const Pauses& pauses, uint32_t failures, double jitter) {
  Duration whole = std::min(pauses.first, pauses.longest);
  for (uint32_t i = 1; i < failures && whole < pauses.longest; ++i) {
    whole = std::min(whole * 2, pauses.longest);
  }
  const double share = 1 - std::clamp(jitter, 0.0, 1.0) / 2;
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * share));
}

}  // namespace watchpost
