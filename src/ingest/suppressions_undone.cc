// What undoing an incident or a decision takes back of suppressions.
#include "ingest/suppressions.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kRowsAtOnce = 10'000;
// An event may be later than the clock of this machine, and this clock may have been set back.
constexpr Duration kClocksDiffer = std::chrono::hours(24);

// A person found that what it did was wrong.
bool says_wrong(Verdict verdict) {
  return verdict == Verdict::false_positive || verdict == Verdict::receiver_fault ||
         verdict == Verdict::monitoring_fault;
}

// Whether a person found so just now: what was undone once is not undone again with each note.
bool is_news(const Incident& incident, const decide::Decider& before) {
  const auto was = before.incidents().find(incident.id);
  return was == before.incidents().end() || was->second.verdict != incident.verdict;
}

// A person found that it was right.
bool says_right(Verdict verdict) { return verdict != Verdict::none && !says_wrong(verdict); }

// An incident whose suppressions are taken back.
struct Undone {
  uint64_t number = 0;
  Stream subject;
  Time since;                 // where the first signal began to look
  std::optional<Time> until;  // when it was closed; nothing: it was open until now
  std::string because;
  size_t lifted = 0;

  bool made(const Suppression& one) const {
    // Of rows of schema 1 only the number is known.
    if (one.of.empty()) return one.incident == number;
    return one.since >= since && (!until || one.since <= *until) && !subject.empty() &&
           std::ranges::all_of(subject.parts, [&](const Stream::Part& part) {
             return std::ranges::find(one.of, part) != one.of.end();
           });
  }
};

// Never what a person wished, by name, by import or by unsubscribing.
bool may_be_undone(const Suppression& one) {
  return !one.lifted && !one.by_person && one.event &&
         (one.reason == SuppressionReason::hard_bounce ||
          one.reason == SuppressionReason::complaint);
}

Undone undone_of(const Incident& incident, const decide::Decider& before, std::string because) {
  Undone made{.number = incident.id.number,
              .subject = incident.subject,
              .since = incident.opened_at,
              .until = std::nullopt,
              .because = std::move(because)};
  for (const Evidence& one : incident.evidence) made.since = std::min(made.since, one.signal.since);
  const auto was = before.incidents().find(incident.id);
  if (was != before.incidents().end() && was->second.state == IncidentState::closed) {
    made.until = was->second.updated_at;
  }
  return made;
}

}  // namespace

Result<Done> Suppressions::undo(const decide::Outcome& outcome, const decide::Decider& before,
                                const decide::Decider& after, store::Reader& reader, Step& step,
                                Time now) {
  std::map<IncidentId, Undone> all;
  for (const Incident& incident : outcome.incidents) {
    if (!says_wrong(incident.verdict) || !is_news(incident, before)) continue;
    all.try_emplace(incident.id, undone_of(incident, before,
                                           fmt::format("{} was found {}", text_of(incident.id),
                                                       name_of(incident.verdict))));
  }
  for (const Decision& decision : outcome.decisions) {
    if (decision.state != DecisionState::revoked) continue;
    const auto incident = after.incidents().find(decision.incident);
    // A measure that was right and is over leaves what it found as it is.
    if (incident == after.incidents().end() || says_right(incident->second.verdict)) continue;
    all.try_emplace(
        decision.incident,
        undone_of(incident->second, before,
                  fmt::format("{} was undone by {}", text_of(decision.id), decision.ended_by)));
  }
  if (all.empty()) return Done{};
  const auto first = std::ranges::min_element(
      all, {}, [](const auto& one) -> const Time& { return one.second.since; });
  const Time oldest = first->second.since - kClocksDiffer;
  // Newest first. However many came since: it ends with the time that they are of.
  for (uint64_t cursor = 0;;) {
    auto rows = reader.suppressions({.limit = kRowsAtOnce, .before = cursor});
    if (!rows) return fail(rows.error());
    for (Suppression& one : *rows) {
      if (one.changed_at < oldest || !may_be_undone(one)) continue;
      const auto maker =
          std::ranges::find_if(all, [&](const auto& each) { return each.second.made(one); });
      if (maker == all.end()) continue;
      one.lifted = true;
      one.lifted_by = maker->second.because;
      keeper_->number(one, now);
      put(std::move(one), step);
      ++maker->second.lifted;
    }
    if (rows->size() < kRowsAtOnce || rows->back().changed_at < oldest) break;
    cursor = rows->back().change;
  }
  for (const auto& [id, undone] : all) {
    if (undone.lifted == 0) continue;
    step.audit.push_back({now, "watchpost", "suppressions lifted", text_of(id),
                          fmt::format("{} of them: {}", undone.lifted, undone.because)});
  }
  return Done{};
}

}  // namespace watchpost::ingest
