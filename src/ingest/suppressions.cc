#include "ingest/suppressions.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <ranges>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr std::string_view kSeedFact = "suppress/seed";
constexpr std::string_view kCountFact = "suppress/count/";
constexpr size_t kRowsAtOnce = 10'000;
constexpr size_t kManyIncidents = 1000;

uint64_t random_number() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// A person found that what it did was wrong.
bool says_wrong(Verdict verdict) {
  return verdict == Verdict::false_positive || verdict == Verdict::receiver_fault ||
         verdict == Verdict::monitoring_fault;
}

// A person found that it was right.
bool says_right(Verdict verdict) { return verdict != Verdict::none && !says_wrong(verdict); }

// Bounces of its mail say nothing of recipients. What is only suggested is enough: it costs
// suppressions that come later, while the opposite would cost recipients.
bool misleads(const Incident& incident) {
  const Verdict verdict = incident.verdict == Verdict::none ? incident.suggested : incident.verdict;
  return verdict == Verdict::receiver_fault || verdict == Verdict::monitoring_fault;
}

suppress::Around around(const Event& event, const decide::Decider& decider) {
  suppress::Around found;
  for (const auto& [id, incident] : decider.incidents()) {
    if (incident.state != IncidentState::open || incident.subject.empty() ||
        !incident.subject.holds(event)) {
      continue;
    }
    found.incident = id.number;
    found.bounces_mislead = found.bounces_mislead || misleads(incident);
  }
  return found;
}

// What undoing takes back: never what a person wished, by name or by unsubscribing.
bool may_be_undone(const Suppression& one) {
  return !one.lifted && (one.reason == SuppressionReason::hard_bounce ||
                         one.reason == SuppressionReason::complaint);
}

std::string whom(const Suppression& one) {
  return one.customer.empty() ? one.recipient
                              : fmt::format("{} for {}", one.recipient, one.customer);
}

Result<std::optional<Suppression>> stored(store::Reader& reader, const std::string& recipient,
                                          const std::string& customer) {
  auto rows = reader.suppressions({.recipient = recipient, .customer = customer, .limit = 1});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return std::optional(std::move(rows->front()));
}

Result<uint64_t> stored_seed(store::Store& store, store::Reader& reader) {
  const auto facts = reader.facts(kSeedFact);
  if (!facts) return fail(facts.error());
  uint64_t seed = 0;
  for (const store::Fact& fact : *facts) {
    std::from_chars(fact.value.data(), fact.value.data() + fact.value.size(), seed);
  }
  if (seed != 0) return seed;
  seed = random_number() | 1;
  store::Commit commit;
  commit.facts = {{std::string(kSeedFact), std::to_string(seed)}};
  // A full disk is no reason not to start: what is counted then starts anew with the next start.
  if (const auto done = store.commit(commit); !done) {
    log_warning("pipeline", "the seed of counts could not be stored: {}", done.error().text());
  }
  return seed;
}

}  // namespace

Suppressions::Suppressions(std::vector<suppress::Rule> rules, std::shared_ptr<suppress::List> list,
                           Metrics& metrics)
    : list_(list ? std::move(list) : std::make_shared<suppress::List>(random_number())),
      keeper_(std::make_unique<suppress::Keeper>(std::move(rules), *list_, 0)),
      metrics_(metrics) {}

Result<Done> Suppressions::restore(store::Store& store, store::Reader& reader,
                                   const decide::Decider& decider) {
  const auto seed = stored_seed(store, reader);
  if (!seed) return fail(seed.error());
  keeper_ = std::make_unique<suppress::Keeper>(keeper_->rules(), *list_, *seed);
  uint64_t last = 0;
  while (true) {
    const auto rows = reader.suppressions_after(last, kRowsAtOnce);
    if (!rows) return fail(rows.error());
    for (const Suppression& one : *rows) {
      list_->put(one);
      if (decider.incidents().contains(IncidentId{one.incident})) index(one);
    }
    if (rows->size() < kRowsAtOnce) {
      if (!rows->empty()) last = rows->back().change;
      break;
    }
    last = rows->back().change;
  }
  keeper_->restore_last_change(last);
  const auto facts = reader.facts(kCountFact);
  if (!facts) return fail(facts.error());
  std::vector<std::pair<std::string, std::string>> counts;
  for (const store::Fact& fact : *facts) {
    counts.emplace_back(fact.name.substr(kCountFact.size()), fact.value);
  }
  keeper_->counts().restore(counts);
  Step none;
  finish(none);
  return Done{};
}

void Suppressions::put(Suppression one, Step& step) {
  std::pair key(one.recipient, one.customer);
  step.suppressions.insert_or_assign(std::move(key), std::move(one));
}

void Suppressions::index(const Suppression& one) {
  if (one.incident == 0 || !may_be_undone(one)) return;
  by_incident_[one.incident].emplace_back(one.recipient, one.customer);
}

void Suppressions::count(const Event& event, const decide::Decider& decider, Step& step, Time now) {
  changed_.clear();
  keeper_->on(event, now, [&](const Event& about) { return around(about, decider); }, changed_);
  for (Suppression& one : changed_) put(std::move(one), step);
}

void Suppressions::note(const decide::Outcome& outcome, Step& step, Time now) {
  changed_.clear();
  for (const Incident& incident : outcome.incidents) {
    if (incident.state != IncidentState::open) continue;
    Time since = incident.opened_at;
    for (const Evidence& one : incident.evidence) since = std::min(since, one.signal.since);
    keeper_->opened(incident.id.number, incident.subject, since, now, changed_);
  }
  for (Suppression& one : changed_) put(std::move(one), step);
}

void Suppressions::finish(Step& step) {
  for (auto& [name, value] : keeper_->counts().take_changes()) {
    step.facts[fmt::format("{}{}", kCountFact, name)] = std::move(value);
  }
  for (const auto& [rule, made] : keeper_->take_made()) {
    const auto add = [&](std::string_view what, uint64_t by) {
      if (by == 0) return;
      metrics_
          .counter("watchpost_suppressions_made", "What rules made of events, by rule.",
                   {{"rule", rule}, {"outcome", std::string(what)}})
          .add(by);
    };
    add("suppressed", made.suppressed);
    add("shadow", made.would_have);
    add("without_customer", made.without_customer);
  }
  metrics_.gauge("watchpost_suppressions", "Suppressions in the list, ended ones included.")
      .set(static_cast<double>(list_->size()));
  metrics_
      .gauge("watchpost_suppressions_counted",
             "Recipients with events that count towards a suppression.")
      .set(static_cast<double>(keeper_->counts().size()));
}

Result<size_t> Suppressions::lift_of(uint64_t incident, const std::string& because,
                                     store::Reader& reader, Step& step, Time now) {
  const auto found = by_incident_.find(incident);
  if (found == by_incident_.end()) return 0;
  size_t lifted = 0;
  for (const auto& [recipient, customer] : found->second) {
    auto row = stored(reader, recipient, customer);
    if (!row) return fail(row.error());
    if (!*row || (*row)->incident != incident || !may_be_undone(**row)) continue;
    (*row)->lifted = true;
    (*row)->lifted_by = because;
    keeper_->number(**row, now);
    put(std::move(**row), step);
    ++lifted;
  }
  return lifted;
}

Result<Done> Suppressions::undo(const decide::Outcome& outcome, const decide::Decider& decider,
                                store::Reader& reader, Step& step, Time now) {
  std::map<uint64_t, std::string> wrong;
  for (const Incident& incident : outcome.incidents) {
    if (!says_wrong(incident.verdict)) continue;
    wrong[incident.id.number] =
        fmt::format("{} was found {}", text_of(incident.id), name_of(incident.verdict));
  }
  for (const Decision& decision : outcome.decisions) {
    if (decision.state != DecisionState::revoked) continue;
    const auto incident = decider.incidents().find(decision.incident);
    // A measure that was right and is over leaves what it found as it is.
    if (incident != decider.incidents().end() && says_right(incident->second.verdict)) continue;
    wrong.try_emplace(decision.incident.number,
                      fmt::format("{} was undone by {}", text_of(decision.id), decision.ended_by));
  }
  for (const auto& [incident, because] : wrong) {
    const auto lifted = lift_of(incident, because, reader, step, now);
    if (!lifted) return fail(lifted.error());
    if (*lifted == 0) continue;
    step.audit.push_back({now, "watchpost", "suppressions lifted", text_of(IncidentId{incident}),
                          fmt::format("{} of them: {}", *lifted, because)});
  }
  return Done{};
}

Result<Done> Suppressions::lift_one(const SuppressionOrder& order, const Suppression& which,
                                    store::Reader& reader, Step& step, Time now) {
  auto row = stored(reader, which.recipient, which.customer);
  if (!row) return fail(row.error());
  if (!*row) {
    return fail(Code::not_found,
                which.customer.empty()
                    ? "nothing to remove: it is not on the list for everybody's mail"
                    : "nothing to remove: it is not on the list for this customer's mail",
                whom(which));
  }
  if (!(*row)->holds(now)) {
    return fail(Code::refused, "nothing to remove: it was removed before, or has ended",
                whom(which));
  }
  (*row)->lifted = true;
  (*row)->lifted_by = order.who;
  (*row)->note = order.note;
  keeper_->number(**row, now);
  put(std::move(**row), step);
  return Done{};
}

Result<std::vector<Suppression>> Suppressions::carry_out(const SuppressionOrder& order,
                                                         store::Reader& reader, Step& step,
                                                         Time now) {
  using Act = SuppressionOrder::Act;
  for (const Suppression& wanted : order.which) {
    if (order.act == Act::lift) {
      const auto done = lift_one(order, wanted, reader, step, now);
      if (!done) return fail(done.error());
      continue;
    }
    if (!keeper_->would_change(wanted, now)) {
      if (order.act == Act::import) continue;
      return fail(Code::refused, "it is suppressed already, and for as long", whom(wanted));
    }
    Suppression one = wanted;
    one.since = now;
    one.origin = order.act == Act::import && !order.note.empty()
                     ? fmt::format("{}, import {}", order.who, order.note)
                     : order.who;
    keeper_->number(one, now);
    put(std::move(one), step);
  }
  if (step.suppressions.empty()) return std::vector<Suppression>();
  std::vector<Suppression> changed;
  for (const auto& one : step.suppressions | std::views::values) changed.push_back(one);
  std::ranges::sort(changed, {}, &Suppression::change);
  const bool several = order.act == Act::import;
  step.audit.push_back(
      {now, order.who,
       several                  ? "suppressions imported"
       : order.act == Act::lift ? "suppression lifted"
                                : "suppression added",
       several ? fmt::format("{} recipients", changed.size()) : whom(changed.front()),
       several || order.act == Act::lift ? order.note : changed.front().note});
  return changed;
}

void Suppressions::committed(const Step& step, const decide::Decider& decider) {
  std::vector<Suppression> changed;
  for (const auto& one : step.suppressions | std::views::values) changed.push_back(one);
  std::ranges::sort(changed, {}, &Suppression::change);
  keeper_->committed(changed);
  for (const Suppression& one : changed) index(one);
  if (by_incident_.size() > kManyIncidents) {
    std::erase_if(by_incident_, [&](const auto& one) {
      return !decider.incidents().contains(IncidentId{one.first});
    });
  }
}

}  // namespace watchpost::ingest
