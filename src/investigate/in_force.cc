#include "investigate/in_force.h"

#include "investigate/mail_count.h"

#include <algorithm>
#include <cmath>

namespace watchpost::investigate {
namespace {

constexpr double kOne = 1 - 1e-9;  // a token that rounding has taken a grain of
constexpr double kLongestDelay = 30 * 86'400.0;

// When the message of this event was sent, as far as that is known.
Time sent_at(const Event& event) {
  const double delay = event.delay;
  if (!(delay > 0)) return event.at;
  const double seconds = std::min(delay, kLongestDelay);
  return event.at - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// What follows from a message that was sent: without it, it would not be.
bool follows_mail(const Event& event) {
  switch (event.kind) {
    case EventKind::accepted:
    case EventKind::delivered:
    case EventKind::deferred:
    case EventKind::bounced:
    case EventKind::expired: return true;
    case EventKind::complained:
    case EventKind::complaint_withdrawn:
    case EventKind::unsubscribed: return event.delay > 0;  // else nobody knows of which mail
    case EventKind::rejected:
    case EventKind::login:
    case EventKind::judged:
    case EventKind::reported: return false;
  }
  return false;
}

}  // namespace

InForce::Measured* InForce::find(DecisionId id) {
  const auto scope = scopes_.find(id);
  if (scope == scopes_.end()) return nullptr;
  std::vector<Measured>* const there = by_scope_.find(scope->second);
  if (there == nullptr) return nullptr;
  const auto found = std::ranges::find(*there, id, &Measured::id);
  return found == there->end() ? nullptr : &*found;
}

void InForce::set(const Decision& decision) {
  if (decision.measure.kind == MeasureKind::notify || decision.scope.empty()) return;
  if (Measured* const known = find(decision.id)) {
    known->until = decision.until;
    known->measure = decision.measure;
    return;
  }
  scopes_.emplace(decision.id, decision.scope);
  by_scope_.at(decision.scope)
      .push_back({.id = decision.id,
                  .from = decision.from,
                  .until = decision.until,
                  .measure = decision.measure,
                  .tokens = static_cast<double>(decision.measure.allowed),
                  .filled_at = decision.from});
}

void InForce::end(DecisionId id, Time at) {
  if (Measured* const known = find(id)) known->until = std::min(known->until, at);
}

bool InForce::stops(const Event& event, const std::function<void(DecisionId)>& stopping) {
  if (scopes_.empty() || event.self_inflicted || !follows_mail(event)) return false;
  const Time sent = sent_at(event);
  std::vector<DecisionId> by;
  by_scope_.for_each_holding(event, [&](std::vector<Measured>& there) {
    for (Measured& one : there) {
      if (stops(one, event, sent)) by.push_back(one.id);
    }
  });
  std::ranges::sort(by);
  for (const DecisionId id : by) stopping(id);
  return !by.empty();
}

bool InForce::stops(Measured& one, const Event& event, Time sent) {
  if (sent < one.from || sent >= one.until) return false;
  if (one.measure.kind != MeasureKind::throttle) return true;
  if (event.kind == EventKind::accepted) {
    one.messages_seen = true;
    return !passes(one, sent);
  }
  return !one.messages_seen && MailCount::is_try(event.kind) && !passes(one, sent);
}

bool InForce::passes(Measured& throttle, Time at) {
  if (throttle.measure.share > 0) {
    throttle.tokens += throttle.measure.share;
    if (throttle.tokens < kOne) return false;
    throttle.tokens -= 1;
    return true;
  }
  const double most = throttle.measure.allowed;
  if (at > throttle.filled_at && throttle.measure.per.count() > 0) {
    const double share = static_cast<double>((at - throttle.filled_at).count()) /
                         static_cast<double>(throttle.measure.per.count());
    throttle.tokens = std::min(most, throttle.tokens + share * most);
    throttle.filled_at = at;
  }
  if (throttle.tokens < kOne) return false;
  throttle.tokens = std::max(throttle.tokens - 1, 0.0);
  return true;
}

void InForce::forget_before(Time at) {
  by_scope_.erase_if([&](std::vector<Measured>& there) {
    std::erase_if(there, [&](const Measured& one) {
      if (one.until >= at) return false;
      scopes_.erase(one.id);
      return true;
    });
    return there.empty();
  });
}

}  // namespace watchpost::investigate
