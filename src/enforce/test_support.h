#pragma once
#include "base/time.h"
#include "model/decision.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

namespace watchpost::enforce {

inline const Time kNow = parse_time("2026-11-24T02:00:00Z").value();

// A clock that stands still until it is told.
class ManualClock final : public Clock {
 public:
  Time now() const override { return Time(Duration(at_.load())); }
  void advance(Duration by) { at_ += by.count(); }

 private:
  std::atomic<Duration::rep> at_{kNow.time_since_epoch().count()};
};

inline Decision make_decision(uint64_t number, std::string_view scope, std::string_view measure) {
  Decision made;
  made.id = DecisionId{number};
  made.incident = IncidentId{4};
  made.scope = parse_stream(scope).value();
  made.measure = parse_measure(measure).value();
  made.from = kNow;
  made.until = kNow + made.measure.span;
  made.detector = "unknown users";
  made.made_by = "watchpost";
  made.because = "18/60 = 30% exceeds 2%";
  return made;
}

// Waits until it holds; false where it does not within half a minute.
inline bool soon(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace watchpost::enforce
