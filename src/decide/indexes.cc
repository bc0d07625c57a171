// What follows from the incidents and decisions, so that one call looks only at what it is about.
#include "decide/decider.h"
#include "decide/fault.h"

namespace watchpost::decide {

void Decider::index(const Incident& incident) {
  if (incident.state == IncidentState::closed) {
    indexes_.closed.insert(incident.id);
    return;
  }
  indexes_.open_by_subject.add(incident.subject, incident.id);
  if (!has_decision(incident)) indexes_.unmeasured.insert(incident.id);
}

void Decider::unindex(const Incident& incident) {
  indexes_.closed.erase(incident.id);
  indexes_.unmeasured.erase(incident.id);
  indexes_.open_by_subject.remove(incident.subject, incident.id);
  for (const Evidence& evidence : incident.evidence) {
    const auto at = indexes_.failing_at.find(failing_provider(evidence.signal));
    if (at == indexes_.failing_at.end()) continue;
    at->second.erase(incident.id);
    if (at->second.empty()) indexes_.failing_at.erase(at);
  }
}

void Decider::index(const Decision& decision) {
  indexes_.by_scope.add(decision.scope, decision.id);
  indexes_.by_end.emplace(decision.until, decision.id);
}

void Decider::unindex(const Decision& decision) {
  indexes_.by_scope.remove(decision.scope, decision.id);
  indexes_.by_end.erase({decision.until, decision.id});
}

// The oldest closed ones go first.
void Decider::drop_closed_beyond(size_t most) {
  while (incidents_.size() > most && !indexes_.closed.empty()) {
    incidents_.erase(*indexes_.closed.begin());
    indexes_.closed.erase(indexes_.closed.begin());
  }
}

}  // namespace watchpost::decide
