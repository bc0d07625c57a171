#include "decide/ladder.h"

#include "decide/scope.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr double kStrong = 3;

// The measures of `then` that may be taken at all, in its order. A warning is a `notify` before
// them.
std::vector<Measure> steps_of(const Signal& signal) {
  const bool only_throttled =
      signal.suggests == Verdict::receiver_fault || names_no_sender(signal.stream);
  std::vector<Measure> steps;
  for (const Measure& measure : signal.then) {
    if (measure.kind == MeasureKind::notify || measure.span.count() <= 0) continue;
    if (!only_throttled || measure.kind == MeasureKind::throttle) steps.push_back(measure);
  }
  const bool warns = signal.escalate && !signal.then.empty() &&
                     signal.then[0].kind == MeasureKind::notify && !steps.empty();
  if (warns) steps.insert(steps.begin(), signal.then[0]);
  return steps;
}

const Measure* strictest_of(const std::vector<Measure>& measures) {
  const Measure* best = nullptr;
  for (const Measure& measure : measures) {
    const bool better = best == nullptr || stricter(measure, *best) ||
                        (!stricter(*best, measure) && measure.span > best->span);
    if (better) best = &measure;
  }
  return best;
}

Duration lengthened(const Measure& measure, std::span<const PastMeasure> earlier,
                    const LadderRules& rules) {
  const auto times = std::ranges::count_if(
      earlier, [&](const PastMeasure& past) { return at_least_as_strict(past.measure, measure); });
  if (times == 0 || rules.repeat_factor <= 1) return measure.span;
  const auto span = static_cast<double>(measure.span.count()) *
                    std::pow(rules.repeat_factor, static_cast<double>(times));
  if (!(span < static_cast<double>(rules.longest.count()))) {
    return std::max(measure.span, rules.longest);
  }
  return Duration(static_cast<Duration::rep>(span));
}

bool asks_for_more_than_telling(const Signal& signal) {
  return std::ranges::any_of(
      signal.then, [](const Measure& measure) { return measure.kind != MeasureKind::notify; });
}

}  // namespace

bool is_strong(const Signal& signal) {
  return signal.threshold > 0 && signal.value >= kStrong * signal.threshold;
}

Wanted wanted_of(const Signal& signal, std::span<const PastMeasure> earlier,
                 const LadderRules& rules) {
  Wanted wanted;
  const std::vector<Measure> steps = steps_of(signal);
  if (steps.empty()) {
    if (asks_for_more_than_telling(signal)) {
      wanted.note = "the mail of all senders is never stopped by itself; people are told";
    }
    return wanted;
  }
  const Measure* chosen = strictest_of(steps);
  if (signal.escalate) {
    const bool strong = is_strong(signal);
    const size_t at = std::min(earlier.size() + (strong ? 1 : 0), steps.size() - 1);
    chosen = &steps[at];
    wanted.note = fmt::format(
        "step {} of {}: {} earlier{}", at + 1, steps.size(), earlier.size(),
        strong ? fmt::format(", and {:.3g} times the threshold", signal.value / signal.threshold)
               : "");
  }
  wanted.warning = chosen->kind == MeasureKind::notify;
  if (wanted.warning) return wanted;
  wanted.measure = *chosen;
  wanted.measure->span = lengthened(*chosen, earlier, rules);
  if (wanted.measure->span != chosen->span) {
    wanted.note +=
        fmt::format("{}{} instead of {} for what was there before", wanted.note.empty() ? "" : "; ",
                    format_duration(wanted.measure->span), format_duration(chosen->span));
  }
  return wanted;
}

}  // namespace watchpost::decide
