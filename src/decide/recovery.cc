// What comes after a measure: mail comes back step by step, and what was done counts for the next
// time.
#include "decide/decider.h"
#include "decide/scope.h"
#include "decide/step.h"
#include "decide/wording.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

bool is_stop(const Measure& measure) {
  return measure.kind == MeasureKind::hold || measure.kind == MeasureKind::suspend;
}

PastMeasure past_of(const Decision& decision) {
  return {.decision = decision.id,
          .incident = decision.incident,
          .from = decision.from,
          .until = decision.until,
          .ended = decision.ended_at.has_value(),
          .measure = decision.measure};
}

// The customer that the measure was about; empty where it does not say.
Stream customer_of(const Decision& decision) {
  auto customer = decision.scope[Field::customer];
  if (customer.empty()) customer = decision.signalled[Field::customer];
  if (customer.empty()) return {};
  return {{{Field::customer, std::string(customer)}}};
}

}  // namespace

bool Decider::wants_return(const Decision& ended, Time now) const {
  if (ended.detector.empty() || ended.ended_why == kUnconfirmed) return false;
  if (ended.pace == 0 && !is_stop(ended.measure)) return false;
  if (ended.pace >= return_.size()) return false;
  // The kill switch, people who undid something, and the protected list hold for these as well.
  if (!automation_ || !protect_readable_ || is_protected(ended.scope)) return false;
  if (grace_over(ended.scope, now) != nullptr) return false;
  // Another one still stops it: its own end brings the return. Or another return began meanwhile.
  return std::ranges::none_of(indexes_.by_scope.at(ended.scope), [&](DecisionId id) {
    const Decision& other = decisions_.at(id);
    if (!other.in_force(now) || other.detector.empty()) return false;
    return is_stop(other.measure) ||
           (ended.pace != 0 && other.pace != 0 && other.pace <= ended.pace + 1);
  });
}

void Decider::return_slowly(Step& step, const Decision& ended) {
  const auto found = incidents_.find(ended.incident);
  if (found == incidents_.end() || found->second.state != IncidentState::open) return;
  if (!wants_return(ended, step.now())) return;
  const Measure& measure = return_[ended.pace];
  const Time until = step.now() + measure.span;
  if (covering(ended.scope, measure, until, DecisionState::active) != nullptr) return;
  const size_t mark = ended.pace == 0 ? std::string::npos : ended.episode.rfind(kReturnMark);
  Decision pace{
      .state = DecisionState::active,
      .scope = ended.scope,
      .signalled = ended.signalled,
      .measure = measure,
      .detector = ended.detector,
      .made_by = std::string(kWatchpost),
      .because = fmt::format("paced return after {}: step {} of {}", text_of(ended.id),
                             ended.pace + 1, return_.size()),
      .episode = fmt::format("{}{}{}", ended.episode.substr(0, mark), kReturnMark, ended.pace + 1),
      .pace = ended.pace + 1};
  step.decide(found->second, std::move(pace));
  // Not this detector alone: what any of them saw before is answered by what has just ended.
  for (const Evidence& evidence : found->second.evidence) {
    if (!same_scope(evidence.signal.stream, ended.scope)) continue;
    step.rearm(evidence.signal.detector, evidence.signal.stream);
  }
}

void Decider::remember(const Decision& decision) {
  if (decision.pace != 0) return;
  past_.forget_before(decision.from - settings_.memory);
  by_customer_.forget_before(decision.from - settings_.memory);
  past_.add(subject_of(decision.scope), past_of(decision));
  const Stream customer = customer_of(decision);
  if (!customer.empty()) by_customer_.add(customer, past_of(decision));
}

void Decider::remember_warning(const Incident& incident, Time now) {
  past_.add(incident.subject, {.incident = incident.id, .from = now, .until = now});
}

void Decider::remember_end(const Decision& decision) {
  const Stream subject = subject_of(decision.scope);
  if (decision.state == DecisionState::revoked) {
    past_.forget(subject, decision.id);
    by_customer_.forget(customer_of(decision), decision.id);
  } else {
    past_.end(subject, decision.id);
  }
}

void Decider::forget_measures(const Incident& incident) {
  past_.forget(incident.id);
  by_customer_.forget(incident.id);
}

// All that was stored, in the order in which it came.
void Decider::restore_past(const std::vector<Incident>& incidents,
                           const std::vector<Decision>& decisions) {
  std::set<IncidentId> wrong;
  std::multimap<Time, std::pair<const Incident*, const Decision*>> all;
  for (const Incident& incident : incidents) {
    if (incident.verdict == Verdict::false_positive) {
      wrong.insert(incident.id);
      continue;
    }
    for (const TimelineEntry& entry : incident.timeline) {
      if (entry.who == kWatchpost && entry.what.starts_with(kWarned)) {
        all.emplace(entry.at, std::pair(&incident, nullptr));
      }
    }
  }
  for (const Decision& decision : decisions) {
    const bool was_in_force =
        decision.state == DecisionState::active ||
        (decision.state == DecisionState::expired && decision.ended_why != kUnconfirmed);
    if (was_in_force && !wrong.contains(decision.incident)) {
      all.emplace(decision.from, std::pair(nullptr, &decision));
    }
  }
  for (const auto& [at, one] : all) {
    if (one.first != nullptr) {
      remember_warning(*one.first, at);
    } else {
      remember(*one.second);
    }
  }
}

}  // namespace watchpost::decide
