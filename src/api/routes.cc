#include "api/routes.h"

#include "api/acting_routes.h"
#include "api/border_routes.h"
#include "api/json_views.h"
#include "api/quarantine_routes.h"
#include "api/reading_routes.h"
#include "api/report_routes.h"
#include "api/suppression_routes.h"
#include "api/unsubscribe_routes.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

// A function that gives JSON, as a route's function.
template <Result<std::string> (*Function)(const Call&)>
void json(const Call& call, const Respond& respond) {
  auto body = Function(call);
  respond(body ? net::HttpResponse{.body = std::move(*body)} : response_to(body.error()));
}

constexpr auto kView = Role::viewer;
constexpr auto kRespond = Role::responder;
constexpr bool kReadsMail = true;

constexpr std::array kRoutes{
    Route{"GET", "/health", std::nullopt, Lane::health, get_health},
    Route{"GET", "/metrics", kView, Lane::ask, get_metrics},
    Route{"GET", "/v1/status", kView, Lane::ask, json<get_status>},
    Route{"GET", "/v1/sources", kView, Lane::ask, json<get_sources>},
    Route{"GET", "/v1/events", kView, Lane::ask, json<get_events>},
    Route{"POST", "/v1/events", Role::sender, Lane::push, post_events},
    Route{"POST", "/v1/kumomta", Role::sender, Lane::push, post_kumomta},
    Route{"GET", "/u/{id}", std::nullopt, Lane::push, get_unsubscribe},
    Route{"POST", "/u/{id}", std::nullopt, Lane::push, post_unsubscribe},
    Route{"GET", "/v1/streams", kView, Lane::ask, json<get_streams>},
    Route{"GET", "/v1/explain", kView, Lane::ask, json<get_explain>},
    Route{"GET", "/v1/incidents", kView, Lane::ask, json<get_incidents>},
    Route{"GET", "/v1/incidents/{id}", kView, Lane::ask, json<get_incident>},
    Route{"POST", "/v1/incidents/{id}/confirm", kRespond, Lane::ask, json<post_confirm>},
    Route{"POST", "/v1/incidents/{id}/false-positive", kRespond, Lane::ask,
          json<post_false_positive>},
    Route{"POST", "/v1/incidents/{id}/note", kRespond, Lane::ask, json<post_note>},
    Route{"GET", "/v1/decisions", kView, Lane::ask, json<get_decisions>},
    Route{"POST", "/v1/decisions/{id}/revoke", kRespond, Lane::ask, json<post_revoke>},
    Route{"POST", "/v1/measures", kRespond, Lane::ask, json<post_measure>},
    Route{"POST", "/v1/release", kRespond, Lane::ask, json<post_release>},
    Route{"GET", "/v1/shadow-decisions", kView, Lane::ask, json<get_shadow_decisions>},
    Route{"GET", "/v1/suppressions", kView, Lane::ask, json<get_suppressions>},
    Route{"POST", "/v1/suppressions", kRespond, Lane::ask, json<post_suppression>},
    Route{"GET", "/v1/suppressions/changes", kView, Lane::ask, json<get_suppression_changes>},
    Route{"POST", "/v1/suppressions/lift", kRespond, Lane::ask, json<post_suppression_lift>},
    Route{"POST", "/v1/suppressions/import", kRespond, Lane::ask, json<post_suppression_import>},
    Route{"GET", "/v1/notices", kView, Lane::ask, json<get_notices>},
    Route{"GET", "/v1/audit", kView, Lane::ask, json<get_audit>},
    Route{"GET", "/v1/audit/verify", kView, Lane::ask, json<get_audit_verify>},
    Route{"GET", "/v1/campaigns", kView, Lane::ask, json<get_campaigns>},
    Route{"GET", "/v1/campaigns/report", kView, Lane::ask, json<get_campaign_report>},
    Route{"GET", "/v1/feedback", kView, Lane::ask, json<get_feedback>},
    Route{"GET", "/v1/feedback/unread", kView, Lane::ask, json<get_unread>},
    Route{"GET", "/v1/feedback/unread/{id}", kView, Lane::ask, json<get_unread_one>},
    Route{"GET", "/v1/verdicts", kView, Lane::ask, json<get_verdicts>},
    Route{"GET", "/v1/reputation", kView, Lane::ask, json<get_reputation>},
    Route{"POST", "/v1/reputation/forget", kRespond, Lane::ask, json<post_reputation_forget>},
    Route{"GET", "/v1/quarantine", kView, Lane::ask, json<get_quarantine>},
    Route{"GET", "/v1/quarantine/usage", kView, Lane::ask, json<get_quarantine_usage>},
    Route{"GET", "/v1/quarantine/exceptions", kView, Lane::ask, json<get_exceptions>},
    Route{"POST", "/v1/quarantine/exceptions/end", kRespond, Lane::ask, json<post_exception_end>},
    Route{"GET", "/v1/quarantine/request", std::nullopt, Lane::push, get_release_request},
    Route{"POST", "/v1/quarantine/request", std::nullopt, Lane::push, post_release_request},
    Route{"POST", "/v1/quarantine/release", kRespond, Lane::ask, json<post_found_release>},
    Route{"POST", "/v1/quarantine/hold-again", kRespond, Lane::ask, json<post_found_hold_again>},
    Route{"POST", "/v1/quarantine/discard", kRespond, Lane::ask, json<post_found_discard>},
    Route{"POST", "/v1/quarantine/erase", kRespond, Lane::ask, json<post_erase>},
    Route{"POST", "/v1/quarantine/rekey", kRespond, Lane::ask, json<post_rekey>},
    Route{"GET", "/v1/quarantine/{id}", kView, Lane::ask, json<get_held>},
    Route{"GET", "/v1/quarantine/{id}/view", kView, Lane::ask, json<get_held_view>, kReadsMail},
    Route{"GET", "/v1/quarantine/{id}/eml", kView, Lane::ask, get_held_bytes, kReadsMail},
    Route{"POST", "/v1/quarantine/{id}/release", kRespond, Lane::ask, json<post_held_release>},
    Route{"POST", "/v1/quarantine/{id}/discard", kRespond, Lane::ask, json<post_held_discard>},
    Route{"POST", "/v1/quarantine/{id}/extend", kRespond, Lane::ask, json<post_held_extend>},
    Route{"POST", "/v1/quarantine/{id}/settle", kRespond, Lane::ask, json<post_held_settle>},
    Route{"POST", "/v1/automation", kRespond, Lane::ask, json<post_automation>},
    Route{"POST", "/v1/reload", kRespond, Lane::ask, json<post_reload>},
};

// Whether the path is one of the pattern; `id` is then what stands for {id}.
bool fits(std::string_view pattern, std::string_view path, std::string_view& id) {
  const size_t brace = pattern.find("{id}");
  if (brace == std::string_view::npos) return pattern == path;
  const std::string_view before = pattern.substr(0, brace);
  const std::string_view after = pattern.substr(brace + 4);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after)) {
    return false;
  }
  const std::string_view found =
      path.substr(before.size(), path.size() - before.size() - after.size());
  if (found.find('/') != std::string_view::npos) return false;
  id = found;
  return true;
}

int status_of(Code code) {
  switch (code) {
    case Code::bad_input: return 400;
    case Code::not_found: return 404;
    case Code::refused: return 409;
    case Code::unavailable:
    case Code::exhausted: return 503;
    case Code::timed_out: return 504;
    case Code::corrupt:
    case Code::internal: return 500;
  }
  return 500;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

std::expected<Match, net::HttpResponse> find_route(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  std::string allowed;
  std::vector<std::string_view> known;
  for (const Route& route : kRoutes) {
    known.push_back(route.path);
    std::string_view id;
    if (!fits(route.path, path, id)) continue;
    if (route.method == method) return Match{&route, id};
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) {
    return std::unexpected(response_to(
        Error{Code::not_found, fmt::format("there is nothing here{}", suggestion(path, known)),
              escaped(path, 100)}));
  }
  net::HttpResponse response = response_to(
      Error{Code::bad_input, "this path takes only " + allowed, escaped(path, 100)}, 405);
  response.headers.emplace_back("Allow", allowed);
  return std::unexpected(std::move(response));
}

net::HttpResponse response_to(const Error& error, int status) {
  net::HttpResponse response{.status = status, .body = error_json(error)};
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

net::HttpResponse response_to(const Error& error) {
  return response_to(error, status_of(error.code));
}

net::HttpResponse busy(std::string what) {
  return response_to(Error{Code::unavailable, std::move(what), {}});
}

}  // namespace watchpost::api
