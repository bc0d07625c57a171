#pragma once
#include "base/time.h"
#include "detect/event_clock.h"
#include "investigate/backtest_report.h"
#include "investigate/onsets.h"
#include "investigate/races.h"
#include "investigate/trial.h"
#include "investigate/verdicts.h"
#include "model/event.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace watchpost::investigate {

// One or two rule sets over the same events in one pass: whom they find, how soon, and what their
// measures would have stopped, rightly and wrongly.
//   Use:     on() for each event, in the order in which the daemon would have seen them; report()
//            at any time.
//   Owns:    all counters of both, bounded like a daemon's.
//   Threads: none inside.
class Backtest {
 public:
  Backtest(std::vector<RuleSet> sets, Verdicts verdicts);
  Backtest(const Backtest&) = delete;
  Backtest& operator=(const Backtest&) = delete;

  void on(const Event& event);
  uint64_t events() const { return events_; }
  BacktestReport report() const;

 private:
  Verdicts verdicts_;
  Onsets onsets_;
  std::vector<std::unique_ptr<Trial>> trials_;
  detect::EventClock clock_;
  Duration join_;
  Races races_;
  uint64_t events_ = 0;
  std::optional<Time> first_at_;
  std::optional<Time> last_at_;
};

}  // namespace watchpost::investigate
