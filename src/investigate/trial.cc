#include "investigate/trial.h"

#include "decide/scope.h"

#include <algorithm>
#include <utility>

namespace watchpost::investigate {
namespace {

constexpr Duration kStep = std::chrono::seconds(10);  // time passes in steps about so long
constexpr int kMostSteps = 64;                        // over a gap without events
constexpr Duration kTidyEvery = std::chrono::hours(1);
// A result comes at most so long after its message was sent: five days of tries, and a bounce of
// the last one.
constexpr Duration kLongestTry = std::chrono::days(7);

RuleSet in_the_mode_tried(RuleSet rules) {
  if (!rules.as_enforce) return rules;
  for (detect::Detector& detector : rules.detectors) {
    if (detector.mode != Mode::off) detector.mode = Mode::enforce;
  }
  return rules;
}

}  // namespace

Trial::Trial(RuleSet rules, Verdicts& verdicts, Onsets& onsets, size_t first_detector)
    : rules_(in_the_mode_tried(std::move(rules))),
      onsets_(onsets),
      first_detector_(first_detector),
      watch_(rules_.detectors, rules_.limits),
      decider_(rules_.decide),
      hits_(verdicts, rules_.decide.join) {
  for (const detect::Detector& detector : rules_.detectors) {
    hits_.add_detector(detector.name, detector.mode);
  }
}

void Trial::on(const Event& event, Time now) {
  fired_.clear();
  let_time_pass(now);
  stopping_.clear();
  if (in_force_.stops(event, [&](DecisionId id) { stopping_.push_back(id); })) {
    hits_.stopped(event, stopping_);
    return;
  }
  failures_.add(event);
  watch_.on(event, fired_);
  for (Signal& signal : fired_) {
    signal.shares = failures_.shares(signal);
    take(signal, now);
  }
}

void Trial::let_time_pass(Time now) {
  if (!now_) now_ = now;
  if (now - *now_ < kStep) return;
  const Duration step = std::max(kStep, (now - *now_) / kMostSteps);
  while (now - *now_ >= step) {
    *now_ += step;
    absorb(decider_.advance_to(*now_));
  }
  if (now - tidied_at_ < kTidyEvery) return;
  tidied_at_ = now;
  in_force_.forget_before(now - kLongestTry);
}

void Trial::take(const Signal& signal, Time now) {
  const auto detector = detector_named(signal.detector);
  if (!detector) return;
  Hit* const hit = hits_.found(
      {.at = signal.at, .detector = *detector, .stream = signal.stream, .because = signal.because});
  if (hit != nullptr) {
    hit->subject = decide::subject_of(signal);
    const auto onset = onsets_.of(first_detector_ + *detector, signal.stream, signal.since);
    if (onset) {
      hit->first_bad = onset->first_bad;
      hit->messages = onset->messages;
    }
  }
  std::vector<Field> dimensions;
  for (const Stream::Part& part : signal.stream.parts) dimensions.push_back(part.dimension);
  absorb(decider_.on(signal, {}, watch_.active_streams(dimensions), now));
}

void Trial::absorb(const decide::Outcome& outcome) {
  for (const Decision& decision : outcome.decisions) {
    const bool known = std::ranges::binary_search(made_, decision.id);
    const auto detector = detector_named(decision.detector);
    if (!known && detector) {
      made_.insert(std::ranges::upper_bound(made_, decision.id), decision.id);
      const Stream& found = decision.signalled.empty() ? decision.scope : decision.signalled;
      hits_.decided(decision, *detector, found);
    }
    if (decision.state == DecisionState::active) in_force_.set(decision);
    if (decision.ended_at) in_force_.end(decision.id, *decision.ended_at);
  }
  for (const decide::Rearm& one : outcome.rearm) watch_.rearm(one.detector, one.stream);
  for (const decide::KeptBack& one : outcome.kept_back) watch_.kept_back(one.stream, one.since);
}

std::optional<size_t> Trial::detector_named(const std::string& name) const {
  const auto found = std::ranges::find(rules_.detectors, name, &detect::Detector::name);
  if (found == rules_.detectors.end()) return std::nullopt;
  return static_cast<size_t>(found - rules_.detectors.begin());
}

}  // namespace watchpost::investigate
