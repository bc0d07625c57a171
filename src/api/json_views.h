#pragma once
#include "ingest/intake.h"
#include "investigate/desk.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::api {

// What the desk knows as JSON texts, by the names of docs/reference/openapi.json. Times are RFC
// 3339, durations as in the configuration ("10m"), ids "d-17" and "i-4", streams and measures as
// they are written in the configuration. What is not known is null. Bytes that are not UTF-8 come
// out as U+FFFD. Pure.
std::string status_json(const investigate::StatusView& status);
// Events are being stored and every source is healthy.
bool is_healthy(const investigate::StatusView& status);
std::string health_json(const investigate::StatusView& status);
std::string sources_json(const std::vector<investigate::SourceView>& sources);
std::string events_json(const store::EventPage& page);
std::string streams_json(const std::vector<detect::StreamView>& streams);
std::string explain_json(const Stream& stream, const std::vector<detect::DetectorView>& detectors);
std::string incidents_json(const std::vector<Incident>& incidents);
std::string incident_json(const investigate::IncidentView& view);
std::string incident_json(const Incident& incident);
std::string decisions_json(const std::vector<investigate::DecisionView>& decisions);
std::string decisions_json(const std::vector<Decision>& decisions);
std::string decision_json(const Decision& decision);
std::string shadow_decisions_json(const std::vector<ShadowDecision>& decisions);
std::string notices_json(const std::vector<Notice>& notices);
std::string audit_json(const std::vector<AuditEntry>& entries);
std::string audit_rows_json(uint64_t rows);
std::string automation_json(bool on);
std::string reloaded_json();
std::string receipt_json(const ingest::IntakeReceipt& receipt);
std::string error_json(const Error& error);

}  // namespace watchpost::api
