#pragma once
#include <algorithm>
#include <cmath>

namespace watchpost::detect {

// A one-sided sequential test, event by event (CUSUM of log likelihood ratios; research: standards
// 3.2): the evidence, in nats, that the share of bad ones climbed from `from` to `to`. At the
// healthy share it reaches h by chance less than once in e^h looks; at the bad one it grows by the
// Kullback-Leibler distance of the two with each try.
struct ClimbSteps {
  float bad;
  float good;

  static ClimbSteps of(double from, double to) {
    return {static_cast<float>(std::log(to / from)),
            static_cast<float>(std::log((1 - to) / (1 - from)))};
  }
  float next(float evidence, bool is_bad) const {
    return std::max(0.0F, evidence + (is_bad ? bad : good));
  }
};

}  // namespace watchpost::detect
