#pragma once
#include "base/time.h"
#include "investigate/backtest_report.h"
#include "investigate/hits.h"
#include "investigate/in_force.h"
#include "investigate/races.h"
#include "investigate/verdicts.h"
#include "model/decision.h"
#include "model/event.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::investigate {

// What a daemon recorded while it ran: the decisions of detectors in shadow mode beside those that
// were in force, with the mail that came after them. The same report as of a backtest, in which
// "shadow" is the first rule set and "in force" the second; what people did by hand is in neither.
//   Use:     on() for each stored event of the time, in order; then report().
//   Threads: none inside.
class Recorded {
 public:
  Recorded(std::vector<ShadowDecision> shadow, const std::vector<Decision>& decisions,
           Verdicts verdicts, Duration join);
  Recorded(const Recorded&) = delete;
  Recorded& operator=(const Recorded&) = delete;

  void on(const Event& event);
  uint64_t events() const { return events_; }
  BacktestReport report();

 private:
  struct Side {
    Hits hits;
    InForce in_force;
    std::map<std::string, size_t> detectors;
  };
  struct Start {
    size_t side = 0;
    Decision decision;
  };

  size_t detector_of(Side& side, const std::string& name, Mode mode);
  void begin_until(Time now);
  void begin(const Start& start);
  void count(Side& side, const Event& event);

  Verdicts verdicts_;
  const Duration join_;
  std::array<Side, 2> sides_;
  Races races_;
  std::vector<Start> starts_;  // by time
  size_t begun_ = 0;           // of them
  uint64_t events_ = 0;
  std::optional<Time> first_at_;
  std::optional<Time> last_at_;
};

}  // namespace watchpost::investigate
