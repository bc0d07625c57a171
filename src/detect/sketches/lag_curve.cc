#include "detect/sketches/lag_curve.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace watchpost::detect {
namespace {

constexpr double kFloor = 0.05;      // research: standards 3.4
constexpr double kPriorWeight = 50;  // complaints
// Beyond so many the old ones count half, so that a receiver that changed is learned anew.
constexpr double kMostSeen = 20'000;
constexpr double kFirstMinutes = 1;
constexpr double kLastMinutes = 14 * 24 * 60;

// What is usual for complaints: half within six hours, four of five within a day, nearly all within
// a week: a log-normal distribution.
constexpr double kMedianMinutes = 6 * 60;
constexpr double kSpread = 1.5;

double usual_by(double minutes) {
  const double deviations = std::log(minutes / kMedianMinutes) / kSpread;
  return std::erfc(-deviations / std::numbers::sqrt2) / 2;
}

// The age in buckets: 0 for a minute or less, `buckets` for 14 days or more.
double position_of(Duration age, int buckets) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(age).count();
  if (minutes <= kFirstMinutes) return 0;
  const double position = buckets * std::log(minutes) / std::log(kLastMinutes);
  return std::min<double>(position, buckets);
}

template <size_t Buckets>
std::array<double, Buckets> usual_shares() {
  std::array<double, Buckets> shares;
  const double all = usual_by(kLastMinutes);
  double before = 0;
  for (size_t i = 0; i < Buckets; ++i) {
    const double share_of_log = static_cast<double>(i + 1) / Buckets;
    const double now = usual_by(std::pow(kLastMinutes, share_of_log)) / all;
    shares[i] = now - before;
    before = now;
  }
  return shares;
}

}  // namespace

void LagCurve::saw(Duration lag) {
  const auto bucket = std::min(static_cast<int>(position_of(lag, kBuckets)), kBuckets - 1);
  seen_[static_cast<size_t>(bucket)] += 1;
  ++total_;
  forget();
}

void LagCurve::merge(const LagCurve& other) {
  for (size_t i = 0; i < seen_.size(); ++i) seen_[i] += other.seen_[i];
  total_ += other.total_;
  forget();
}

void LagCurve::forget() {
  while (total_ > kMostSeen) {
    for (double& seen : seen_) seen /= 2;
    total_ /= 2;
  }
}

double LagCurve::arrived(Duration age) const {
  static const auto kUsual = usual_shares<kBuckets>();
  const double position = position_of(age, kBuckets);
  const auto whole = static_cast<size_t>(position);
  double sum = 0;
  for (size_t i = 0; i < whole; ++i) sum += kPriorWeight * kUsual[i] + seen_[i];
  if (whole < seen_.size()) {
    const double part = position - static_cast<double>(whole);
    sum += part * (kPriorWeight * kUsual[whole] + seen_[whole]);
  }
  return std::clamp(sum / (kPriorWeight + total_), kFloor, 1.0);
}

void LagCurve::save(SavedWriter& out) const {
  for (const double seen : seen_) out.number(seen);
}

void LagCurve::restore(SavedReader& in) {
  total_ = 0;
  for (double& seen : seen_) {
    seen = in.number<double>();
    in.require(seen >= 0 && seen <= kMostSeen);
    if (in.bad()) seen = 0;
  }
  if (in.bad()) seen_ = {};
  total_ = std::accumulate(seen_.begin(), seen_.end(), 0.0);
  forget();
}

}  // namespace watchpost::detect
