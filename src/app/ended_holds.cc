#include "app/ended_holds.h"

#include "model/verdict.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace watchpost::app {
namespace {

constexpr std::string_view kUs = "watchpost";
constexpr auto kSettles = std::chrono::minutes(10);

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

bool has_ended(const Decision& decision, Time now) {
  switch (decision.state) {
    case DecisionState::proposed: return false;
    case DecisionState::active: return !decision.in_force(now);
    case DecisionState::expired:
    case DecisionState::revoked: break;
  }
  return true;
}

Time ended_at(const Decision& decision) { return decision.ended_at.value_or(decision.until); }

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
  const auto usage = quarantine_.usage();
  if (!usage) return fail(usage.error());
  if (usage->copies == usage->due) return size_t{0};
  const auto reader = store::Reader::open(store_);
  if (!reader) return fail(reader.error());
  const auto decisions = (*reader)->decisions();
  if (!decisions) return fail(decisions.error());
  const auto incidents = (*reader)->incidents();
  if (!incidents) return fail(incidents.error());
  size_t released = 0;
  for (const Decision& decision : *decisions) {
    if (decision.measure.kind != MeasureKind::hold || !has_ended(decision, now)) continue;
    if (settled_.contains(decision.id)) continue;
    const auto incident = std::ranges::find(*incidents, decision.incident, &Incident::id);
    const AfterHold then =
        after_hold(decision, incident == incidents->end() ? nullptr : &*incident);
    // A verdict may still change.
    if (then == AfterHold::stays) continue;
    const auto count = send_on(decision, then);
    if (!count) return fail(count.error());
    released += *count;
    // Mail that was being kept as it ended comes a little later.
    if (*count == 0 && now - ended_at(decision) > kSettles) settled_.insert(decision.id);
  }
  return released;
}

Result<size_t> EndedHolds::send_on(const Decision& decision, AfterHold then) {
  quarantine::HeldSearch search;
  search.decision = decision.id;
  search.state = quarantine::CopyState::held;
  search.untouched = true;  // what people said of it stands
  search.limit = 1;
  // A page may be empty and yet go on.
  for (;;) {
    auto page = quarantine_.list(search);
    if (!page) return fail(page.error());
    if (!page->messages.empty()) break;
    if (page->next.empty()) return size_t{0};
    search.after = std::move(page->next);
  }
  search.after.clear();
  return desk_.release_found(search, then == AfterHold::paced, kUs, why_of(decision));
}

}  // namespace watchpost::app
