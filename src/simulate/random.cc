#include "simulate/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace watchpost::simulate {
namespace {

constexpr double kLog2 = 0.693147180559945309417;
constexpr double kRoot2 = 1.41421356237309504880;

uint64_t stirred(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t mixed(uint64_t a, uint64_t b) {
  return stirred(a + 0x9E3779B97F4A7C15U + stirred(b ^ 0xD1B54A32D192ED03U));
}

double unit_of(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

double natural_log(double number) {
  const auto bits = std::bit_cast<uint64_t>(number);
  int exponent = static_cast<int>((bits >> 52) & 0x7FF) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  if (mantissa > kRoot2) {
    mantissa /= 2;
    ++exponent;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)), here with |x| < 0.172.
  const double x = (mantissa - 1) / (mantissa + 1);
  const double y = x * x;
  const double series =
      1 + y * (1.0 / 3 + y * (1.0 / 5 + y * (1.0 / 7 + y * (1.0 / 9 + y * (1.0 / 11)))));
  return exponent * kLog2 + 2 * x * series;
}

double natural_exp(double number) {
  const double bounded = std::clamp(number, -700.0, 700.0);
  const auto halves = static_cast<int>(bounded / kLog2 + (bounded < 0 ? -0.5 : 0.5));
  const double x = bounded - halves * kLog2;
  double term = 1;
  double sum = 1;
  for (int i = 1; i <= 12; ++i) {
    term *= x / i;
    sum += term;
  }
  const double scale = std::bit_cast<double>(static_cast<uint64_t>(halves + 1023) << 52);
  return sum * scale;
}

double normal_quantile(double probability) {
  constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                           1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                           6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                           -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                           3.754408661907416e+00};
  const double p = std::clamp(probability, 1e-12, 1 - 1e-12);
  if (p < 0.02425 || p > 1 - 0.02425) {
    const double q = std::sqrt(-2 * natural_log(p < 0.5 ? p : 1 - p));
    const double top = ((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5];
    const double tail = top / ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1);
    return p < 0.5 ? tail : -tail;
  }
  const double q = p - 0.5;
  const double r = q * q;
  const double top =
      (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q;
  return top / (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1);
}

uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  return stirred(state_);
}

uint32_t Random::below(uint32_t end) { return static_cast<uint32_t>(((next() >> 32) * end) >> 32); }

double Random::lognormal(double median, double sigma) {
  return median * natural_exp(sigma * normal_quantile(unit()));
}

}  // namespace watchpost::simulate
