// Whose fault it looks like, and what is the receiver's.
#include "decide/decider.h"
#include "decide/fault.h"
#include "decide/narrow.h"
#include "decide/scope.h"
#include "decide/step.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::decide {
namespace {

constexpr Duration kTogether = std::chrono::hours(1);

Stream provider_stream(std::string_view provider) {
  return {{{Field::provider, std::string(provider)}}};
}

// When the receiver was last said to be at fault. What joined since does not make it last longer.
Time last_blamed(const Incident& incident) {
  Time last = incident.opened_at;
  for (const Evidence& evidence : incident.evidence) {
    if (evidence.signal.suggests != Verdict::receiver_fault) continue;
    last = std::max(last, evidence.signal.at);
  }
  return last;
}

// The customer that the stream belongs to, as far as that can be told.
std::string customer_of(const Signal& signal) {
  const auto named = signal.stream[Field::customer];
  if (!named.empty()) return std::string(named);
  const Share* const share = share_of(signal, Field::customer);
  return share != nullptr && is_nearly_all(*share) ? share->value : std::string();
}

std::string in_one_line(std::string lines) {
  for (size_t at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at)) {
    lines.replace(at, 1, "; ");
  }
  return lines;
}

}  // namespace

void Decider::suggest(Step& step, Incident& incident) {
  FaultContext context{.others_fail_there = others_fail_there(incident)};
  if (const auto customer = incident.subject[Field::customer]; !customer.empty()) {
    context.earlier_incidents = by_customer_.incidents({{{Field::customer, std::string(customer)}}},
                                                       step.now() - settings_.memory, incident.id);
  }
  Fault fault = suggested_fault(incident, context);
  const bool changed = fault.cause != incident.suggested;
  incident.suggested = fault.cause;
  incident.suggested_because = std::move(fault.because);
  if (!changed) return;
  step.say(incident, "cause suggested",
           fault.cause == Verdict::none ? std::string("the evidence no longer suggests one cause")
                                        : fmt::format("looks like {}: {}", name_of(fault.cause),
                                                      in_one_line(incident.suggested_because)));
}

Incident* Decider::outage_behind(const Signal& signal, Time now) {
  const auto provider = main_provider(signal);
  if (provider.empty() || !is_explained_by_outage(signal, provider)) return nullptr;
  const auto open = indexes_.open_by_subject.at(provider_stream(provider));
  if (open.empty()) return nullptr;
  Incident& incident = incidents_.at(open.back());
  // What a person found goes before what it looks like.
  const Verdict cause = incident.verdict != Verdict::none ? incident.verdict : incident.suggested;
  const bool lately = now - last_blamed(incident) <= kTogether;
  return cause == Verdict::receiver_fault && lately ? &incident : nullptr;
}

void Decider::note_failing(const Incident& incident, const Signal& signal) {
  const auto provider = failing_provider(signal);
  if (provider.empty() || !names_one_of_ours(signal.stream)) return;
  indexes_.failing_at[std::string(provider)][incident.id] = {customer_of(signal), signal.at};
}

// Incidents of other customers at about the same time; where it is not known whose they are, other
// incidents.
bool Decider::others_fail_there(const Incident& incident) const {
  for (const Evidence& evidence : incident.evidence) {
    const auto there = indexes_.failing_at.find(failing_provider(evidence.signal));
    if (there == indexes_.failing_at.end()) continue;
    const std::string customer = customer_of(evidence.signal);
    const Time at = evidence.signal.at;
    for (const auto& [id, other] : there->second) {
      const bool same = !customer.empty() && other.customer == customer;
      const bool together = other.at >= at - kTogether && other.at <= at + kTogether;
      if (id != incident.id && !same && together) return true;
    }
  }
  return false;
}

}  // namespace watchpost::decide
