#include "enforce/enforcers/policy_judge.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

// What Postfix knows when it asks, or what mapping rules derive from that.
constexpr std::array kTellable{
    Field::credential, Field::customer,         Field::from_domain, Field::client_ip,
    Field::recipient,  Field::recipient_domain, Field::provider,
};

constexpr double kHalf = 0.5;
constexpr double kOne = 1 - 1e-9;  // a token that rounding has taken a grain of

}  // namespace

bool Throttles::take(Bucket& bucket, const Measure& measure, Time now) {
  if (measure.share > 0) {
    bucket.tokens += measure.share;
  } else if (now > bucket.filled_at && measure.per.count() > 0) {
    const double most = measure.allowed;
    const double share = static_cast<double>((now - bucket.filled_at).count()) /
                         static_cast<double>(measure.per.count());
    bucket.tokens = std::min(most, bucket.tokens + share * most);
    bucket.filled_at = now;
  }
  if (bucket.tokens < kOne) return false;
  bucket.tokens = std::max(bucket.tokens - 1, 0.0);
  return true;
}

bool Throttles::pass(const Decision& throttle, const std::string& instance, Time now) {
  const std::lock_guard lock(mutex_);
  const Measure& measure = throttle.measure;
  Seen seen(throttle.id.number, instance);
  if (!instance.empty()) {
    if (const auto known = judged_.find(seen); known != judged_.end()) return known->second;
  }
  const double full = measure.share > 0 ? kHalf : measure.allowed;
  Bucket& bucket = buckets_.try_emplace(throttle.id, Bucket{full, now}).first->second;
  const bool passes = take(bucket, measure, now);
  // By rate, a message that was refused may come when there is room again; by share it is one of
  // the rest, for all of its recipients. When it is tried again it is another instance.
  if (instance.empty() || (!passes && measure.share <= 0)) return passes;
  judged_.emplace(seen, passes);
  order_.push_back(std::move(seen));
  if (order_.size() > kMostInstances) {
    judged_.erase(order_.front());
    order_.pop_front();
  }
  return passes;
}

void Throttles::keep_only(const ActiveDecisions& active) {
  const std::lock_guard lock(mutex_);
  std::erase_if(buckets_, [&](const auto& bucket) {
    return std::ranges::find(active.all(), bucket.first, &Decision::id) == active.all().end();
  });
}

size_t Throttles::buckets() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

Event& event_of(const PolicyRequest& request, const feedback::Mapping& mapping, EventBatch& batch) {
  Event& event = batch.add();
  event.kind = EventKind::accepted;
  const auto set = [&](Field field, PolicyAttribute attribute) {
    event[field] = batch.keep(request[attribute]);
  };
  set(Field::credential, PolicyAttribute::sasl_username);
  set(Field::method, PolicyAttribute::sasl_method);
  set(Field::client_ip, PolicyAttribute::client_address);
  set(Field::recipient, PolicyAttribute::recipient);
  set(Field::queue_id, PolicyAttribute::queue_id);
  set(Field::sender, PolicyAttribute::sender);
  if (event[Field::sender].empty()) event[Field::sender] = "<>";
  mapping.apply(event, batch);
  return event;
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

Result<Done> tellable(const Stream& scope) {
  if (scope.empty()) return fail(Code::refused, "a decision without a scope is never carried out");
  for (const Stream::Part& part : scope.parts) {
    if (std::ranges::find(kTellable, part.dimension) != kTellable.end()) continue;
    return fail(
        Code::refused,
        fmt::format("Postfix does not say the {} of a mail when it asks", name_of(part.dimension)),
        scope.text());
  }
  return Done{};
}

}  // namespace watchpost::enforce
