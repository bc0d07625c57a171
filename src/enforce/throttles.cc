#include "enforce/throttles.h"

#include <algorithm>

namespace watchpost::enforce {
namespace {

constexpr double kHalf = 0.5;
constexpr double kOne = 1 - 1e-9;  // a token that rounding has taken a grain of

}  // namespace

bool Throttles::take(Bucket& bucket, const Measure& measure, Time now) {
  if (measure.share > 0) {
    bucket.tokens += measure.share;
  } else if (now > bucket.filled_at && measure.per.count() > 0) {
    const double most = measure.allowed;
    const double share = static_cast<double>((now - bucket.filled_at).count()) /
                         static_cast<double>(measure.per.count());
    bucket.tokens = std::min(most, bucket.tokens + share * most);
    bucket.filled_at = now;
  }
  if (bucket.tokens < kOne) return false;
  bucket.tokens = std::max(bucket.tokens - 1, 0.0);
  return true;
}

bool Throttles::pass(const Decision& throttle, const std::string& instance, Time now) {
  const std::lock_guard lock(mutex_);
  const Measure& measure = throttle.measure;
  Seen seen(throttle.id.number, instance);
  if (!instance.empty()) {
    if (const auto known = judged_.find(seen); known != judged_.end()) return known->second;
  }
  const double full = measure.share > 0 ? kHalf : measure.allowed;
  Bucket& bucket = buckets_.try_emplace(throttle.id, Bucket{full, now}).first->second;
  const bool passes = take(bucket, measure, now);
  // By rate, a message that was refused may come when there is room again; by share it is one of
  // the rest, for all of its recipients. When it is tried again it is another instance.
  if (instance.empty() || (!passes && measure.share <= 0)) return passes;
  judged_.emplace(seen, passes);
  order_.push_back(std::move(seen));
  if (order_.size() > kMostInstances) {
    judged_.erase(order_.front());
    order_.pop_front();
  }
  return passes;
}

void Throttles::keep_only(const ActiveDecisions& active) {
  const std::lock_guard lock(mutex_);
  std::erase_if(buckets_, [&](const auto& bucket) {
    return std::ranges::find(active.all(), bucket.first, &Decision::id) == active.all().end();
  });
}

size_t Throttles::buckets() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace watchpost::enforce
