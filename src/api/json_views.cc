#include "api/json_views.h"

#include "api/json_text.h"
#include "api/quarantine_views.h"
#include "base/text.h"
#include "feedback/formats/event_json.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace watchpost::api {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// --- single values ---------------------------------------------------------------------------

using api::of;
value of(Duration span) { return of(format_duration(span)); }
value of(const Stream& stream) { return of(stream.text()); }
value of(const Measure& measure) { return of(measure.text()); }
value of(IncidentId id) { return id ? of(text_of(id)) : value(nullptr); }
value of(DecisionId id) { return of(text_of(id)); }
value of(double number) { return value(number); }

template <class T>
  requires requires(T item) { name_of(item); }
value of(T item) {
  return of(name_of(item));
}

// Every item by `one`, which takes it.
template <class List, class One>
array each(const List& list, One one) {
  array out;
  out.reserve(std::size(list));
  for (const auto& item : list) out.push_back(one(item));
  return out;
}
template <class List>
array each(const List& list) {
  return each(list, [](const auto& item) { return of(item); });
}

value of(const std::vector<std::pair<std::string, double>>& counts) {
  object out;
  for (const auto& [name, count] : counts) out[as_utf8(name)] = of(count);
  return out;
}

// --- the model -------------------------------------------------------------------------------

value view(const Share& share) {
  return object{{"dimension", of(share.dimension)},
                {"value", of(share.value)},
                {"count", share.count},
                {"of", share.of}};
}

value view(const Signal& signal) {
  return object{{"at", of(signal.at)},
                {"detector", of(signal.detector)},
                // Hexadecimal text: a 64-bit number would lose digits in JavaScript.
                {"detector_version", of(fmt::format("{:016x}", signal.detector_version))},
                {"mode", of(signal.mode)},
                {"stream", of(signal.stream)},
                {"since", of(signal.since)},
                {"value", of(signal.value)},
                {"threshold", of(signal.threshold)},
                {"messages", signal.messages},
                {"because", of(signal.because)},
                {"counts", of(signal.counts)},
                {"then", each(signal.then)},
                {"escalate", signal.escalate},
                {"suggests", of(signal.suggests)},
                {"shares", each(signal.shares, [](const Share& one) { return view(one); })}};
}

// Sample events are kept as JSON texts. One that cannot be read is shown as the text it is.
value view_of_sample(const std::string& text) {
  boost::system::error_code error;
  value parsed = boost::json::parse(as_utf8(text), error);
  return error ? of(text) : parsed;
}

array lines_of(std::string_view text) { return text.empty() ? array() : each(split(text, '\n')); }

value view(const Evidence& evidence) {
  return object{{"signal", view(evidence.signal)},
                {"sample_events", each(evidence.sample_events, view_of_sample)}};
}

value view(const TimelineEntry& entry) {
  return object{{"at", of(entry.at)}, {"who", of(entry.who)}, {"what", of(entry.what)}};
}

value view(const Incident& incident) {
  return object{
      {"id", of(incident.id)},
      {"state", of(incident.state)},
      {"subject", of(incident.subject)},
      {"title", of(incident.title)},
      {"opened_at", of(incident.opened_at)},
      {"updated_at", of(incident.updated_at)},
      {"verdict", of(incident.verdict)},
      {"suggested", of(incident.suggested)},
      {"suggested_because", lines_of(incident.suggested_because)},
      {"evidence", each(incident.evidence, [](const Evidence& one) { return view(one); })},
      {"timeline", each(incident.timeline, [](const TimelineEntry& one) { return view(one); })},
      {"decisions", each(incident.decisions)}};
}

value view(const Decision& decision) {
  return object{{"id", of(decision.id)},
                {"incident", of(decision.incident)},
                {"state", of(decision.state)},
                {"scope", of(decision.scope)},
                {"measure", of(decision.measure)},
                {"from", of(decision.from)},
                {"until", of(decision.until)},
                {"detector", of(decision.detector)},
                {"made_by", of(decision.made_by)},
                {"because", of(decision.because)},
                {"episode", of(decision.episode)},
                {"ended_by", of(decision.ended_by)},
                {"ended_why", of(decision.ended_why)},
                {"ended_at", of(decision.ended_at)}};
}

value view(const store::Enforcement& enforcement) {
  return object{{"enforcer", of(enforcement.enforcer)}, {"wanted", of(enforcement.wanted)},
                {"actual", of(enforcement.actual)},     {"attempts", enforcement.attempts},
                {"next_try", of(enforcement.next_try)}, {"changed_at", of(enforcement.changed_at)},
                {"error", of(enforcement.error)}};
}

value view(const investigate::DecisionView& shown) {
  value out = view(shown.decision);
  out.as_object()["enforcements"] =
      each(shown.enforcements, [](const store::Enforcement& one) { return view(one); });
  return out;
}

value view(const ShadowDecision& decision) {
  return object{{"at", of(decision.at)},
                {"detector", of(decision.detector)},
                {"scope", of(decision.scope)},
                {"measure", of(decision.measure)},
                {"because", of(decision.because)}};
}

value view(const Notice& notice) {
  return object{{"number", notice.number},         {"incident", of(notice.incident)},
                {"target", of(notice.target)},     {"at", of(notice.at)},
                {"subject", of(notice.subject)},   {"text", of(notice.text)},
                {"state", of(notice.state)},       {"attempts", notice.attempts},
                {"next_try", of(notice.next_try)}, {"error", of(notice.error)}};
}

value view(const AuditEntry& entry) {
  return object{{"at", of(entry.at)},
                {"who", of(entry.who)},
                {"what", of(entry.what)},
                {"about", of(entry.about)},
                {"detail", of(entry.detail)}};
}

// --- the desk's views ------------------------------------------------------------------------

value view(const investigate::SourceView& source) {
  const ingest::SourceStatus& status = source.status;
  object unread;
  uint64_t unread_total = 0;
  for (const auto& [reason, seen] : status.unread) {
    unread_total += seen.count;
    unread[as_utf8(reason)] = object{{"count", seen.count}, {"samples", each(seen.samples)}};
  }
  return object{{"name", of(source.name)},
                {"kind", of(source.kind)},
                {"state", of(status.state)},
                {"healthy", status.healthy},
                {"lines", status.lines},
                {"events", status.events},
                {"bytes_behind", status.bytes_behind},
                {"share", status.share ? of(*status.share) : value(nullptr)},
                {"left", status.left ? of(*status.left) : value(nullptr)},
                {"counted_since", of(status.counted_since)},
                {"last_event_at", of(status.last_event_at)},
                {"unread", std::move(unread)},
                {"unread_total", unread_total}};
}

value view(const investigate::EnforcerView& enforcer) {
  return object{{"name", of(enforcer.name)},   {"state", of(enforcer.state)},
                {"applied", enforcer.applied}, {"pending", enforcer.pending},
                {"failed", enforcer.failed},   {"failing", enforcer.failing}};
}

value view(const detect::StreamView& stream) {
  return object{{"stream", of(stream.stream)}, {"window", of(stream.window)},
                {"counts", of(stream.counts)}, {"newer", of(stream.newer)},
                {"older", of(stream.older)},   {"last_at", of(stream.last_at)}};
}

value view(const detect::DetectorView& detector) {
  return object{{"detector", of(detector.detector)},   {"mode", of(detector.mode)},
                {"stream", of(detector.stream)},       {"window", of(detector.window)},
                {"when", of(detector.when)},           {"guard", of(detector.guard)},
                {"value", of(detector.value)},         {"threshold", of(detector.threshold)},
                {"guard_holds", detector.guard_holds}, {"firing", detector.firing},
                {"because", each(detector.because)},   {"counts", of(detector.counts)}};
}

// {"name": [each one's view]}
template <class List>
std::string list_json(std::string_view name, const List& list) {
  return text_of(object{{name, each(list, [](const auto& one) { return view(one); })}});
}

int64_t unhealthy_sources(const investigate::StatusView& status) {
  return std::ranges::count_if(status.sources,
                               [](const auto& source) { return !source.status.healthy; });
}

// Those that cannot do what they do without being told of decisions. Mail goes on, and a restart
// would not mend it: that is no reason to be unhealthy.
int64_t failing_enforcers(const investigate::StatusView& status) {
  return std::ranges::count_if(status.enforcers, &investigate::EnforcerView::failing);
}

}  // namespace

bool is_healthy(const investigate::StatusView& status) {
  return status.storing && unhealthy_sources(status) == 0;
}

std::string status_json(const investigate::StatusView& status) {
  return text_of(
      object{{"version", of(status.version)},
             {"started_at", of(status.started_at)},
             {"now", of(status.now)},
             {"automation", status.automation},
             {"storing", status.storing},
             {"store_error", of(status.store_error)},
             {"counting", status.counting},
             {"events", status.events},
             {"streams", status.streams},
             {"watch_bytes", status.watch_bytes},
             {"late", status.late},
             {"evicted", status.evicted},
             {"open_incidents", status.open_incidents},
             {"active_decisions", status.active_decisions},
             {"proposed_decisions", status.proposed_decisions},
             {"sources", each(status.sources, [](const auto& one) { return view(one); })},
             {"enforcers", each(status.enforcers, [](const auto& one) { return view(one); })},
             {"quarantine", status.quarantine ? view(*status.quarantine) : value(nullptr)}});
}

std::string health_json(const investigate::StatusView& status) {
  // Anybody may read this: no names, no paths.
  return text_of(object{{"healthy", is_healthy(status)},
                        {"storing", status.storing},
                        {"unhealthy_sources", unhealthy_sources(status)},
                        {"degraded", failing_enforcers(status) > 0},
                        {"failing_enforcers", failing_enforcers(status)}});
}

std::string sources_json(const std::vector<investigate::SourceView>& sources) {
  return list_json("sources", sources);
}

std::string events_json(const store::EventPage& page) {
  // Events have a writer of their own, whose texts are taken as they are.
  std::string out = R"({"events":[)";
  for (size_t i = 0; i < page.events.size(); ++i) {
    if (i != 0) out += ',';
    out += feedback::to_json(page.events.events()[i]);
  }
  return out + R"(],"next":)" + text_of(of(page.next)) + "}";
}

std::string streams_json(const std::vector<detect::StreamView>& streams) {
  return list_json("streams", streams);
}
std::string explain_json(const Stream& stream, const std::vector<detect::DetectorView>& detectors) {
  return text_of(object{{"stream", of(stream)},
                        {"detectors", each(detectors, [](const auto& one) { return view(one); })}});
}
std::string incidents_json(const std::vector<Incident>& incidents) {
  return list_json("incidents", incidents);
}
std::string incident_json(const investigate::IncidentView& shown) {
  return text_of(
      object{{"incident", view(shown.incident)},
             {"decisions", each(shown.decisions, [](const auto& one) { return view(one); })}});
}
std::string incident_json(const Incident& incident) {
  return text_of(object{{"incident", view(incident)}});
}
std::string decisions_json(const std::vector<investigate::DecisionView>& decisions) {
  return list_json("decisions", decisions);
}
std::string decisions_json(const std::vector<Decision>& decisions) {
  return list_json("decisions", decisions);
}
std::string decision_json(const Decision& decision) {
  return text_of(object{{"decision", view(decision)}});
}
std::string shadow_decisions_json(const std::vector<ShadowDecision>& decisions) {
  return list_json("shadow_decisions", decisions);
}
std::string notices_json(const std::vector<Notice>& notices) {
  return list_json("notices", notices);
}
std::string audit_json(const std::vector<AuditEntry>& entries) {
  return list_json("audit", entries);
}
std::string audit_rows_json(uint64_t rows) {
  return text_of(object{{"intact", true}, {"rows", rows}});
}
std::string automation_json(bool on) { return text_of(object{{"automation", on}}); }
std::string reloaded_json() { return text_of(object{{"reloaded", true}}); }

std::string receipt_json(const ingest::IntakeReceipt& receipt) {
  return text_of(object{{"accepted", receipt.accepted},
                        {"refused", each(receipt.refused,
                                         [](const auto& one) {
                                           return object{{"line", one.line}, {"why", of(one.why)}};
                                         })},
                        {"refused_total", receipt.refused_total}});
}

std::string error_json(const Error& error) {
  return text_of(object{{"error", object{{"code", of(name_of(error.code))},
                                         {"what", of(error.what)},
                                         {"about", of(error.about)}}}});
}

}  // namespace watchpost::api
