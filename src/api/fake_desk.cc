#include "api/fake_desk.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

constexpr Time kNow = Time(std::chrono::seconds(1'795'500'000));
constexpr IncidentId kIncident{4};
constexpr DecisionId kDecision{17};
// What a stranger may have put into a log: markup, control bytes, and bytes that are not UTF-8.
constexpr std::string_view kHostile = "<b>\"\\\x1b[31m\xff\xc3\xa4";

Stream stream() { return {{{Field::credential, "alice \"a\" <\xff>"}}}; }

Signal signal() {
  Signal made;
  made.at = kNow;
  made.detector = "unknown users";
  made.detector_version = std::numeric_limits<uint64_t>::max();
  made.mode = Mode::enforce;
  made.stream = stream();
  made.since = kNow - 10min;
  made.value = 0.3;
  made.threshold = std::numeric_limits<double>::infinity();
  made.messages = 60;
  made.because = kHostile;
  made.counts = {{"bounced", 18}, {"attempted", std::numeric_limits<double>::quiet_NaN()}};
  made.then = {Measure{.kind = MeasureKind::suspend, .span = 1h}};
  return made;
}

Incident incident_of(IncidentId id) {
  Incident made;
  made.id = id;
  made.subject = stream();
  made.title = kHostile;
  made.opened_at = made.updated_at = kNow;
  made.evidence = {{signal(),
                    {R"({"at":"2026-11-24T00:00:00Z","kind":"bounced","delay":0.5})",
                     R"({"at":"2026-11-24T00:00:01Z","kind":"bounced"})"}}};
  made.timeline = {{kNow, "watchpost", std::string(kHostile)}};
  made.decisions = {kDecision};
  return made;
}

Suppression suppression_of(std::string recipient, std::string customer) {
  Suppression made;
  made.recipient = std::move(recipient);
  made.customer = std::move(customer);
  made.reason = SuppressionReason::hard_bounce;
  made.origin = "rule `no such mailbox`";
  made.note = kHostile;
  made.since = made.changed_at = kNow;
  made.until = kNow + 1h;
  made.evidence = kHostile;
  made.event = {1, 2};
  made.incident = kIncident.number;
  made.change = 17;
  return made;
}

Decision decision_of(DecisionId id) {
  Decision made;
  made.id = id;
  made.incident = kIncident;
  made.scope = stream();
  made.measure = {.kind = MeasureKind::suspend, .span = 1h};
  made.from = kNow;
  made.until = kNow + 1h;
  made.detector = "unknown users";
  made.made_by = "watchpost";
  made.because = kHostile;
  made.episode = "e";
  return made;
}

investigate::DecisionView decision_view_of(DecisionId id) {
  return {decision_of(id),
          {{.decision = id,
            .enforcer = "postfix",
            .next_try = kNow,
            .changed_at = kNow,
            .error = std::string(kHostile)}}};
}

Error unknown(std::string id) { return {Code::not_found, "there is no such thing", std::move(id)}; }

}  // namespace

Result<Done> FakeDesk::remember(std::string what) {
  const std::lock_guard lock(mutex_);
  asked_.push_back(std::move(what));
  if (broken_) return fail(*broken_);
  return Done{};
}

Result<investigate::StatusView> FakeDesk::status() {
  if (const auto up = remember("status"); !up) return fail(up.error());
  const std::lock_guard lock(mutex_);
  ingest::SourceStatus source;
  source.state = "following";
  source.healthy = source_healthy_;
  source.last_event_at = kNow;
  source.unread["no_timestamp"] = {3, {std::string(kHostile)}};
  investigate::StatusView view;
  view.version = "0.1.0";
  view.started_at = kNow - 1h;
  view.now = kNow;
  view.storing = storing_;
  view.events = 12;
  view.sources = {{"mail", "postfix_log", source}};
  view.enforcers = {{"postfix", "listening", 1, 0, 0, false}};
  view.quarantine = quarantine::Usage{.messages = 1, .trouble = "the disk is full"};
  return view;
}

Result<store::EventPage> FakeDesk::events(const investigate::EventSearch& search) {
  if (const auto up = remember("events"); !up) return fail(up.error());
  const std::lock_guard lock(mutex_);
  search_ = search;
  store::EventPage page;
  Event& event = page.events.add();
  event.at = kNow;
  event.kind = EventKind::bounced;
  event[Field::credential] = page.events.keep("alice");
  Event& second = page.events.add();
  second.at = kNow;
  second.kind = EventKind::delivered;
  page.next = "cursor";
  return page;
}

Result<std::vector<detect::StreamView>> FakeDesk::streams(std::string_view dimensions,
                                                          size_t most) {
  const auto up = remember(fmt::format("streams {} {}", dimensions, most));
  if (!up) return fail(up.error());
  return std::vector{detect::StreamView{
      .stream = stream(), .window = 10min, .counts = {{"bounced", 3}}, .last_at = kNow}};
}

Result<std::vector<detect::DetectorView>> FakeDesk::explain(const Stream& about) {
  if (const auto up = remember("explain " + about.text()); !up) return fail(up.error());
  detect::DetectorView view;
  view.detector = "unknown users";
  view.stream = about;
  view.window = 10min;
  view.value = std::numeric_limits<double>::quiet_NaN();
  view.because = {std::string(kHostile)};
  view.counts = {{"bounced", 3}};
  return std::vector{view};
}

Result<std::vector<Incident>> FakeDesk::incidents(bool open_only, size_t limit) {
  const auto up = remember(fmt::format("incidents {} {}", open_only ? "open" : "all", limit));
  if (!up) return fail(up.error());
  return std::vector{incident_of(kIncident)};
}

Result<investigate::IncidentView> FakeDesk::incident(IncidentId id) {
  if (const auto up = remember("incident " + text_of(id)); !up) return fail(up.error());
  if (id != kIncident) return fail(unknown(text_of(id)));
  return investigate::IncidentView{incident_of(id), {decision_view_of(kDecision)}};
}

Result<std::vector<investigate::DecisionView>> FakeDesk::decisions(bool all, size_t limit) {
  const auto up = remember(fmt::format("decisions {} {}", all ? "all" : "active", limit));
  if (!up) return fail(up.error());
  return std::vector{decision_view_of(kDecision)};
}

Result<std::vector<ShadowDecision>> FakeDesk::shadow_decisions(size_t limit) {
  if (const auto up = remember(fmt::format("shadow {}", limit)); !up) return fail(up.error());
  return std::vector{ShadowDecision{
      kNow, "complaints", stream(), {.kind = MeasureKind::hold, .span = 2h}, "because"}};
}

Result<std::vector<Notice>> FakeDesk::notices(size_t limit) {
  if (const auto up = remember(fmt::format("notices {}", limit)); !up) return fail(up.error());
  Notice notice;
  notice.number = 1;
  notice.incident = kIncident;
  notice.target = "abuse-desk";
  notice.at = kNow;
  notice.subject = kHostile;
  return std::vector{notice};
}

Result<std::vector<AuditEntry>> FakeDesk::audit(size_t limit) {
  if (const auto up = remember(fmt::format("audit {}", limit)); !up) return fail(up.error());
  return std::vector{AuditEntry{kNow, "watchpost", "decision made", "d-17", ""}};
}

Result<uint64_t> FakeDesk::verify_audit() {
  if (const auto up = remember("verify"); !up) return fail(up.error());
  return uint64_t{1};
}

Result<Incident> FakeDesk::confirm(IncidentId id, Verdict verdict, std::string_view who,
                                   std::string_view why) {
  const auto up =
      remember(fmt::format("confirm {} {} {}: {}", text_of(id), name_of(verdict), who, why));
  if (!up) return fail(up.error());
  if (id != kIncident) return fail(unknown(text_of(id)));
  return incident_of(id);
}

Result<Incident> FakeDesk::false_positive(IncidentId id, std::string_view who,
                                          std::string_view why) {
  const auto up = remember(fmt::format("false_positive {} {}: {}", text_of(id), who, why));
  if (!up) return fail(up.error());
  return incident_of(id);
}

Result<Incident> FakeDesk::note(IncidentId id, std::string_view who, std::string_view text) {
  const auto up = remember(fmt::format("note {} {}: {}", text_of(id), who, text));
  if (!up) return fail(up.error());
  return incident_of(id);
}

Result<Decision> FakeDesk::revoke(DecisionId id, std::string_view who, std::string_view why) {
  const auto up = remember(fmt::format("revoke {} {}: {}", text_of(id), who, why));
  if (!up) return fail(up.error());
  if (id != kDecision) return fail(Code::refused, "it has ended already", text_of(id));
  return decision_of(id);
}

Result<Decision> FakeDesk::impose(Stream scope, Measure measure, std::string_view who,
                                  std::string_view why) {
  const auto up =
      remember(fmt::format("impose {} on {} {}: {}", measure.text(), scope.text(), who, why));
  if (!up) return fail(up.error());
  Decision made = decision_of(kDecision);
  made.scope = std::move(scope);
  made.measure = std::move(measure);
  return made;
}

Result<std::vector<Decision>> FakeDesk::release(const Stream& scope, std::string_view who,
                                                std::string_view why) {
  const auto up = remember(fmt::format("release {} {}: {}", scope.text(), who, why));
  if (!up) return fail(up.error());
  return std::vector{decision_of(kDecision)};
}

Result<investigate::SuppressionPage> FakeDesk::suppressions(
    const investigate::SuppressionSearch& search) {
  const auto up = remember(fmt::format("suppressions {} of {} because {}", search.recipient,
                                       search.customer.value_or("all"), search.reason));
  if (!up) return fail(up.error());
  return investigate::SuppressionPage{{suppression_of("a@x.example", "")},
                                      "17",
                                      {suppression_of("a@x.example", std::string(kHostile))}};
}

Result<std::vector<Suppression>> FakeDesk::suppression_changes(uint64_t after, size_t limit) {
  const auto up = remember(fmt::format("changes after {}, {}", after, limit));
  if (!up) return fail(up.error());
  if (after >= 17) return std::vector<Suppression>{};
  return std::vector{suppression_of("a@x.example", std::string(kHostile))};
}

Result<Suppression> FakeDesk::suppress(const Suppression& wanted, std::string_view who) {
  const auto up = remember(fmt::format("suppress {} for {} because {} {}: {}", wanted.recipient,
                                       wanted.customer, name_of(wanted.reason), who, wanted.note));
  if (!up) return fail(up.error());
  Suppression made = suppression_of(wanted.recipient, wanted.customer);
  made.until = wanted.until;
  return made;
}

Result<std::vector<Suppression>> FakeDesk::lift(const investigate::SuppressionLift& wanted,
                                                std::string_view who) {
  const auto up = remember(fmt::format("lift {} for {} because {} {}: {}", wanted.recipient,
                                       wanted.customer, wanted.reason, who, wanted.why));
  if (!up) return fail(up.error());
  Suppression made = suppression_of(wanted.recipient, wanted.customer);
  made.lifted = true;
  made.lifted_by = who;
  made.lifted_note = kHostile;
  return std::vector{made};
}

Result<investigate::ImportReceipt> FakeDesk::import_suppressions(
    std::string_view csv, const investigate::ImportOptions& options, std::string_view who) {
  const auto up = remember(fmt::format("import {}{} for {} because {} {}: {}{}", csv,
                                       options.dry_run ? " dry of " + options.csv.columns : "",
                                       options.csv.customer, name_of(options.csv.reason), who,
                                       options.from, options.again ? ", again" : ""));
  if (!up) return fail(up.error());
  return investigate::ImportReceipt{.taken = 3,
                                    .unchanged = 2,
                                    .left_lifted = 4,
                                    .bad = 1,
                                    .faults = {{4, "`x` is not an address"}},
                                    .columns = "recipient",
                                    .first = {suppression_of("a@x.example", "")}};
}

Result<std::vector<investigate::FoundVerdict>> FakeDesk::verdicts(
    const investigate::VerdictSearch& search) {
  const auto up =
      remember(fmt::format("verdicts {} {} {} {} {}", search.queue_id, search.message_id,
                           search.sender, search.recipient, search.limit));
  if (!up) return fail(up.error());
  return std::vector<investigate::FoundVerdict>{
      {.kept = {{1, 2}, kNow, "4F2A", "<1@x.example>", R"({"v":1,"decided":"tag","took_ms":0.3})"},
       .correction = {{kNow + 1h, "token ops", std::string(kHostile)}}},
      {.kept = {{1, 3}, kNow, "4F2A", std::string(kHostile), "not JSON"}, .correction = {}}};
}

Result<relate::Reputed> FakeDesk::reputation(relate::Party party, std::string_view name) {
  const auto up = remember(fmt::format("reputation {} {}", relate::name_of(party), name));
  if (!up) return fail(up.error());
  if (name == "nobody.example") return relate::Reputed{party, std::string(name), {}};
  return relate::Reputed{party, std::string(name), {{8, 1, 2, 0, 0}, kNow - 24h, kNow}};
}

Result<std::vector<relate::Reputed>> FakeDesk::worst_reputations(size_t most) {
  if (const auto up = remember(fmt::format("worst {}", most)); !up) return fail(up.error());
  return std::vector<relate::Reputed>{
      {relate::Party::domain, std::string(kHostile), {{0, 0, 5, 0, 0}, kNow, kNow}}};
}

Result<Done> FakeDesk::forget_reputation(relate::Party party, std::string_view name,
                                         std::string_view who, std::string_view why) {
  return remember(fmt::format("forget {} {} {}: {}", relate::name_of(party), name, who, why));
}

Result<Done> FakeDesk::set_automation(bool on, std::string_view who, std::string_view why) {
  return remember(fmt::format("automation {} {}: {}", on ? "on" : "off", who, why));
}

Result<Done> FakeDesk::reload(std::string_view who) {
  return remember(fmt::format("reload {}", who));
}

}  // namespace watchpost::api
