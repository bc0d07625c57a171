// What people do.
#include "base/text.h"
#include "decide/decider.h"
#include "decide/scope.h"
#include "decide/step.h"
#include "decide/wording.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

Result<Done> check_words(std::string_view who, std::string_view text) {
  if (who.empty()) return fail(Code::bad_input, "it is not said who does this");
  if (text.size() > kLongestNote) {
    return fail(Code::bad_input, fmt::format("a text of {} bytes is too long; at most {}",
                                             text.size(), kLongestNote));
  }
  return Done{};
}

std::string with_why(std::string_view what, std::string_view why) {
  return why.empty() ? std::string(what) : fmt::format("{}: {}", what, why);
}

Result<Done> check_measure(const Measure& measure) {
  if (measure.kind == MeasureKind::notify) {
    return fail(Code::bad_input, "notify is not a measure to impose");
  }
  if (measure.span <= Duration{0} || measure.span > kLongestSpan) {
    return fail(Code::bad_input,
                fmt::format("a measure ends: give a span up to {}", format_duration(kLongestSpan)));
  }
  if (measure.kind == MeasureKind::throttle && measure.per <= Duration{0} && measure.share <= 0) {
    return fail(Code::bad_input, "a throttle needs a rate or a share, for example 100/1h or 1%");
  }
  return Done{};
}

}  // namespace

Result<Incident*> Decider::known_incident(IncidentId id) {
  const auto found = incidents_.find(id);
  if (found != incidents_.end()) return &found->second;
  if (id && id.number <= last_incident_) {
    return fail(Code::refused, "the incident was closed too long ago", text_of(id));
  }
  return fail(Code::not_found, "there is no such incident", text_of(id));
}

Result<Incident*> Decider::incident_to_judge(IncidentId id) {
  auto incident = known_incident(id);
  if (incident && (*incident)->state == IncidentState::closed &&
      (*incident)->verdict != Verdict::none) {
    return fail(Code::refused, "the incident is already closed", text_of(id));
  }
  return incident;
}

Result<Outcome> Decider::revoke(DecisionId id, std::string_view who, std::string_view why,
                                Time now) {
  if (const auto fine = check_words(who, why); !fine) return fail(fine.error());
  const auto found = decisions_.find(id);
  if (found == decisions_.end()) {
    if (id && id.number <= last_decision_) {
      return fail(Code::refused, "the decision has already ended", text_of(id));
    }
    return fail(Code::not_found, "there is no such decision", text_of(id));
  }
  Step step(*this, now);
  Decision& decision = found->second;
  step.end(decision, DecisionState::revoked, who, why);
  step.rearm(decision);
  // What is left of an earlier return to normal on that scope is undone with it.
  for (const DecisionId other : indexes_.by_scope.at(decision.scope)) {
    Decision& pace = decisions_.at(other);
    if (other == id || pace.pace == 0 || pace.ended_at) continue;
    step.end(pace, DecisionState::revoked, who, why);
  }
  const auto incident = incidents_.find(decision.incident);
  step.leave_alone(decision.scope, incident != incidents_.end() ? &incident->second : nullptr);
  // Where the measure was narrower than what fired, a wider one must not follow from the same.
  if (!decision.signalled.empty()) step.give_grace(decision.signalled);
  return step.finish();
}

Result<Outcome> Decider::confirm(IncidentId id, Verdict verdict, std::string_view who,
                                 std::string_view why, Time now) {
  if (const auto fine = check_words(who, why); !fine) return fail(fine.error());
  if (verdict == Verdict::false_positive) {
    return fail(Code::bad_input, "a false positive is not confirmed: use false-positive",
                text_of(id));
  }
  const auto incident = incident_to_judge(id);
  if (!incident) return fail(incident.error());
  const bool as_suggested = verdict == Verdict::none;
  if (as_suggested) verdict = (*incident)->suggested;
  if (verdict == Verdict::none) {
    return fail(Code::bad_input, "say a verdict: the evidence suggests none", text_of(id));
  }
  Step step(*this, now);
  (*incident)->verdict = verdict;
  step.write(**incident, who,
             with_why(fmt::format("confirmed as {}{}", name_of(verdict),
                                  as_suggested ? ", as suggested" : ""),
                      why));
  step.audit(who, "incident confirmed", text_of(id), with_why(name_of(verdict), why));
  for (const DecisionId each : (*incident)->decisions) {
    const auto decision = decisions_.find(each);
    if (decision == decisions_.end() || decision->second.state != DecisionState::proposed) continue;
    step.bring_into_force(decision->second, who);
  }
  return step.finish();
}

Result<Outcome> Decider::false_positive(IncidentId id, std::string_view who, std::string_view why,
                                        Time now) {
  if (const auto fine = check_words(who, why); !fine) return fail(fine.error());
  const auto found = incident_to_judge(id);
  if (!found) return fail(found.error());
  Incident& incident = **found;
  Step step(*this, now);
  incident.verdict = Verdict::false_positive;
  forget_measures(incident);
  step.audit(who, "incident false positive", text_of(id), std::string(why));
  if (incident.state == IncidentState::closed) {
    step.write(incident, who, with_why("judged a false positive", why));
    return step.finish();
  }
  for (const DecisionId each : incident.decisions) {
    const auto decision = decisions_.find(each);
    if (decision == decisions_.end()) continue;
    step.end(decision->second, DecisionState::revoked, who, "false positive");
    step.leave_alone(decision->second.scope, &incident);
  }
  step.leave_alone(incident.subject, &incident);
  for (const Evidence& evidence : incident.evidence) {
    step.leave_alone(evidence.signal.stream, &incident);
  }
  step.close(incident, who, with_why("closed as a false positive", why));
  return step.finish();
}

Result<Outcome> Decider::note(IncidentId id, std::string_view who, std::string_view text,
                              Time now) {
  if (const auto fine = check_words(who, text); !fine) return fail(fine.error());
  if (trim(text).empty()) return fail(Code::bad_input, "the note is empty", text_of(id));
  const auto incident = known_incident(id);
  if (!incident) return fail(incident.error());
  if ((*incident)->timeline.size() >= kMostTimeline + kMostPeopleEntries) {
    return fail(Code::exhausted, "the incident has no room for more notes", text_of(id));
  }
  Step step(*this, now);
  step.write(**incident, who, std::string(text));
  step.audit(who, "note added", text_of(id), std::string(text));
  return step.finish();
}

Result<Outcome> Decider::impose(Stream scope, Measure measure, std::string_view who,
                                std::string_view why, Time now) {
  if (const auto fine = check_words(who, why); !fine) return fail(fine.error());
  if (scope.empty()) return fail(Code::bad_input, "a measure needs a scope: everything is not one");
  if (const auto fine = check_measure(measure); !fine) return fail(fine.error());
  Step step(*this, now);
  auto [incident, opened] =
      step.incident_about(subject_of(scope), fmt::format("measure by hand: {}", shown(scope)), who);
  Decision decision{.state = DecisionState::active,
                    .scope = std::move(scope),
                    .measure = std::move(measure),
                    .made_by = std::string(who),
                    .because = why.empty() ? "by hand" : std::string(why)};
  step.decide(incident, std::move(decision));
  return step.finish();
}

Result<Outcome> Decider::release(const Stream& scope, std::string_view who, std::string_view why,
                                 Time now) {
  if (const auto fine = check_words(who, why); !fine) return fail(fine.error());
  Step step(*this, now);
  bool any = false;
  for (const DecisionId id : indexes_.by_scope.at(scope)) {
    Decision& decision = decisions_.at(id);
    any = true;
    step.end(decision, DecisionState::revoked, who, why);
    step.rearm(decision);
    const auto incident = incidents_.find(decision.incident);
    step.leave_alone(decision.scope, incident != incidents_.end() ? &incident->second : nullptr);
  }
  if (!any) {
    return fail(Code::not_found, "no decision stands on this scope", shown(scope));
  }
  return step.finish();
}

Outcome Decider::set_automation(bool on, std::string_view who, std::string_view why, Time now) {
  Step step(*this, now);
  if (on == automation_) return step.finish();
  automation_ = on;
  step.state_changed();
  step.audit(who, on ? "automation switched on" : "automation switched off", "", std::string(why));
  return step.finish();
}

}  // namespace watchpost::decide
