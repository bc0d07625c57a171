#include "api/suppression_routes.h"

#include "api/json_text.h"
#include "api/request_body.h"
#include "api/request_query.h"
#include "base/text.h"
#include "suppress/until.h"

#include <array>
#include <charconv>
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

std::string_view state_of(const Suppression& one, Time now) {
  if (one.lifted) return "lifted";
  return one.holds(now) ? "holds" : "ended";
}

object view(const Suppression& one, const Call& call) {
  return {{"recipient", of(one.recipient)},
          {"customer", or_null(one.customer)},
          {"suppressed", call.services.desk.is_suppressed(one.customer, one.recipient)},
          {"state", of(state_of(one, call.now))},
          {"reason", of(name_of(one.reason))},
          {"origin", of(one.origin)},
          {"note", of(one.note)},
          {"since", of(one.since)},
          {"until", of(one.until)},
          {"evidence", of(one.evidence)},
          {"event", one.event ? of(to_hex(one.event)) : value(nullptr)},
          {"incident", one.incident == 0 ? value(nullptr) : of(text_of(IncidentId{one.incident}))},
          {"lifted_by", or_null(one.lifted_by)},
          {"lifted_note", or_null(one.lifted_note)},
          {"changed_at", of(one.changed_at)},
          {"change", one.change},
          {"refusal_mark", of(call.services.desk.refusal_mark(one.recipient))}};
}

array views(const std::vector<Suppression>& all, const Call& call) {
  array out;
  for (const Suppression& one : all) out.push_back(view(one, call));
  return out;
}

Result<std::string> shown(const Result<Suppression>& one, const Call& call) {
  if (!one) return fail(one.error());
  return text_of(object{{"suppression", view(*one, call)}});
}

Result<RequestBody> body_of(const Call& call, std::initializer_list<std::string_view> keys) {
  if (const auto allowed = RequestQuery(call.request).allow_only({}); !allowed) {
    return fail(allowed.error());
  }
  return RequestBody::parse(call.request.body, std::vector<std::string_view>(keys));
}

Result<SuppressionReason> reason_from(std::string_view name, SuppressionReason usual) {
  if (name.empty()) return usual;
  const auto reason = suppression_reason_from(name);
  if (reason) return *reason;
  return fail(Code::bad_input, fmt::format("`{}` is no reason", escaped(name, 40)), "reason");
}

Result<uint64_t> change_from(std::string_view text) {
  uint64_t number = 0;
  if (text.empty()) return number;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return number;
  return fail(Code::bad_input, "this is not the number of a change", "after");
}

}  // namespace

Result<std::string> get_suppressions(const Call& call) {
  static constexpr std::array<std::string_view, 7> kNames{
      "recipient", "customer", "reason", "since", "all", "limit", "after"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  investigate::SuppressionSearch search;
  search.recipient = query.text("recipient");
  if (call.request.query.contains("customer")) search.customer = query.text("customer");
  search.reason = query.text("reason");
  search.after = query.text("after");
  const auto since = query.time("since", call.now);
  if (!since) return fail(since.error());
  search.since = *since;
  const auto all = query.flag("all");
  if (!all) return fail(all.error());
  search.all = *all;
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  search.limit = *limit;
  const auto page = call.services.desk.suppressions(search);
  if (!page) return fail(page.error());
  return text_of(object{{"suppressions", views(page->suppressions, call)},
                        {"next", or_null(page->next)},
                        {"history", views(page->history, call)}});
}

Result<std::string> get_suppression_changes(const Call& call) {
  static constexpr std::array<std::string_view, 3> kNames{"after", "limit", "customer"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto after = change_from(query.text("after"));
  if (!after) return fail(after.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  auto changes = call.services.desk.suppression_changes(*after, *limit);
  if (!changes) return fail(changes.error());
  // Of those that were looked at: it moves on over what is not wanted, too.
  const uint64_t last = changes->empty() ? *after : changes->back().change;
  if (const std::string_view customer = query.text("customer"); !customer.empty()) {
    std::erase_if(*changes, [customer](const Suppression& one) {
      return !one.customer.empty() && one.customer != customer;
    });
  }
  return text_of(object{{"changes", views(*changes, call)}, {"last", last}});
}

Result<std::string> post_suppression(const Call& call) {
  const auto body = body_of(call, {"recipient", "customer", "reason", "until", "note"});
  if (!body) return fail(body.error());
  Suppression wanted;
  const auto take = [&](std::string_view key, std::string& into) -> Result<Done> {
    auto text = key == "recipient" ? body->required_text(key) : body->text(key);
    if (!text) return fail(text.error());
    into = std::move(*text);
    return Done{};
  };
  std::string reason_name, until_text;
  for (const auto& [key, into] :
       {std::pair<std::string_view, std::string*>{"recipient", &wanted.recipient},
        {"customer", &wanted.customer},
        {"reason", &reason_name},
        {"until", &until_text},
        {"note", &wanted.note}}) {
    if (const auto done = take(key, *into); !done) return fail(done.error());
  }
  const auto reason = reason_from(reason_name, SuppressionReason::by_hand);
  if (!reason) return fail(reason.error());
  wanted.reason = *reason;
  const auto until = suppress::until_from(until_text, call.now);
  if (!until) return fail(until.error().code, until.error().what, "until");
  wanted.until = *until;
  return shown(call.services.desk.suppress(wanted, call.who), call);
}

Result<std::string> post_suppression_lift(const Call& call) {
  const auto body = body_of(call, {"recipient", "customer", "reason", "note"});
  if (!body) return fail(body.error());
  investigate::SuppressionLift wanted;
  for (const auto& [key, into] :
       {std::pair<std::string_view, std::string*>{"recipient", &wanted.recipient},
        {"customer", &wanted.customer},
        {"reason", &wanted.reason},
        {"note", &wanted.why}}) {
    const bool required = key == "recipient" || key == "note";
    auto text = required ? body->required_text(key) : body->text(key);
    if (!text) return fail(text.error());
    *into = std::move(*text);
  }
  const auto lifted = call.services.desk.lift(wanted, call.who);
  if (!lifted) return fail(lifted.error());
  return text_of(object{{"suppressions", views(*lifted, call)}});
}

Result<std::string> post_suppression_import(const Call& call) {
  static constexpr std::array<std::string_view, 6> kNames{"customer", "reason",  "from",
                                                          "columns",  "dry_run", "again"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto reason = reason_from(query.text("reason"), SuppressionReason::imported);
  if (!reason) return fail(reason.error());
  const auto dry_run = query.flag("dry_run");
  if (!dry_run) return fail(dry_run.error());
  const auto again = query.flag("again");
  if (!again) return fail(again.error());
  const investigate::ImportOptions options{.csv = {.customer = std::string(query.text("customer")),
                                                   .reason = *reason,
                                                   .columns = std::string(query.text("columns"))},
                                           .from = std::string(query.text("from")),
                                           .again = *again,
                                           .dry_run = *dry_run};
  const auto receipt = call.services.desk.import_suppressions(call.request.body, options, call.who);
  if (!receipt) return fail(receipt.error());
  array faults;
  for (const suppress::CsvFault& fault : receipt->faults) {
    faults.push_back(object{{"line", fault.line}, {"why", of(fault.what)}});
  }
  array first;
  for (const Suppression& one : receipt->first) {
    first.push_back(object{{"recipient", of(one.recipient)},
                           {"customer", or_null(one.customer)},
                           {"reason", of(name_of(one.reason))},
                           {"until", of(one.until)},
                           {"note", of(one.note)}});
  }
  return text_of(object{{"taken", receipt->taken},
                        {"unchanged", receipt->unchanged},
                        {"left_lifted", receipt->left_lifted},
                        {"over", receipt->over},
                        {"bad", receipt->bad},
                        {"faults", std::move(faults)},
                        {"columns", of(receipt->columns)},
                        {"first", std::move(first)}});
}

}  // namespace watchpost::api
