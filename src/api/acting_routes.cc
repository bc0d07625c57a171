#include "api/acting_routes.h"

#include "api/json_views.h"
#include "api/request_body.h"
#include "api/request_query.h"

#include <initializer_list>
#include <utility>
#include <vector>

namespace watchpost::api {
namespace {

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

}  // namespace

Result<std::string> post_confirm(const Call& call) {
  const auto id = incident_of(call);
  if (!id) return fail(id.error());
  const auto body = body_of(call, {"verdict", "why"});
  if (!body) return fail(body.error());
  const auto name = body->required_text("verdict");
  if (!name) return fail(name.error());
  const auto verdict = verdict_from(*name);
  if (!verdict) return fail(Code::bad_input, verdict.error().what, "verdict");
  if (*verdict == Verdict::none || *verdict == Verdict::false_positive) {
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
  call.services.take_events(call.who, call.request.body,
                            [respond](const Result<ingest::IntakeReceipt>& receipt) {
                              respond(receipt ? net::HttpResponse{.body = receipt_json(*receipt)}
                                              : response_to(receipt.error()));
                            });
}

}  // namespace watchpost::api
