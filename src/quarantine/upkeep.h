#pragma once
#include "base/time.h"

#include <chrono>
#include <optional>

namespace watchpost::quarantine {

// How far time has certainly come: a clock that jumps ahead for a while, as one does that was set
// wrong, must not throw everything away. What is past is past by the clock at two times that lie
// ten minutes apart by a clock that cannot be set.
class CertainTime {
 public:
  using Ticks = std::chrono::steady_clock::time_point;
  static constexpr auto kApart = std::chrono::minutes(10);

  // Nothing: it is not known yet, or not anew.
  std::optional<Time> past(Time now, Ticks ticks) {
    if (seen_ && ticks - seen_->ticks < kApart) return std::nullopt;
    std::optional<Time> past;
    if (seen_) past = std::min(seen_->now, now);
    seen_ = Seen{now, ticks};
    return past;
  }

 private:
  struct Seen {
    Time now;
    Ticks ticks;
  };
  std::optional<Seen> seen_;
};

}  // namespace watchpost::quarantine
