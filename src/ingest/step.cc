#include "ingest/step.h"

#include <ranges>
#include <utility>

namespace watchpost::ingest {

bool changes_nothing(const decide::Outcome& outcome) {
  return outcome.incidents.empty() && outcome.decisions.empty() && outcome.shadow.empty() &&
         outcome.notices.empty() && outcome.audit.empty() && outcome.rearm.empty() &&
         !outcome.state_changed;
}

void Step::add(decide::Outcome outcome) {
  for (Incident& one : outcome.incidents) incidents.insert_or_assign(one.id, std::move(one));
  for (Decision& one : outcome.decisions) decisions.insert_or_assign(one.id, std::move(one));
  for (Notice& one : outcome.notices) notices.insert_or_assign(one.number, std::move(one));
  std::ranges::move(outcome.shadow, std::back_inserter(shadow));
  std::ranges::move(outcome.audit, std::back_inserter(audit));
}

bool Step::empty() const {
  return events.empty() && facts.empty() && incidents.empty() && decisions.empty() &&
         notices.empty() && shadow.empty() && reported.empty() && rows.empty() && audit.empty() &&
         kept_mail.empty() && suppressions.empty();
}

store::Commit Step::commit(bool with_events) const {
  store::Commit all;
  if (with_events) {
    all.events = events;
    all.verdicts = verdicts;
  }
  for (const auto& [name, value] : facts) all.facts.push_back({name, value});
  for (const Incident& one : incidents | std::views::values) all.incidents.push_back(one);
  for (const Decision& one : decisions | std::views::values) all.decisions.push_back(one);
  for (const Notice& one : notices | std::views::values) all.notices.push_back(one);
  all.shadow = shadow;
  // A new wish stands over what came of the one before.
  all.enforcements = reported;
  all.enforcements.insert(all.enforcements.end(), rows.begin(), rows.end());
  all.audit = audit;
  all.lasting = lasting;
  all.kept_mail = kept_mail;
  for (const Suppression& one : suppressions | std::views::values) all.suppressions.push_back(one);
  return all;
}

void Step::settle(const Result<Done>& done) {
  for (const auto& tell : std::exchange(settled, {})) tell(done);
}

}  // namespace watchpost::ingest
