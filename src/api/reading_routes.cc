#include "api/reading_routes.h"

#include "api/json_views.h"
#include "api/request_query.h"

#include <array>
#include <utility>

namespace watchpost::api {
namespace {

// Lists that take nothing but `limit`.
Result<size_t> only_limit(const Call& call) {
  static constexpr std::array<std::string_view, 1> kNames{"limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  return query.limit();
}

// Lists that take `all` and `limit`.
struct Listing {
  bool all = false;
  size_t limit = 0;
};
Result<Listing> all_and_limit(const Call& call) {
  static constexpr std::array<std::string_view, 2> kNames{"all", "limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto all = query.flag("all");
  if (!all) return fail(all.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  return Listing{*all, *limit};
}

Result<Done> no_query(const Call& call) { return RequestQuery(call.request).allow_only({}); }

// What the desk gave as JSON, or its error.
template <class T>
Result<std::string> shown(const Result<T>& found, std::string (*json)(const T&)) {
  if (!found) return fail(found.error());
  return json(*found);
}

}  // namespace

Result<std::string> get_status(const Call& call) {
  if (const auto allowed = no_query(call); !allowed) return fail(allowed.error());
  return shown(call.services.desk.status(), status_json);
}

Result<std::string> get_sources(const Call& call) {
  if (const auto allowed = no_query(call); !allowed) return fail(allowed.error());
  const auto status = call.services.desk.status();
  if (!status) return fail(status.error());
  return sources_json(status->sources);
}

Result<std::string> get_events(const Call& call) {
  const auto search = event_search(call.request, call.now);
  if (!search) return fail(search.error());
  return shown(call.services.desk.events(*search), events_json);
}

Result<std::string> get_streams(const Call& call) {
  static constexpr std::array<std::string_view, 2> kNames{"dimensions", "limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  return shown(call.services.desk.streams(query.text("dimensions"), *limit), streams_json);
}

Result<std::string> get_explain(const Call& call) {
  static constexpr std::array<std::string_view, 1> kNames{"stream"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto stream = parse_stream(query.text("stream"));
  if (!stream) return fail(Code::bad_input, stream.error().what, "stream");
  const auto detectors = call.services.desk.explain(*stream);
  if (!detectors) return fail(detectors.error());
  return explain_json(*stream, *detectors);
}

Result<std::string> get_incidents(const Call& call) {
  const auto listing = all_and_limit(call);
  if (!listing) return fail(listing.error());
  return shown(call.services.desk.incidents(!listing->all, listing->limit), incidents_json);
}

Result<std::string> get_incident(const Call& call) {
  if (const auto allowed = no_query(call); !allowed) return fail(allowed.error());
  const auto id = incident_id_from(call.id);
  if (!id) return fail(Code::bad_input, "this is not the id of an incident (i-4)", "id");
  return shown<investigate::IncidentView>(call.services.desk.incident(*id), incident_json);
}

Result<std::string> get_decisions(const Call& call) {
  const auto listing = all_and_limit(call);
  if (!listing) return fail(listing.error());
  return shown<std::vector<investigate::DecisionView>>(
      call.services.desk.decisions(listing->all, listing->limit), decisions_json);
}

Result<std::string> get_shadow_decisions(const Call& call) {
  const auto limit = only_limit(call);
  if (!limit) return fail(limit.error());
  return shown(call.services.desk.shadow_decisions(*limit), shadow_decisions_json);
}

Result<std::string> get_notices(const Call& call) {
  const auto limit = only_limit(call);
  if (!limit) return fail(limit.error());
  return shown(call.services.desk.notices(*limit), notices_json);
}

Result<std::string> get_audit(const Call& call) {
  const auto limit = only_limit(call);
  if (!limit) return fail(limit.error());
  return shown(call.services.desk.audit(*limit), audit_json);
}

Result<std::string> get_audit_verify(const Call& call) {
  if (const auto allowed = no_query(call); !allowed) return fail(allowed.error());
  const auto rows = call.services.desk.verify_audit();
  if (!rows) return fail(rows.error());
  return audit_rows_json(*rows);
}

void get_metrics(const Call& call, const Respond& respond) {
  respond({.content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
           .body = call.services.metrics.text()});
}

void get_health(const Call& call, const Respond& respond) {
  const auto status = call.services.desk.status();
  if (!status) {
    respond({.status = 503,
             .body = R"({"healthy":false,"storing":false,"unhealthy_sources":0,)"
                     R"("degraded":false,"failing_enforcers":0})"});
    return;
  }
  respond({.status = is_healthy(*status) ? 200 : 503, .body = health_json(*status)});
}

}  // namespace watchpost::api
