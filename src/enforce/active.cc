#include "enforce/active.h"

#include "decide/scope.h"

#include <algorithm>

namespace watchpost::enforce {
namespace {

// Strictest first; of equally strict ones the longest; of those the oldest.
bool before(const Decision& a, const Decision& b) {
  const bool a_strict = decide::at_least_as_strict(a.measure, b.measure);
  const bool b_strict = decide::at_least_as_strict(b.measure, a.measure);
  if (a_strict != b_strict) return a_strict;
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
  size_t best = decisions_.size();
  for (size_t field = 0; field < kTextFields; ++field) {
    const ByValue& by_value = by_first_part_[field];
    if (by_value.empty() || subject.text[field].empty()) continue;
    const auto found = by_value.find(subject.text[field]);
    if (found == by_value.end()) continue;
    for (const size_t i : found->second) {
      if (i >= best) break;
      if (decisions_[i].in_force(now) && decisions_[i].scope.holds(subject)) best = i;
    }
  }
  return best < decisions_.size() ? &decisions_[best] : nullptr;
}

}  // namespace watchpost::enforce
