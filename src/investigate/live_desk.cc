#include "investigate/live_desk.h"

#include "base/text.h"
#include "expr/event_schema.h"
#include "expr/expression.h"
#include "investigate/border_desk.h"
#include "investigate/live_reports.h"
#include "investigate/readers.h"
#include "investigate/suppression_desk.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

constexpr size_t kMostRows = 10'000;

std::vector<DecisionView> with_enforcements(std::vector<Decision> decisions,
                                            const std::vector<store::Enforcement>& rows) {
  std::multimap<DecisionId, const store::Enforcement*> by_decision;
  for (const store::Enforcement& row : rows) by_decision.emplace(row.decision, &row);
  std::vector<DecisionView> views;
  for (Decision& decision : decisions) {
    DecisionView view{std::move(decision), {}};
    const auto [first, last] = by_decision.equal_range(view.decision.id);
    for (auto at = first; at != last; ++at) view.enforcements.push_back(*at->second);
    views.push_back(std::move(view));
  }
  return views;
}

Result<store::EventQuery> query_from(const EventSearch& search) {
  store::EventQuery query;
  query.since = search.since;
  query.until = search.until;
  query.equal = search.equal;
  query.limit = std::clamp<size_t>(search.limit, 1, kMostRows);
  query.after = search.after;
  if (!search.kind.empty()) {
    query.kind = event_kind_from(search.kind);
    if (!query.kind) {
      return fail(Code::bad_input,
                  fmt::format("`{}` is not a kind of event{}", escaped(search.kind, 64),
                              suggestion(search.kind, event_kind_names())));
    }
  }
  if (!search.where.empty()) {
    auto condition = expr::RowCondition::parse(search.where, expr::event_schema());
    if (!condition) return fail(condition.error());
    query.where = [condition = std::move(*condition)](const Event& event) {
      return condition.evaluate(expr::EventRow(event)) == expr::Truth::yes;
    };
  }
  return query;
}

class LiveDesk final : public Desk {
 public:
  explicit LiveDesk(DeskParts parts)
      : parts_(std::move(parts)),
        readers_(parts_.store),
        reports_(make_live_reports(parts_.store, parts_.clock)) {}

  Result<StatusView> status() override;
  Result<store::EventPage> events(const EventSearch& search) override;
  Result<std::vector<detect::StreamView>> streams(std::string_view dimensions,
                                                  size_t most) override;
  Result<std::vector<detect::DetectorView>> explain(const Stream& stream) override;
  Result<std::vector<Incident>> incidents(bool open_only, size_t limit) override;
  Result<IncidentView> incident(IncidentId id) override;
  Result<std::vector<DecisionView>> decisions(bool all, size_t limit) override;
  Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit) override;
  Result<std::vector<Notice>> notices(size_t limit) override;
  Result<std::vector<AuditEntry>> audit(size_t limit) override;
  Result<uint64_t> verify_audit() override;
  Reports& reports() override { return *reports_; }
  QuarantineDesk* quarantine() override { return parts_.quarantine; }
  Result<SuppressionPage> suppressions(const SuppressionSearch& search) override;
  Result<std::vector<Suppression>> suppression_changes(uint64_t after, size_t limit) override;
  std::string refusal_mark(std::string_view recipient) override {
    return parts_.pipeline.reply_tags().mark_of(recipient);
  }
  bool is_suppressed(std::string_view customer, std::string_view recipient) override {
    return parts_.pipeline.suppressed()
        .holding(customer, recipient, parts_.clock.now())
        .has_value();
  }
  Result<std::vector<FoundVerdict>> verdicts(const VerdictSearch& search) override {
    const auto reader = readers_.take();
    if (!reader) return fail(reader.error());
    return find_verdicts(**reader, search);
  }
  Result<relate::Reputed> reputation(relate::Party party, std::string_view name) override {
    return reputation_of(parts_.reputation, party, name, parts_.clock.now());
  }
  Result<std::vector<relate::Reputed>> worst_reputations(size_t most) override {
    return worst_of(parts_.reputation, most, parts_.clock.now());
  }

  Result<Incident> confirm(IncidentId id, Verdict verdict, std::string_view who,
                           std::string_view why) override;
  Result<Incident> false_positive(IncidentId id, std::string_view who,
                                  std::string_view why) override;
  Result<Incident> note(IncidentId id, std::string_view who, std::string_view text) override;
  Result<Decision> revoke(DecisionId id, std::string_view who, std::string_view why) override;
  Result<Decision> impose(Stream scope, Measure measure, std::string_view who,
                          std::string_view why) override;
  Result<std::vector<Decision>> release(const Stream& scope, std::string_view who,
                                        std::string_view why) override;
  Result<Suppression> suppress(const Suppression& wanted, std::string_view who) override {
    return add_suppression(parts_.pipeline, wanted, who, parts_.clock.now());
  }
  Result<std::vector<Suppression>> lift(const SuppressionLift& wanted,
                                        std::string_view who) override {
    return lift_suppressions(parts_.pipeline, wanted, who);
  }
  Result<ImportReceipt> import_suppressions(std::string_view csv, const ImportOptions& options,
                                            std::string_view who) override {
    return import_list(parts_.pipeline, csv, options, who, parts_.clock.now());
  }
  Result<Done> forget_reputation(relate::Party party, std::string_view name, std::string_view who,
                                 std::string_view why) override {
    return forget_party(parts_.reputation, parts_.pipeline, party, name, who, why);
  }
  Result<Done> set_automation(bool on, std::string_view who, std::string_view why) override;
  Result<Done> reload(std::string_view who) override { return parts_.reload(who); }

 private:
  using Act = std::function<Result<decide::Outcome>(decide::Decider&, Time)>;
  // Carries out what a person does; gives what changed, once it is committed.
  Result<decide::Outcome> act(const Act& act);
  Result<Incident> act_on_incident(IncidentId id, const Act& act);
  void add_enforcers(StatusView& view, const std::vector<store::Enforcement>& rows) const;

  DeskParts parts_;
  Readers readers_;
  std::unique_ptr<Reports> reports_;
};

Result<decide::Outcome> LiveDesk::act(const Act& act) {
  decide::Outcome changed;
  const auto done = parts_.pipeline.ask(
      [&](decide::Decider& decider, detect::Watch&, Time now) -> Result<decide::Outcome> {
        auto outcome = act(decider, now);
        if (outcome) changed = *outcome;
        return outcome;
      });
  if (!done) return fail(done.error());
  return changed;
}

Result<Incident> LiveDesk::act_on_incident(IncidentId id, const Act& step) {
  const auto changed = act(step);
  if (!changed) return fail(changed.error());
  const auto found = std::ranges::find(changed->incidents, id, &Incident::id);
  if (found == changed->incidents.end()) {
    return fail(Code::internal, "the incident did not change", text_of(id));
  }
  return *found;
}

void LiveDesk::add_enforcers(StatusView& view, const std::vector<store::Enforcement>& rows) const {
  using Actual = store::Enforcement::Actual;
  for (auto& [name, state, failures] : parts_.enforcers()) {
    EnforcerView enforcer{
        .name = name, .state = state, .failed = failures, .failing = failures > 0};
    for (const store::Enforcement& row : rows) {
      if (row.enforcer != name) continue;
      enforcer.applied += row.actual == Actual::applied ? 1 : 0;
      enforcer.pending += row.actual == Actual::pending ? 1 : 0;
      enforcer.failed += row.actual == Actual::failed ? 1 : 0;
    }
    view.enforcers.push_back(std::move(enforcer));
  }
}

Result<StatusView> LiveDesk::status() {
  StatusView view;
  view.version = parts_.version;
  view.started_at = parts_.started_at;
  view.now = parts_.clock.now();
  const ingest::Pipeline::Health health = parts_.pipeline.health();
  view.storing = health.storing;
  view.counting = health.counting;
  view.store_error = health.error;
  view.events = health.events;
  const auto looked = parts_.pipeline.look_at_once(
      [&](const decide::Decider& decider, const detect::Watch& watch, Time now) {
        view.automation = decider.automation();
        const detect::WatchStats& stats = watch.stats();
        view.streams = stats.streams;
        view.watch_bytes = stats.bytes;
        view.late = stats.late;
        view.evicted = stats.evicted;
        for (const auto& [id, incident] : decider.incidents()) {
          view.open_incidents += incident.state == IncidentState::open ? 1 : 0;
        }
        for (const auto& [id, decision] : decider.decisions()) {
          view.active_decisions += decision.in_force(now) ? 1 : 0;
          view.proposed_decisions += decision.state == DecisionState::proposed ? 1 : 0;
        }
      });
  if (!looked) return fail(looked.error());
  view.sources = parts_.sources();
  std::vector<store::Enforcement> rows;
  if (const auto reader = readers_.take()) {
    if (auto read = (*reader)->enforcements()) rows = std::move(*read);
  }
  add_enforcers(view, rows);
  if (parts_.quarantine != nullptr) {
    auto usage = parts_.quarantine->usage();
    if (!usage) usage = quarantine::Usage{.trouble = usage.error().text()};
    view.quarantine = std::move(*usage);
  }
  return view;
}

Result<store::EventPage> LiveDesk::events(const EventSearch& search) {
  const auto query = query_from(search);
  if (!query) return fail(query.error());
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->events(*query);
}

Result<std::vector<detect::StreamView>> LiveDesk::streams(std::string_view dimensions,
                                                          size_t most) {
  std::vector<Field> wanted;
  if (!dimensions.empty()) {
    auto parsed = parse_dimensions(dimensions);
    if (!parsed) return fail(parsed.error());
    wanted = std::move(*parsed);
  }
  std::vector<detect::StreamView> found;
  const auto looked =
      parts_.pipeline.look([&](const decide::Decider&, const detect::Watch& watch, Time) {
        found = watch.movers(wanted, std::min(most, kMostRows));
      });
  if (!looked) return fail(looked.error());
  return found;
}

Result<std::vector<detect::DetectorView>> LiveDesk::explain(const Stream& stream) {
  std::vector<detect::DetectorView> found;
  const auto looked = parts_.pipeline.look([&](const decide::Decider&, const detect::Watch& watch,
                                               Time) { found = watch.explain(stream); });
  if (!looked) return fail(looked.error());
  return found;
}

Result<std::vector<Incident>> LiveDesk::incidents(bool open_only, size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  auto found = (*reader)->incidents();
  if (!found) return found;
  if (open_only) {
    std::erase_if(*found, [](const Incident& one) { return one.state != IncidentState::open; });
  }
  if (found->size() > limit) found->resize(limit);
  return found;
}

Result<IncidentView> LiveDesk::incident(IncidentId id) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  auto all = (*reader)->incidents();
  if (!all) return fail(all.error());
  const auto found = std::ranges::find(*all, id, &Incident::id);
  if (found == all->end()) return fail(Code::not_found, "there is no such incident", text_of(id));
  auto decisions = (*reader)->decisions();
  if (!decisions) return fail(decisions.error());
  std::erase_if(*decisions, [&](const Decision& one) { return one.incident != id; });
  const auto rows = (*reader)->enforcements();
  if (!rows) return fail(rows.error());
  return IncidentView{std::move(*found), with_enforcements(std::move(*decisions), *rows)};
}

Result<std::vector<DecisionView>> LiveDesk::decisions(bool all, size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  auto found = (*reader)->decisions();
  if (!found) return fail(found.error());
  if (!all) {
    std::erase_if(*found, [](const Decision& one) {
      return one.state != DecisionState::active && one.state != DecisionState::proposed;
    });
  }
  if (found->size() > limit) found->resize(limit);
  const auto rows = (*reader)->enforcements();
  if (!rows) return fail(rows.error());
  return with_enforcements(std::move(*found), *rows);
}

Result<std::vector<ShadowDecision>> LiveDesk::shadow_decisions(size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->shadow_decisions(limit);
}

Result<std::vector<Notice>> LiveDesk::notices(size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->notices(limit);
}

Result<std::vector<AuditEntry>> LiveDesk::audit(size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->audit(limit);
}

Result<uint64_t> LiveDesk::verify_audit() {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->verify_audit();
}

Result<SuppressionPage> LiveDesk::suppressions(const SuppressionSearch& search) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return find_suppressions(**reader, search, parts_.clock.now());
}

Result<std::vector<Suppression>> LiveDesk::suppression_changes(uint64_t after, size_t limit) {
  const auto reader = readers_.take();
  if (!reader) return fail(reader.error());
  return (*reader)->suppressions_after(after, std::clamp<size_t>(limit, 1, kMostRows));
}

Result<Incident> LiveDesk::confirm(IncidentId id, Verdict verdict, std::string_view who,
                                   std::string_view why) {
  return act_on_incident(id, [&](decide::Decider& decider, Time now) {
    return decider.confirm(id, verdict, who, why, now);
  });
}

Result<Incident> LiveDesk::false_positive(IncidentId id, std::string_view who,
                                          std::string_view why) {
  return act_on_incident(id, [&](decide::Decider& decider, Time now) {
    return decider.false_positive(id, who, why, now);
  });
}

Result<Incident> LiveDesk::note(IncidentId id, std::string_view who, std::string_view text) {
  return act_on_incident(
      id, [&](decide::Decider& decider, Time now) { return decider.note(id, who, text, now); });
}

Result<Decision> LiveDesk::revoke(DecisionId id, std::string_view who, std::string_view why) {
  const auto changed =
      act([&](decide::Decider& decider, Time now) { return decider.revoke(id, who, why, now); });
  if (!changed) return fail(changed.error());
  const auto found = std::ranges::find(changed->decisions, id, &Decision::id);
  if (found != changed->decisions.end()) return *found;
  return fail(Code::internal, "the decision did not change", text_of(id));
}

Result<Decision> LiveDesk::impose(Stream scope, Measure measure, std::string_view who,
                                  std::string_view why) {
  const auto changed = act([&](decide::Decider& decider, Time now) {
    return decider.impose(std::move(scope), std::move(measure), who, why, now);
  });
  if (!changed) return fail(changed.error());
  if (!changed->decisions.empty()) return changed->decisions.back();
  return fail(Code::refused, "a measure at least as strict and as long is in force already");
}

Result<std::vector<Decision>> LiveDesk::release(const Stream& scope, std::string_view who,
                                                std::string_view why) {
  const auto changed = act(
      [&](decide::Decider& decider, Time now) { return decider.release(scope, who, why, now); });
  if (!changed) return fail(changed.error());
  return changed->decisions;
}

Result<Done> LiveDesk::set_automation(bool on, std::string_view who, std::string_view why) {
  const auto changed = act([&](decide::Decider& decider, Time now) -> Result<decide::Outcome> {
    return decider.set_automation(on, who, why, now);
  });
  if (!changed) return fail(changed.error());
  return Done{};
}

}  // namespace

std::unique_ptr<Desk> make_live_desk(DeskParts parts) {
  return std::make_unique<LiveDesk>(std::move(parts));
}

}  // namespace watchpost::investigate
