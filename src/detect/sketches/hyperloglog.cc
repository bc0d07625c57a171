#include "detect/sketches/hyperloglog.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace watchpost::detect {
namespace {

// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: one
// formula from the first value to the last, where it is the linear count for small numbers.
double ertl_sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double sum = x;
  for (double weight = 1, before = -1; sum != before; weight *= 2) {
    before = sum;
    x *= x;
    sum += x * weight;
  }
  return sum;
}

double ertl_tau(double x) {
  if (x == 0 || x == 1) return 0;
  double rest = 1 - x;
  for (double weight = 0.5, before = -1; rest != before; weight /= 2) {
    before = rest;
    x = std::sqrt(x);
    rest -= (1 - x) * (1 - x) * weight;
  }
  return rest / 3;
}

}  // namespace

double RegisterSummary::estimate() const {
  constexpr double kAll = kRegisters;
  static const auto kSigmas = [] {
    std::array<double, kRegisters + 1> sigmas;
    for (size_t i = 0; i < sigmas.size(); ++i)
      sigmas[i] = ertl_sigma(static_cast<double>(i) / kAll);
    return sigmas;
  }();
  const double of_largest = kAll * ertl_tau(1 - largest / kAll);
  const double of_ranks = std::ldexp(static_cast<double>(sum) + of_largest, -kRestBits);
  return kAll * kAll / (2 * std::numbers::ln2 * (of_ranks + kAll * kSigmas[zeros]));
}

RegisterSummary summary_of(const uint8_t* registers) {
  RegisterSummary summary;
  for (size_t i = 0; i < kRegisters; ++i) summary.add(registers[i]);
  return summary;
}

void raise_to(uint8_t* registers, const uint8_t* others) {
  for (size_t i = 0; i < kRegisters; ++i) registers[i] = std::max(registers[i], others[i]);
}

}  // namespace watchpost::detect
