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

// k log(k / m) + m - k: how surprising k is where m are expected.
double surprise(double k, double m) {
  if (k == 0) return m;
  const double d = (k - m) / m;
  return m * ((1 + d) * std::log1p(d) - d);
}

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

bool binomial_exceeds(double k, double n, double p, double error_rate) {
  if (!is_number_of_events(k) || !is_number_of_events(n) || !(p > 0 && p < 1)) return false;
  k = std::floor(k);
  return exceeds(Binomial{std::max(std::ceil(n), k), p}, k, error_rate);
}

bool poisson_exceeds(double k, double m, double error_rate) {
  if (!is_number_of_events(k) || !is_number_of_events(m) || m == 0) return false;
  return exceeds(Poisson{m}, std::floor(k), error_rate);
}

}  // namespace watchpost::expr
