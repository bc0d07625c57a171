#include "expr/tail.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace watchpost::expr {
namespace {

// Far more than the sums need for 1e9 tries; beyond, the answers err on the side of "by chance".
constexpr int kMostTerms = 400'000;

// log(n!) - log(sqrt(2 pi n) (n/e)^n), the error of Stirling's formula. Added to the exponent below
// it gives full precision where the difference of three log-gammas would lose it all.
double stirling_error(double n) {
  static const auto kSmall = [] {
    std::array<double, 16> errors{};
    double factorial = 1;
    for (size_t i = 1; i < errors.size(); ++i) {
      const auto x = static_cast<double>(i);
      factorial *= x;  // exact up to 18!
      errors[i] =
          std::log(factorial) - (x + 0.5) * std::log(x) + x - 0.5 * std::log(2 * std::numbers::pi);
    }
    return errors;
  }();
  if (n < 16) return kSmall[static_cast<size_t>(n)];
  const double square = n * n;
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680) / square) / square) / square) / n;
}

// (1 + d) log(1 + d) - d
double surprise(double d) {
  if (d <= -1) return 1;
  if (std::abs(d) < 1e-3) {
    return d * d * (1.0 / 2 - d * (1.0 / 6 - d * (1.0 / 12 - d * (1.0 / 20 - d / 30))));
  }
  return (1 + d) * std::log1p(d) - d;
}
// k log(k / m) + m - k: how surprising k is where m are expected.
double surprise(double k, double m) { return k == 0 ? m : m * surprise((k - m) / m); }

// A distribution seen from one point: the exponent of Chernoff's bound there, the probability of
// exactly k, and the factor from k to k + 1.
struct Binomial {
  double n, p;
  double mean() const { return n * p; }
  double exponent(double k) const { return surprise(k, n * p) + surprise(n - k, n * (1 - p)); }
  double at(double k) const {
    if (k == n) return std::exp(n * std::log(p));
    if (k == 0) return std::exp(n * std::log1p(-p));
    const double correction = stirling_error(n) - stirling_error(k) - stirling_error(n - k);
    return std::sqrt(n / (2 * std::numbers::pi * k * (n - k))) * std::exp(correction - exponent(k));
  }
  double step(double k) const { return (n - k) / (k + 1) * (p / (1 - p)); }
};

struct Poisson {
  double m;
  double mean() const { return m; }
  double exponent(double k) const { return surprise(k, m); }
  double at(double k) const {
    if (k == 0) return std::exp(-m);
    return std::exp(-stirling_error(k) - exponent(k)) / std::sqrt(2 * std::numbers::pi * k);
  }
  double step(double k) const { return m / (k + 1); }
};

template <class Distribution>
double tail(const Distribution& x, double k) {
  if (k <= 0) return 1;
  double sum = 0;
  if (k > x.mean()) {  // upwards, where terms only shrink
    double term = x.at(k);
    for (int i = 0; i < kMostTerms && term > sum * 1e-17; ++i) {
      sum += term;
      term *= x.step(k + i);
    }
    return std::min(sum, 1.0);
  }
  double term = x.at(k - 1);  // downwards, for the rest
  for (int i = 0; i < kMostTerms && term > sum * 1e-17 && k - 1 - i >= 0; ++i) {
    sum += term;
    const double step = x.step(k - 2 - i);
    if (!(step > 0) || std::isinf(step)) break;
    term /= step;
  }
  return std::max(1 - sum, 0.0);
}

template <class Distribution>
bool exceeds(const Distribution& x, double k, double error_rate) {
  // The tail at or below the mean is about a half or more: the median of both distributions is at
  // least the mean rounded down.
  if (!(k > x.mean()) || !(error_rate > 0)) return false;
  if (std::exp(-x.exponent(k)) <= error_rate) return true;  // Chernoff: the tail is smaller still
  double sum = 0;
  double term = x.at(k);
  for (int i = 0; i < kMostTerms; ++i) {
    sum += term;
    if (sum > error_rate) return false;
    // The terms left shrink at least as fast as a geometric series.
    const double step = x.step(k + i);
    term *= step;
    if (term <= (error_rate - sum) * (1 - step)) return true;
  }
  return false;
}

// The negative binomial distribution. Its tails are incomplete beta functions; where it varies
// much, a sum would take millions of terms.
struct NegativeBinomial {
  double m, r;  // mean and size
  // Of Chernoff's bound: k log(k / m) - (k + r) log((k + r) / (m + r)), without its cancellation.
  double exponent(double k) const {
    const double all = k + r;
    const double d = (k - m) / all;
    return all * (m / (m + r)) * surprise(d * (r / m)) + all * (r / (m + r)) * surprise(-d);
  }
  // The factors from k to k + 1, and on: they go from here to m / (m + r), up or down.
  double least_step(double k) const { return std::min((k + r) / (k + 1), 1.0) * (m / (m + r)); }
  double most_step(double k) const { return std::max((k + r) / (k + 1), 1.0) * (m / (m + r)); }
  // For 0 < k; r need not be whole, so its Stirling error comes by recurrence.
  double at(double k) const {
    const double correction =
        stirling_error_of_any(k + r) - stirling_error(k) - stirling_error_of_any(r);
    return std::sqrt(r / (k + r) / (2 * std::numbers::pi * k)) * std::exp(correction - exponent(k));
  }

 private:
  static double stirling_error_of_any(double n) {
    double error = 0;
    for (; n < 16; ++n) error += (n + 0.5) * std::log1p(1 / n) - 1;
    return error + stirling_error(n);
  }
};

// What the first term x^a (1 - x)^b / (a B(a, b)) of the incomplete beta function I_x(a, b) must be
// multiplied with, z = x / (1 - x), for a > (b - 1) z:
//   (1 + z) * integral from 0 to infinity of exp(-w) (1 + z (1 - exp(-w / a)))^(b - 1) dw,
// from Euler's integral for the hypergeometric function. All is positive, so nothing cancels; by
// the double exponential rule it takes the same time whatever the numbers are.
double beta_factor(double a, double b, double z) {
  struct Point {
    double at, weight;
  };
  static const auto kPoints = [] {
    constexpr double kStep = 1.0 / 16;
    std::array<Point, 193> points{};
    for (size_t i = 0; i < points.size(); ++i) {
      const double y = (static_cast<double>(i) - 96) * kStep;
      points[i].at = std::exp(y - std::exp(-y));
      points[i].weight = kStep * points[i].at * (1 + std::exp(-y));
    }
    return points;
  }();
  // How far the integrand reaches: by its first two derivatives at 0.
  double reach = 1;
  if (b > 1) {
    const double flat = a / std::sqrt((b - 1) * z * (1 + z));
    reach = std::clamp(1 / (1 - (b - 1) * z / a), 1.0, std::max(flat, 1.0));
  }
  double sum = 0;
  for (const Point& point : kPoints) {
    const double w = reach * point.at;
    sum += point.weight * std::exp((b - 1) * std::log1p(-z * std::expm1(-w / a)) - w);
  }
  return (1 + z) * reach * sum;
}

double tail(const NegativeBinomial& x, double k) {
  if (k <= 0) return 1;
  const double found = k > x.m ? x.at(k) * beta_factor(k, x.r, x.m / x.r)
                               : 1 - x.at(k) * (k / x.r) * beta_factor(x.r, k, x.r / x.m);
  return std::isnan(found) ? 1 : std::clamp(found, 0.0, 1.0);  // NaN: beyond what a double holds
}

// Beyond, chance alone: no number of events could tell the difference.
constexpr double kNoSpread = 1e30;
// Below, all mass is on 0; and so it stays a number.
constexpr double kMostSpread = 1e-30;

bool is_number_of_events(double x) { return std::isfinite(x) && x >= 0; }

}  // namespace

double binomial_tail(double k, double n, double p) {
  if (!is_number_of_events(k) || !is_number_of_events(n) || !(p > 0 && p < 1)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  k = std::floor(k);
  return tail(Binomial{std::max(std::ceil(n), k), p}, k);
}

double poisson_tail(double k, double m) {
  if (!is_number_of_events(k) || !is_number_of_events(m) || m == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return tail(Poisson{m}, std::floor(k));
}

double negative_binomial_tail(double k, double mean, double size) {
  if (!(size > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (size > kNoSpread) return poisson_tail(k, mean);
  if (!is_number_of_events(k) || !is_number_of_events(mean) || mean == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return tail(NegativeBinomial{mean, std::max(size, kMostSpread)}, std::floor(k));
}

bool binomial_exceeds(double k, double n, double p, double error_rate) {
  if (!is_number_of_events(k) || !is_number_of_events(n) || !(p > 0 && p < 1)) return false;
  k = std::floor(k);
  return exceeds(Binomial{std::max(std::ceil(n), k), p}, k, error_rate);
}

bool poisson_exceeds(double k, double m, double error_rate) {
  if (!is_number_of_events(k) || !is_number_of_events(m) || m == 0) return false;
  return exceeds(Poisson{m}, std::floor(k), error_rate);
}

bool negative_binomial_exceeds(double k, double mean, double size, double error_rate) {
  if (!(size > 0)) return false;
  if (size > kNoSpread) return poisson_exceeds(k, mean, error_rate);
  if (!is_number_of_events(k) || !is_number_of_events(mean) || mean == 0) return false;
  k = std::floor(k);
  if (!(k > mean) || !(error_rate > 0)) return false;
  const NegativeBinomial x{mean, std::max(size, kMostSpread)};
  if (std::exp(-x.exponent(k)) <= error_rate) return true;  // Chernoff
  // The tail lies between two geometric series.
  const double first = x.at(k);
  if (first > error_rate * (1 - x.least_step(k))) return false;
  if (first <= error_rate * (1 - x.most_step(k))) return true;
  return tail(x, k) <= error_rate;
}

}  // namespace watchpost::expr
