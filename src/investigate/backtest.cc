#include "investigate/backtest.h"

#include "decide/scope.h"

#include <algorithm>
#include <utility>

namespace watchpost::investigate {
namespace {

std::vector<detect::Detector> all_detectors(const std::vector<RuleSet>& sets) {
  std::vector<detect::Detector> all;
  for (const RuleSet& set : sets) {
    all.insert(all.end(), set.detectors.begin(), set.detectors.end());
  }
  return all;
}

Duration longest_lateness(const std::vector<RuleSet>& sets) {
  Duration longest{0};
  for (const RuleSet& set : sets) longest = std::max(longest, set.limits.lateness);
  return longest;
}

Duration longest_join(const std::vector<RuleSet>& sets) {
  Duration longest{0};
  for (const RuleSet& set : sets) longest = std::max(longest, set.decide.join);
  return longest;
}

}  // namespace

Backtest::Backtest(std::vector<RuleSet> sets, Verdicts verdicts)
    : verdicts_(std::move(verdicts)),
      onsets_(all_detectors(sets)),
      clock_(longest_lateness(sets)),
      join_(longest_join(sets)),
      races_(verdicts_, join_) {
  WP_CHECK(!sets.empty() && sets.size() <= 2);
  size_t detectors = 0;
  for (RuleSet& set : sets) {
    const size_t first = detectors;
    detectors += set.detectors.size();
    trials_.push_back(std::make_unique<Trial>(std::move(set), verdicts_, onsets_, first));
  }
}

void Backtest::on(const Event& event) {
  ++events_;
  const auto admitted = clock_.admit(event.at, event.clock_suspect);
  const bool late = admitted.verdict == detect::EventClock::Verdict::late;
  const Time now = late ? clock_.newest() : admitted.at;
  if (!first_at_) first_at_ = now;
  last_at_ = std::max(last_at_.value_or(now), now);
  onsets_.on(event);
  if (trials_.size() == 2) races_.mail(event);
  for (size_t set = 0; set < trials_.size(); ++set) {
    trials_[set]->on(event, now);
    if (trials_.size() < 2) continue;
    for (const Signal& signal : trials_[set]->fired()) {
      races_.found(set, decide::subject_of(signal), signal.at, signal.detector);
    }
  }
}

BacktestReport Backtest::report() const {
  BacktestReport report{.events = events_, .first_at = first_at_, .last_at = last_at_};
  for (const auto& trial : trials_) report.sets.push_back(trial->report());
  if (trials_.size() < 2) return report;
  Difference difference = races_.result();
  for (size_t set = 0; set < report.sets.size(); ++set) {
    count_alone(report.sets[set], difference, set, join_);
  }
  report.difference = std::move(difference);
  return report;
}

}  // namespace watchpost::investigate
