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

uint64_t random_number() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// Bounces of its mail say nothing of recipients. What is only suggested is enough: it costs
// suppressions that come later, while the opposite would cost recipients.
bool misleads(const Incident& incident) {
  const Verdict verdict = incident.verdict == Verdict::none ? incident.suggested : incident.verdict;
  return verdict == Verdict::receiver_fault || verdict == Verdict::monitoring_fault;
}

std::string whom(const Suppression& one) {
  return one.customer.empty() ? one.recipient
                              : fmt::format("{} for {}", one.recipient, one.customer);
}

void show_size(Metrics& metrics, const suppress::List& list) {
  metrics.gauge("watchpost_suppressions", "Suppressions in the list, ended ones included.")
      .set(static_cast<double>(list.size()));
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

Result<Done> Suppressions::restore(store::Store& store, store::Reader& reader) {
  const auto seed = stored_seed(store, reader);
  if (!seed) return fail(seed.error());
  keeper_ = std::make_unique<suppress::Keeper>(keeper_->rules(), *list_, *seed);
  uint64_t last = 0;
  while (true) {
    const auto rows = reader.suppressions_after(last, kRowsAtOnce);
    if (!rows) return fail(rows.error());
    for (const Suppression& one : *rows) list_->put(one);
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
  SuppressionKey key = one.key();
  step.suppressions.insert_or_assign(std::move(key), std::move(one));
}

const std::vector<Suppressions::Open>& Suppressions::open_ones(const decide::Decider& decider) {
  if (!std::exchange(open_is_stale_, false)) return open_;
  open_.clear();
  for (const auto& [id, incident] : decider.incidents()) {
    if (incident.state != IncidentState::open || incident.subject.empty()) continue;
    open_.push_back({id.number, incident.subject, misleads(incident)});
  }
  return open_;
}

void Suppressions::count(const Event& event, const decide::Decider& decider, store::Reader& reader,
                         Step& step, Time now) {
  changed_.clear();
  const suppress::Around around{.incident =
                                    [&](const Event& about) {
                                      uint64_t last = 0;
                                      for (const Open& one : open_ones(decider)) {
                                        if (one.subject.holds(about)) last = one.number;
                                      }
                                      return last;
                                    },
                                .bounces_mislead =
                                    [&](const Event& about) {
                                      return std::ranges::any_of(
                                          open_ones(decider), [&](const Open& one) {
                                            return one.bounces_mislead && one.subject.holds(about);
                                          });
                                    }};
  keeper_->on(event, now, around, changed_);
  for (Suppression& one : changed_) {
    keep_what_was(one, reader, step);
    put(std::move(one), step);
  }
}

void Suppressions::keep_what_was(Suppression& one, store::Reader& reader, const Step& step) const {
  const auto entry = list_->of(one.customer, one.recipient, one.reason);
  const auto in_step = step.suppressions.find(one.key());
  std::optional<Suppression> was;
  if (in_step != step.suppressions.end()) {
    was = in_step->second;
  } else if (entry && (one.lifted || entry->holds(one.since))) {
    auto rows = reader.suppressions(
        {.recipient = one.recipient, .customer = one.customer, .reason = one.reason, .limit = 1});
    if (rows && !rows->empty()) was = std::move(rows->front());
    // What is lost is only who said so first, and since when.
    if (!rows) log_warning("pipeline", "an earlier suppression: {}", rows.error().text());
  }
  if (!was) return;
  if (one.lifted) {
    was->by_person = one.by_person;
    was->lifted = true;
    was->lifted_by = std::move(one.lifted_by);
    was->lifted_note = std::move(one.lifted_note);
    was->changed_at = one.changed_at;
    was->change = one.change;
    one = std::move(*was);
  } else if (was->holds(one.since)) {
    one.since = was->since;
    one.of = std::move(was->of);
    one.incident = was->incident;
    one.note = std::move(was->note);
    if (one.by_person) one.origin = std::move(was->origin);
  }
}

void Suppressions::note(const decide::Outcome& outcome) {
  open_is_stale_ = open_is_stale_ || !outcome.incidents.empty();
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
  show_size(metrics_, *list_);
  metrics_
      .gauge("watchpost_suppressions_counted",
             "Recipients with events that count towards a suppression.")
      .set(static_cast<double>(keeper_->counts().size()));
}

Result<Done> Suppressions::lift(const SuppressionOrder& order, store::Reader& reader, Step& step,
                                Time now) {
  for (const Suppression& which : order.which) {
    auto rows = reader.suppressions(
        {.recipient = which.recipient, .customer = which.customer, .reason = order.only});
    if (!rows) return fail(rows.error());
    if (rows->empty()) {
      return fail(Code::not_found,
                  fmt::format("nothing to remove: it is not on the list for {} mail{}",
                              which.customer.empty() ? "everybody's" : "this customer's",
                              order.only ? " for this reason" : ""),
                  whom(which));
    }
    std::erase_if(*rows, [&](const Suppression& row) { return !row.holds(now); });
    if (rows->empty()) {
      return fail(Code::refused, "nothing to remove: it was removed before, or has ended",
                  whom(which));
    }
    for (Suppression& row : *rows) {
      row.lifted = true;
      row.by_person = true;
      row.lifted_by = order.who;
      row.lifted_note = order.note;
      keeper_->number(row, now);
      put(std::move(row), step);
    }
  }
  return Done{};
}

void Suppressions::add(const SuppressionOrder& order, const Suppression& wanted, Step& step,
                       Time now) {
  const auto there = keeper_->known(wanted.key());
  Suppression one = wanted;
  // What an event made becomes a person's, and ends no sooner for it.
  const bool holds = there && there->holds(now);
  if (holds && one.until && (!there->until || *there->until > *one.until)) {
    one.until = there->until;
  }
  one.since = now;
  one.by_person = true;
  one.origin = order.act == SuppressionOrder::Act::import && !order.note.empty()
                   ? fmt::format("{}, import {}", order.who, order.note)
                   : order.who;
  keeper_->number(one, now);
  put(std::move(one), step);
}

Result<SuppressionChanges> Suppressions::carry_out(const SuppressionOrder& order,
                                                   store::Reader& reader, Step& step, Time now) {
  using Act = SuppressionOrder::Act;
  SuppressionChanges done;
  if (order.act == Act::lift) {
    if (const auto lifted = lift(order, reader, step, now); !lifted) return fail(lifted.error());
  } else {
    for (const Suppression& wanted : order.which) {
      const suppress::Wish wish = keeper_->judge(wanted, now);
      if (wish == suppress::Wish::held) {
        if (order.act == Act::import) continue;
        return fail(Code::refused, "it is suppressed already for this reason, and for as long",
                    whom(wanted));
      }
      if (wish == suppress::Wish::was_lifted && order.act == Act::import && !order.again) {
        ++done.left_lifted;
        continue;
      }
      add(order, wanted, step, now);
    }
  }
  if (step.suppressions.empty()) return done;
  for (const auto& one : step.suppressions | std::views::values) done.changed.push_back(one);
  std::ranges::sort(done.changed, {}, &Suppression::change);
  const Suppression& first = done.changed.front();
  const bool several = order.act == Act::import;
  step.audit.push_back({now, order.who,
                        several                  ? "suppressions imported"
                        : order.act == Act::lift ? "suppression lifted"
                                                 : "suppression added",
                        several ? fmt::format("{} recipients", done.changed.size()) : whom(first),
                        order.act == Act::add ? first.note : order.note});
  return done;
}

void Suppressions::committed(const Step& step) {
  std::vector<Suppression> changed;
  for (const auto& one : step.suppressions | std::views::values) changed.push_back(one);
  std::ranges::sort(changed, {}, &Suppression::change);
  keeper_->committed(changed);
  show_size(metrics_, *list_);
  // Incidents also end by themselves, and are read anew.
  open_is_stale_ = true;
}

}  // namespace watchpost::ingest
