#include "enforce/active.h"

#include "decide/scope.h"

#include <algorithm>

namespace watchpost::enforce {
namespace {

// Strictest first; of equally strict ones the longest; of those the oldest.
bool before(const Decision& a, const Decision& b) {
  if (decide::stricter(a.measure, b.measure)) return true;
  if (decide::stricter(b.measure, a.measure)) return false;
  return a.until != b.until ? a.until > b.until : a.id < b.id;
}

}  // namespace

ActiveDecisions::ActiveDecisions(std::vector<Decision> decisions)
    : decisions_(std::move(decisions)) {
  std::ranges::sort(decisions_, before);
  for (size_t i = 0; i < decisions_.size(); ++i) {
    const Decision& decision = decisions_[i];
    // An empty scope would be everything: nothing ever decides that.
    if (decision.scope.empty() || decision.measure.kind == MeasureKind::notify) continue;
    const Stream::Part& first = decision.scope.parts[0];
    by_first_part_[static_cast<size_t>(first.dimension)][first.value].push_back(i);
  }
}

const Decision* ActiveDecisions::strictest(const Event& subject, Time now) const {
  return first(subject, now, [](const Measure&) { return true; });
}

const Decision* ActiveDecisions::strictest_rate(const Event& subject, Time now) const {
  return first(subject, now, [](const Measure& measure) {
    return measure.kind == MeasureKind::throttle && measure.share <= 0;
  });
}

const Decision* ActiveDecisions::longest_hold(const Event& subject, Time now) const {
  return first(subject, now,
               [](const Measure& measure) { return measure.kind == MeasureKind::hold; });
}

const Decision* ActiveDecisions::first(const Event& subject, Time now, const auto& wanted) const {
  size_t best = decisions_.size();
  for (size_t field = 0; field < kTextFields; ++field) {
    const ByValue& by_value = by_first_part_[field];
    if (by_value.empty() || subject.text[field].empty()) continue;
    const auto found = by_value.find(subject.text[field]);
    if (found == by_value.end()) continue;
    for (const size_t i : found->second) {
      if (i >= best) break;
      const Decision& decision = decisions_[i];
      if (decision.in_force(now) && wanted(decision.measure) && decision.scope.holds(subject)) {
        best = i;
      }
    }
  }
  return best < decisions_.size() ? &decisions_[best] : nullptr;
}

}  // namespace watchpost::enforce
