#pragma once
#include "base/time.h"
#include "decide/decider.h"
#include "detect/rules.h"
#include "detect/watch.h"
#include "ingest/recent_failures.h"
#include "investigate/backtest_report.h"
#include "investigate/hits.h"
#include "investigate/in_force.h"
#include "investigate/onsets.h"
#include "investigate/verdicts.h"
#include "model/event.h"
#include "model/signal.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::investigate {

// Rules to be tried: what a configuration says of detection and decisions.
struct RuleSet {
  std::string name;  // "draft"
  std::vector<detect::Detector> detectors;
  detect::WatchLimits limits;
  decide::DecideSettings decide;
  // All detectors but those that are off take their measures, whatever their mode says.
  bool as_enforce = false;
};

// One rule set run over events as if it had been in force: detection, decisions with their caps,
// and what they stop. Mail that it stops does not reach its detectors, nor what would have come of
// that mail. Time is the events' time; people do nothing.
//   Owns:    all counters. `onsets` and `verdicts` outlive it.
//   Threads: none inside.
class Trial {
 public:
  // `onsets` counts for the detectors of this rule set from its `first_detector` on.
  Trial(RuleSet rules, Verdicts& verdicts, Onsets& onsets, size_t first_detector);

  void on(const Event& event, Time now);
  // The signals of the last event.
  const std::vector<Signal>& fired() const { return fired_; }
  Duration join() const { return rules_.decide.join; }

  RuleSetReport report() const { return hits_.report(rules_.name); }

 private:
  void let_time_pass(Time now);
  void take(const Signal& signal, Time now);
  void absorb(const decide::Outcome& outcome);
  std::optional<size_t> detector_named(const std::string& name) const;

  RuleSet rules_;
  Onsets& onsets_;
  const size_t first_detector_;
  detect::Watch watch_;
  decide::Decider decider_;
  InForce in_force_;
  Hits hits_;
  ingest::RecentFailures failures_;
  std::vector<Signal> fired_;
  std::vector<DecisionId> stopping_;
  std::vector<DecisionId> made_;  // in order: those that hits_ knows
  std::optional<Time> now_;
  Time tidied_at_{};
};

}  // namespace watchpost::investigate
