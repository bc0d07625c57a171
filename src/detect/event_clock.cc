#include "detect/event_clock.h"

#include <algorithm>

namespace watchpost::detect {
namespace {

constexpr Duration kLeap = std::chrono::hours(24);
constexpr Time kEarliest = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
constexpr Time kLatest = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

}  // namespace

Time bounded(Time at) { return std::clamp(at, kEarliest, kLatest); }

EventClock::Admission EventClock::admit(Time at, bool suspect) {
  at = bounded(at);
  if (suspect) {
    // Such a time can be the time of reading a log that is years old: it never sets or moves time.
    return newest_ ? Admission{Verdict::ahead, *newest_} : Admission{Verdict::late, at};
  }
  if (!newest_) {
    newest_ = at;
    return {Verdict::counts, at};
  }
  if (at > *newest_ + kLeap) {
    return leap(at);
  }
  leap_.reset();
  if (!agreed_ && at < *newest_ - kLeap) {
    newest_ = at;
    return {Verdict::restart, at};
  }
  agreed_ = agreed_ || at >= *newest_ - kLeap;
  if (at < *newest_ - lateness_) return {Verdict::late, at};
  newest_ = std::max(*newest_, at);
  return {Verdict::counts, at};
}

EventClock::Admission EventClock::leap(Time at) {
  const bool second = leap_ && at >= *leap_ - lateness_;
  if (second && at <= *leap_ + kLeap) {
    leap_.reset();
    newest_ = at;
    return {Verdict::counts, at};
  }
  // Two in a row say that it is at least as late as the earlier of them.
  if (second) newest_ = leap_;
  leap_ = at;
  return {Verdict::ahead, *newest_};
}

void EventClock::advance_to(Time now) {
  if (newest_) newest_ = std::max(*newest_, bounded(now));
}

void EventClock::restore(const Saved& saved) {
  newest_ = saved.newest;
  leap_ = saved.leap;
  agreed_ = saved.agreed;
}

}  // namespace watchpost::detect
