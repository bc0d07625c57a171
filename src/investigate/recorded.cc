#include "investigate/recorded.h"

#include "decide/scope.h"

#include <algorithm>
#include <utility>

namespace watchpost::investigate {
namespace {

constexpr size_t kShadow = 0;
constexpr size_t kLive = 1;

// A proposal that nobody confirmed has an end with a reason, and was never in force.
bool was_in_force(const Decision& decision) {
  switch (decision.state) {
    case DecisionState::proposed: return false;
    case DecisionState::active:
    case DecisionState::revoked: return true;
    case DecisionState::expired: return decision.ended_why.empty();
  }
  return false;
}

Decision as_decision(const ShadowDecision& shadow, uint64_t number) {
  return {.id = {number},
          .scope = shadow.scope,
          .measure = shadow.measure,
          .from = shadow.at,
          .until = shadow.at + shadow.measure.span,
          .detector = shadow.detector,
          .because = shadow.because};
}

}  // namespace

Recorded::Recorded(std::vector<ShadowDecision> shadow, const std::vector<Decision>& decisions,
                   Verdicts verdicts, Duration join)
    : verdicts_(std::move(verdicts)),
      join_(join),
      sides_{Side{Hits(verdicts_, join), {}, {}}, Side{Hits(verdicts_, join), {}, {}}},
      races_(verdicts_, join) {
  uint64_t number = 0;
  for (const ShadowDecision& one : shadow) {
    starts_.push_back({kShadow, as_decision(one, ++number)});
  }
  for (const Decision& one : decisions) {
    if (!one.detector.empty()) starts_.push_back({kLive, one});
  }
  std::ranges::stable_sort(starts_, {}, [](const Start& start) { return start.decision.from; });
}

size_t Recorded::detector_of(Side& side, const std::string& name, Mode mode) {
  const auto known = side.detectors.find(name);
  if (known != side.detectors.end()) return known->second;
  return side.detectors[name] = side.hits.add_detector(name, mode);
}

void Recorded::on(const Event& event) {
  ++events_;
  if (!first_at_) first_at_ = event.at;
  last_at_ = std::max(last_at_.value_or(event.at), event.at);
  begin_until(event.at);
  races_.mail(event);
  if (!event.self_inflicted) {
    count(sides_[kShadow], event);
    return;
  }
  // What was really stopped is in the log only as our own refusal.
  if (event.kind != EventKind::rejected && event.kind != EventKind::deferred) return;
  Event refused = event;
  refused.kind = EventKind::accepted;
  refused.self_inflicted = false;
  refused.delay = 0;
  count(sides_[kLive], refused);
}

void Recorded::count(Side& side, const Event& event) {
  std::vector<DecisionId> by;
  const bool stopped =
      side.in_force.stops(event, [&](DecisionId decision) { by.push_back(decision); });
  if (stopped) side.hits.stopped(event, by);
}

void Recorded::begin_until(Time now) {
  while (begun_ < starts_.size() && starts_[begun_].decision.from <= now) begin(starts_[begun_++]);
}

void Recorded::begin(const Start& start) {
  const Decision& decision = start.decision;
  Side& side = sides_[start.side];
  const size_t detector =
      detector_of(side, decision.detector, start.side == kShadow ? Mode::shadow : Mode::enforce);
  const Stream& found = decision.signalled.empty() ? decision.scope : decision.signalled;
  Hit* const hit = side.hits.found(
      {.at = decision.from, .detector = detector, .stream = found, .because = decision.because});
  const Stream subject = decide::subject_of(found);
  if (hit != nullptr) hit->subject = subject;
  races_.found(start.side, subject, decision.from, decision.detector);
  if (decision.measure.kind == MeasureKind::notify) return;
  Decision counted = decision;
  counted.state = start.side == kShadow || was_in_force(decision) ? DecisionState::active
                                                                  : DecisionState::proposed;
  side.hits.decided(counted, detector, found);
  if (counted.state != DecisionState::active) return;
  // What it stopped is told by refusals: of a throttle these are those that did not pass.
  if (start.side == kLive) counted.measure.kind = MeasureKind::suspend;
  counted.until = decision.ended_at.value_or(decision.until);
  side.in_force.set(counted);
}

BacktestReport Recorded::report() {
  begin_until(Time::max());
  BacktestReport report{.events = events_, .first_at = first_at_, .last_at = last_at_};
  report.sets = {sides_[kShadow].hits.report("shadow"), sides_[kLive].hits.report("in force")};
  report.difference = races_.result();
  for (size_t set = 0; set < report.sets.size(); ++set) {
    count_alone(report.sets[set], *report.difference, set, join_);
  }
  return report;
}

}  // namespace watchpost::investigate
