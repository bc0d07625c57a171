#include "enforce/decision_judge.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

constexpr size_t kManyBuckets = 1000;

}  // namespace

const Decision* DecisionJudge::refusing(const ActiveDecisions& active, const Event& mail,
                                        const std::string& instance, Time now) {
  const Decision* const decision = active.strictest(mail, now);
  if (decision == nullptr || decision->measure.kind != MeasureKind::throttle) return decision;
  if (throttles_.buckets() > kManyBuckets) throttles_.keep_only(active);
  if (!throttles_.pass(*decision, instance, now)) return decision;
  if (decision->measure.share <= 0) return nullptr;
  const Decision* const rate = active.strictest_rate(mail, now);
  return rate == nullptr || throttles_.pass(*rate, instance, now) ? nullptr : rate;
}

std::string action_for(const Decision& decision, std::string_view contact) {
  const std::string whom = contact.empty() ? std::string() : fmt::format("; contact {}", contact);
  const std::string marker = fmt::format("(watchpost {})", text_of(decision.id));
  switch (decision.measure.kind) {
    case MeasureKind::notify: return std::string(kNoOpinion);
    case MeasureKind::throttle:
      if (decision.measure.share > 0) {
        return fmt::format("450 4.7.1 Only part of this mail is taken now, try again later{} {}",
                           whom, marker);
      }
      return fmt::format("450 4.7.1 Too much mail in too short a time, try again later{} {}", whom,
                         marker);
    case MeasureKind::hold:
      return fmt::format("451 4.7.1 Sending is on hold, try again later{} {}", whom, marker);
    case MeasureKind::suspend:
    case MeasureKind::block:
      return fmt::format("554 5.7.1 Sending is suspended{} {}", whom, marker);
  }
  return std::string(kNoOpinion);
}

Result<Done> tellable(const Stream& scope, std::span<const Field> known, std::string_view who) {
  if (scope.empty()) return fail(Code::refused, "a decision without a scope is never carried out");
  for (const Stream::Part& part : scope.parts) {
    if (std::ranges::find(known, part.dimension) != known.end()) continue;
    return fail(
        Code::refused,
        fmt::format("{} does not say the {} of a mail when it asks", who, name_of(part.dimension)),
        scope.text());
  }
  return Done{};
}

}  // namespace watchpost::enforce
