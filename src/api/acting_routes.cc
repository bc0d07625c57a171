#include "api/acting_routes.h"

#include "api/json_views.h"
#include "api/request_body.h"
#include "api/request_query.h"
#include "base/text.h"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::api {
namespace {

constexpr std::array<std::string_view, 4> kKumomtaNames{"customer", "campaign", "credential",
                                                        "client"};

// The body, where the query is empty.
Result<RequestBody> body_of(const Call& call, std::initializer_list<std::string_view> keys) {
  const auto allowed = RequestQuery(call.request).allow_only({});
  if (!allowed) return fail(allowed.error());
  return RequestBody::parse(call.request.body, std::vector<std::string_view>(keys));
}

Result<IncidentId> incident_of(const Call& call) {
  const auto id = incident_id_from(call.id);
  if (!id) return fail(Code::bad_input, "this is not the id of an incident (i-4)", "id");
  return *id;
}

Result<Stream> scope_of(const RequestBody& body) {
  const auto text = body.required_text("scope");
  if (!text) return fail(text.error());
  auto scope = parse_stream(*text);
  if (!scope) return fail(Code::bad_input, scope.error().what, "scope");
  return scope;
}

Result<std::string> shown(const Result<Incident>& incident) {
  if (!incident) return fail(incident.error());
  return incident_json(*incident);
}

Result<std::string> shown(const Result<Decision>& decision) {
  if (!decision) return fail(decision.error());
  return decision_json(*decision);
}

// A list of names with commas between them; what is not given stays as it is.
void take_names(const RequestQuery& query, std::string_view name, std::vector<std::string>& names) {
  const std::string_view text = query.text(name);
  if (text.empty()) return;
  names.clear();
  for (const std::string_view one : split(text, ',')) names.emplace_back(one);
}

Services::Answer answer_to(const Respond& respond) {
  return [respond](const Result<ingest::IntakeReceipt>& receipt) {
    respond(receipt ? net::HttpResponse{.body = receipt_json(*receipt)}
                    : response_to(receipt.error()));
  };
}

}  // namespace

Result<std::string> post_confirm(const Call& call) {
  const auto id = incident_of(call);
  if (!id) return fail(id.error());
  const auto body = body_of(call, {"verdict", "why"});
  if (!body) return fail(body.error());
  // Left out: the suggested one.
  const auto name = body->text("verdict");
  if (!name) return fail(name.error());
  const auto verdict = name->empty() ? Result<Verdict>(Verdict::none) : verdict_from(*name);
  if (!verdict) return fail(Code::bad_input, verdict.error().what, "verdict");
  if ((*verdict == Verdict::none && !name->empty()) || *verdict == Verdict::false_positive) {
    return fail(Code::bad_input, "this verdict does not confirm an incident", "verdict");
  }
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  return shown(call.services.desk.confirm(*id, *verdict, call.who, *why));
}

Result<std::string> post_false_positive(const Call& call) {
  const auto id = incident_of(call);
  if (!id) return fail(id.error());
  const auto body = body_of(call, {"why"});
  if (!body) return fail(body.error());
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  return shown(call.services.desk.false_positive(*id, call.who, *why));
}

Result<std::string> post_note(const Call& call) {
  const auto id = incident_of(call);
  if (!id) return fail(id.error());
  const auto body = body_of(call, {"text"});
  if (!body) return fail(body.error());
  const auto text = body->required_text("text");
  if (!text) return fail(text.error());
  return shown(call.services.desk.note(*id, call.who, *text));
}

Result<std::string> post_revoke(const Call& call) {
  const auto id = decision_id_from(call.id);
  if (!id) return fail(Code::bad_input, "this is not the id of a decision (d-17)", "id");
  const auto body = body_of(call, {"why"});
  if (!body) return fail(body.error());
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  return shown(call.services.desk.revoke(*id, call.who, *why));
}

Result<std::string> post_measure(const Call& call) {
  const auto body = body_of(call, {"scope", "measure", "why"});
  if (!body) return fail(body.error());
  auto scope = scope_of(*body);
  if (!scope) return fail(scope.error());
  const auto text = body->required_text("measure");
  if (!text) return fail(text.error());
  auto measure = parse_measure(*text);
  if (!measure) return fail(Code::bad_input, measure.error().what, "measure");
  if (measure->kind == MeasureKind::notify) {
    return fail(Code::bad_input, "`notify` is not a measure that is taken by hand", "measure");
  }
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  return shown(call.services.desk.impose(std::move(*scope), std::move(*measure), call.who, *why));
}

Result<std::string> post_release(const Call& call) {
  const auto body = body_of(call, {"scope", "why"});
  if (!body) return fail(body.error());
  const auto scope = scope_of(*body);
  if (!scope) return fail(scope.error());
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  const auto released = call.services.desk.release(*scope, call.who, *why);
  if (!released) return fail(released.error());
  return decisions_json(*released);
}

Result<std::string> post_automation(const Call& call) {
  const auto body = body_of(call, {"on", "why"});
  if (!body) return fail(body.error());
  const auto on = body->required_flag("on");
  if (!on) return fail(on.error());
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  const auto done = call.services.desk.set_automation(*on, call.who, *why);
  if (!done) return fail(done.error());
  return automation_json(*on);
}

Result<std::string> post_reload(const Call& call) {
  if (const auto body = body_of(call, {}); !body) return fail(body.error());
  const auto done = call.services.desk.reload(call.who);
  if (!done) return fail(done.error());
  return reloaded_json();
}

void post_events(const Call& call, const Respond& respond) {
  if (const auto allowed = RequestQuery(call.request).allow_only({}); !allowed) {
    respond(response_to(allowed.error()));
    return;
  }
  call.services.take_events(call.who, call.request.body, answer_to(respond));
}

void post_kumomta(const Call& call, const Respond& respond) {
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kKumomtaNames); !allowed) {
    respond(response_to(allowed.error()));
    return;
  }
  feedback::KumomtaNames names;
  take_names(query, "customer", names.customer);
  take_names(query, "campaign", names.campaign);
  take_names(query, "credential", names.credential);
  take_names(query, "client", names.client);
  call.services.take_kumomta(call.who, names, call.request.body, answer_to(respond));
}

}  // namespace watchpost::api
