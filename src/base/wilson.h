#pragma once
#include <algorithm>
#include <cmath>

namespace watchpost {

struct Interval {
  double low = 0;
  double high = 1;
};

// What a share may be of which `part` of `whole` was seen, at 95 % (Wilson 1927): honest for few,
// and for shares near 0 and 1. Of nothing, anything. A part larger than the whole is all of it.
inline Interval wilson(double part, double whole) {
  constexpr double z = 1.96;
  if (!(whole > 0)) return {};
  const double share = std::clamp(part / whole, 0.0, 1.0);
  const double spread = z * std::sqrt((share * (1 - share) + z * z / (4 * whole)) / whole);
  const double middle = share + z * z / (2 * whole);
  const double all = 1 + z * z / whole;
  return {std::clamp((middle - spread) / all, 0.0, 1.0),
          std::clamp((middle + spread) / all, 0.0, 1.0)};
}

}  // namespace watchpost
