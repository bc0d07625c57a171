#include "api/quarantine_routes.h"

#include "api/held_search.h"
#include "api/json_text.h"
#include "api/quarantine_views.h"
#include "api/request_body.h"
#include "api/request_query.h"
#include "base/text.h"
#include "suppress/until.h"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace watchpost::api {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using investigate::QuarantineDesk;

Result<QuarantineDesk*> desk_of(const Call& call) {
  QuarantineDesk* const desk = call.services.desk.quarantine();
  if (desk != nullptr) return desk;
  return fail(Code::refused, "no mail is held here: the configuration has no [quarantine]");
}

Result<quarantine::HeldId> id_of(const Call& call) {
  const quarantine::HeldId id = hash128_from_hex(call.id);
  if (id) return id;
  return fail(Code::bad_input, "this is not the id of held mail: 32 hex digits", "id");
}

// The body, where the query is empty.
Result<RequestBody> body_of(const Call& call, const std::vector<std::string_view>& keys) {
  const auto allowed = RequestQuery(call.request).allow_only({});
  if (!allowed) return fail(allowed.error());
  return RequestBody::parse(call.request.body, keys);
}

// What an act on one message is told: which, what else, and why.
struct OneAct {
  QuarantineDesk* desk = nullptr;
  quarantine::HeldId id;
  RequestBody body;
  std::string why;
};
Result<OneAct> one_act(const Call& call, std::initializer_list<std::string_view> keys) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto id = id_of(call);
  if (!id) return fail(id.error());
  std::vector<std::string_view> all(keys);
  all.push_back("why");
  auto body = body_of(call, all);
  if (!body) return fail(body.error());
  auto why = body->text("why");
  if (!why) return fail(why.error());
  return OneAct{*desk, *id, std::move(*body), std::move(*why)};
}

// What an act on all that is found is told.
struct FoundAct {
  QuarantineDesk* desk = nullptr;
  quarantine::HeldSearch search;
  bool paced = false;
  std::string why;
};
Result<FoundAct> found_act(const Call& call, bool takes_paced) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  std::vector<std::string_view> keys(kHeldKeys.begin(), kHeldKeys.end());
  keys.push_back("why");
  if (takes_paced) keys.push_back("paced");
  const auto body = body_of(call, keys);
  if (!body) return fail(body.error());
  auto search = held_search(*body, call.now);
  if (!search) return fail(search.error());
  auto why = body->required_text("why");
  if (!why) return fail(why.error());
  const auto paced = body->flag("paced");
  if (!paced) return fail(paced.error());
  return FoundAct{*desk, std::move(*search), *paced, std::move(*why)};
}

Result<std::string> shown(const Result<size_t>& copies) {
  if (!copies) return fail(copies.error());
  return text_of(object{{"copies", *copies}});
}

Result<std::string> shown(const Result<Done>& done, std::string_view key) {
  if (!done) return fail(done.error());
  return text_of(object{{key, true}});
}

}  // namespace

// --- looking -------------------------------------------------------------------------------------

Result<std::string> get_quarantine(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const RequestQuery query(call.request);
  std::vector<std::string_view> names(kHeldKeys.begin(), kHeldKeys.end());
  names.insert(names.end(), {"state", "all", "limit", "after"});
  if (const auto allowed = query.allow_only(names); !allowed) return fail(allowed.error());
  auto search = held_search(query, call.now);
  if (!search) return fail(search.error());
  if (const std::string_view state = query.text("state"); !state.empty()) {
    search->state = quarantine::copy_state_from(state);
    if (!search->state) return fail(Code::bad_input, "this is not the state of a copy", "state");
  }
  const auto all = query.flag("all");
  if (!all) return fail(all.error());
  search->all = *all;
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  search->limit = *limit;
  search->after = query.text("after");
  const auto page = (*desk)->list(*search);
  if (!page) return fail(page.error());
  array held;
  for (const quarantine::HeldMessage& one : page->messages) held.push_back(view(one));
  return text_of(object{{"held", std::move(held)}, {"next", or_null(page->next)}});
}

Result<std::string> get_quarantine_usage(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto usage = (*desk)->usage();
  if (!usage) return fail(usage.error());
  return text_of(object{{"usage", view(*usage)}});
}

Result<std::string> get_held(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto id = id_of(call);
  if (!id) return fail(id.error());
  const auto message = (*desk)->find(*id);
  if (!message) return fail(message.error());
  return text_of(object{{"held", view(*message)}});
}

Result<std::string> get_held_view(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto id = id_of(call);
  if (!id) return fail(id.error());
  const auto message = (*desk)->find(*id);
  if (!message) return fail(message.error());
  const auto seen = (*desk)->view(*id, call.who);
  if (!seen) return fail(seen.error());
  return text_of(object{{"held", view(*message)}, {"view", view(*seen)}});
}

void get_held_bytes(const Call& call, const Respond& respond) {
  const auto desk = desk_of(call);
  if (!desk) return respond(response_to(desk.error()));
  const auto id = id_of(call);
  if (!id) return respond(response_to(id.error()));
  auto bytes = (*desk)->bytes(*id, call.who);
  if (!bytes) return respond(response_to(bytes.error()));
  net::HttpResponse response{.content_type = "message/rfc822", .body = std::move(*bytes)};
  // A browser is to keep it, not to show it.
  response.headers = {
      {"Content-Disposition", fmt::format("attachment; filename=\"{}.eml\"", to_hex(*id))},
      {"Content-Security-Policy", "default-src 'none'; sandbox"}};
  respond(std::move(response));
}

// --- acts on one message -------------------------------------------------------------------------

Result<std::string> post_held_release(const Call& call) {
  const auto act = one_act(call, {"recipients", "accept_like", "wrong"});
  if (!act) return fail(act.error());
  auto recipients = act->body.texts("recipients");
  if (!recipients) return fail(recipients.error());
  const auto accept_like = act->body.flag("accept_like");
  if (!accept_like) return fail(accept_like.error());
  const auto wrong = act->body.flag("wrong");
  if (!wrong) return fail(wrong.error());
  const auto receipt = act->desk->release(act->id,
                                          {.recipients = std::move(*recipients),
                                           .why = act->why,
                                           .accept_like = *accept_like,
                                           .wrong = *wrong},
                                          call.who);
  if (!receipt) return fail(receipt.error());
  return text_of(view(*receipt));
}

Result<std::string> post_held_discard(const Call& call) {
  const auto act = one_act(call, {"recipients"});
  if (!act) return fail(act.error());
  const auto recipients = act->body.texts("recipients");
  if (!recipients) return fail(recipients.error());
  return shown(act->desk->discard(act->id, *recipients, call.who, act->why));
}

Result<std::string> post_held_extend(const Call& call) {
  const auto act = one_act(call, {"until"});
  if (!act) return fail(act.error());
  const auto text = act->body.required_text("until");
  if (!text) return fail(text.error());
  const auto until = suppress::until_from(*text, call.now);
  if (!until || !*until) {
    return fail(Code::bad_input, "this is neither a time nor a span (30d)", "until");
  }
  return shown(act->desk->extend(act->id, **until, call.who, act->why), "extended");
}

Result<std::string> post_held_settle(const Call& call) {
  const auto act = one_act(call, {"arrived"});
  if (!act) return fail(act.error());
  const auto arrived = act->body.required_flag("arrived");
  if (!arrived) return fail(arrived.error());
  return shown(act->desk->settle(act->id, *arrived, call.who, act->why));
}

// --- acts on all that is found -------------------------------------------------------------------

Result<std::string> post_found_release(const Call& call) {
  const auto act = found_act(call, true);
  if (!act) return fail(act.error());
  return shown(act->desk->release_found(act->search, act->paced, call.who, act->why));
}

Result<std::string> post_found_hold_again(const Call& call) {
  const auto act = found_act(call, false);
  if (!act) return fail(act.error());
  return shown(act->desk->hold_again(act->search, call.who, act->why));
}

Result<std::string> post_found_discard(const Call& call) {
  const auto act = found_act(call, false);
  if (!act) return fail(act.error());
  return shown(act->desk->discard_found(act->search, call.who, act->why));
}

Result<std::string> post_erase(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto body = body_of(call, {"address", "why"});
  if (!body) return fail(body.error());
  const auto address = body->required_text("address");
  if (!address) return fail(address.error());
  const auto why = body->required_text("why");
  if (!why) return fail(why.error());
  return shown((*desk)->erase_person(*address, call.who, *why));
}

Result<std::string> post_rekey(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  if (const auto body = body_of(call, {}); !body) return fail(body.error());
  const auto files = (*desk)->rekey(call.who);
  if (!files) return fail(files.error());
  return text_of(object{{"files", *files}});
}

// --- exceptions ----------------------------------------------------------------------------------

Result<std::string> get_exceptions(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  if (const auto fine = RequestQuery(call.request).allow_only({}); !fine) return fail(fine.error());
  const auto all = (*desk)->exceptions();
  if (!all) return fail(all.error());
  array out;
  for (const quarantine::Exception& one : *all) out.push_back(view(one));
  return text_of(object{{"exceptions", std::move(out)}});
}

Result<std::string> post_exception_end(const Call& call) {
  const auto desk = desk_of(call);
  if (!desk) return fail(desk.error());
  const auto body = body_of(call, {"name", "why"});
  if (!body) return fail(body.error());
  const auto name = body->required_text("name");
  if (!name) return fail(name.error());
  const auto why = body->text("why");
  if (!why) return fail(why.error());
  return shown((*desk)->end_exception(*name, call.who, *why), "ended");
}

}  // namespace watchpost::api
