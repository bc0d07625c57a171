#include "ingest/catch_up.h"

#include <algorithm>

namespace watchpost::ingest {
namespace {

constexpr auto kLeast = std::chrono::seconds(5);
constexpr auto kLongestRest = std::chrono::seconds(10);
constexpr double kMost = 365.0 * 86'400;  // seconds

}  // namespace

void CatchUp::at(uint64_t bytes, Ticks now) {
  if (bytes == 0 || left_ == 0) {
    read_ = 0;
    began_ = moved_ = now;
  } else if (bytes < left_) {
    read_ += left_ - bytes;
    moved_ = now;
  }
  left_ = bytes;
  now_ = now;
}

std::optional<double> CatchUp::share() const {
  if (left_ == 0) return std::nullopt;
  return static_cast<double>(read_) / (static_cast<double>(read_) + static_cast<double>(left_));
}

std::optional<Duration> CatchUp::left() const {
  const auto took = now_ - began_;
  if (left_ == 0 || read_ == 0 || took < kLeast || now_ - moved_ > kLongestRest) {
    return std::nullopt;
  }
  const double seconds = std::chrono::duration<double>(took).count() * static_cast<double>(left_) /
                         static_cast<double>(read_);
  return std::chrono::seconds(static_cast<int64_t>(std::min(seconds, kMost)));
}

}  // namespace watchpost::ingest
