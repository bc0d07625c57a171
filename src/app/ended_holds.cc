#include "app/ended_holds.h"

#include "model/verdict.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::app {
namespace {

constexpr std::string_view kUs = "watchpost";

// A person has found that the mail is bad, whoever is to blame for it.
bool is_bad(Verdict verdict) {
  switch (verdict) {
    case Verdict::compromised:
    case Verdict::bad_list:
    case Verdict::abusive_customer:
    case Verdict::content: return true;
    case Verdict::none:
    case Verdict::receiver_fault:
    case Verdict::monitoring_fault:
    case Verdict::false_positive: break;
  }
  return false;
}

std::string why_of(const Decision& decision) {
  return decision.state == DecisionState::revoked
             ? fmt::format("{} was undone by {}", text_of(decision.id), decision.ended_by)
             : fmt::format("{} has run out", text_of(decision.id));
}

}  // namespace

AfterHold after_hold(const Decision& decision, const Incident* incident) {
  // Whoever undoes a decision wants the mail to go, whatever was said of the incident before.
  const bool by_a_person = decision.state == DecisionState::revoked && decision.ended_by != kUs;
  if (by_a_person) return AfterHold::at_once;
  if (incident != nullptr && is_bad(incident->verdict)) return AfterHold::stays;
  return AfterHold::paced;
}

Result<size_t> EndedHolds::look(Time now) {
  const auto holding = quarantine_.holding_decisions();
  if (!holding) return fail(holding.error());
  if (holding->empty()) return size_t{0};
  const auto reader = store::Reader::open(store_);
  if (!reader) return fail(reader.error());
  const auto decisions = (*reader)->decisions();
  if (!decisions) return fail(decisions.error());
  const auto incidents = (*reader)->incidents();
  if (!incidents) return fail(incidents.error());
  size_t released = 0;
  for (const Decision& decision : *decisions) {
    const bool ended = decision.state == DecisionState::revoked ||
                       decision.state == DecisionState::expired ||
                       (decision.state == DecisionState::active && !decision.in_force(now));
    if (!ended || std::ranges::find(*holding, decision.id) == holding->end()) continue;
    const auto incident = std::ranges::find(*incidents, decision.incident, &Incident::id);
    const AfterHold then =
        after_hold(decision, incident == incidents->end() ? nullptr : &*incident);
    if (then == AfterHold::stays) continue;
    quarantine::HeldSearch search;
    search.decision = decision.id;
    search.state = quarantine::CopyState::held;
    const auto count = desk_.release_found(search, then == AfterHold::paced, kUs, why_of(decision));
    if (!count) return fail(count.error());
    released += *count;
  }
  return released;
}

}  // namespace watchpost::app
