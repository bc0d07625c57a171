#include "api/border_routes.h"

#include "api/json_text.h"
#include "api/request_body.h"
#include "api/request_query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace watchpost::api {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value view(const std::optional<investigate::Correction>& one) {
  if (!one) return nullptr;
  return object{{"at", of(one->at)}, {"by", of(one->by)}, {"why", of(one->why)}};
}

object view(const investigate::FoundVerdict& one) {
  return {{"event", of(to_hex(one.kept.event))},    {"at", of(one.kept.at)},
          {"queue_id", or_null(one.kept.queue_id)}, {"message_id", or_null(one.kept.message_id)},
          {"verdict", document(one.kept.json)},     {"correction", view(one.correction)}};
}

object view(const relate::Reputed& one) {
  const relate::Standing& standing = one.standing;
  object out{{"party", of(name_of(one.party))}, {"name", of(one.name)}};
  for (size_t deed = 0; deed < relate::kDeeds; ++deed) {
    out[name_of(static_cast<relate::Deed>(deed))] = standing.counts[deed];
  }
  out["messages"] = standing.messages();
  out["badness"] = standing.badness();
  out["first_seen"] = standing.known() ? of(standing.first_seen) : value(nullptr);
  out["last_seen"] = standing.known() ? of(standing.last_seen) : value(nullptr);
  return out;
}

Result<relate::Party> party_of(std::string_view name) {
  const auto party = relate::party_from(name);
  if (!party) return fail(Code::bad_input, party.error().what, "party");
  return party;
}

Result<size_t> worst_from(std::string_view text) {
  size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && number >= 1 && number <= 10'000) return number;
  return fail(Code::bad_input, "a number from 1 to 10,000", "worst");
}

Result<relate::Reputed> one_of(const Call& call, const RequestQuery& query) {
  const auto party = party_of(query.text("party"));
  if (!party) return fail(party.error());
  if (query.text("name").empty())
    return fail(Code::bad_input, "of which? Give an address, a network or a domain", "name");
  return call.services.desk.reputation(*party, query.text("name"));
}

}  // namespace

Result<std::string> get_verdicts(const Call& call) {
  static constexpr std::array<std::string_view, 6> kNames{"queue_id",  "message_id", "sender",
                                                          "recipient", "since",      "limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  investigate::VerdictSearch search{.queue_id = std::string(query.text("queue_id")),
                                    .message_id = std::string(query.text("message_id")),
                                    .sender = std::string(query.text("sender")),
                                    .recipient = std::string(query.text("recipient")),
                                    .since = {}};
  const auto since = query.time("since", call.now);
  if (!since) return fail(since.error());
  search.since = *since;
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  search.limit = *limit;
  const auto found = call.services.desk.verdicts(search);
  if (!found) return fail(found.error());
  array verdicts;
  for (const investigate::FoundVerdict& one : *found) verdicts.push_back(view(one));
  return text_of(object{{"verdicts", std::move(verdicts)}});
}

Result<std::string> get_reputation(const Call& call) {
  static constexpr std::array<std::string_view, 3> kNames{"party", "name", "worst"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const std::string_view worst = query.text("worst");
  std::vector<relate::Reputed> shown;
  if (worst.empty() || !query.text("party").empty() || !query.text("name").empty()) {
    auto found = one_of(call, query);
    if (!found) return fail(found.error());
    shown.push_back(std::move(*found));
  }
  if (!worst.empty()) {
    const auto most = worst_from(worst);
    if (!most) return fail(most.error());
    auto found = call.services.desk.worst_reputations(*most);
    if (!found) return fail(found.error());
    std::ranges::move(*found, std::back_inserter(shown));
  }
  array views;
  for (const relate::Reputed& one : shown) views.push_back(view(one));
  return text_of(object{{"reputation", std::move(views)}});
}

Result<std::string> post_reputation_forget(const Call& call) {
  static constexpr std::array<std::string_view, 3> kKeys{"party", "name", "why"};
  if (const auto allowed = RequestQuery(call.request).allow_only({}); !allowed) {
    return fail(allowed.error());
  }
  const auto body = RequestBody::parse(call.request.body, kKeys);
  if (!body) return fail(body.error());
  const auto party_text = body->required_text("party");
  if (!party_text) return fail(party_text.error());
  const auto party = party_of(*party_text);
  if (!party) return fail(party.error());
  const auto name = body->required_text("name");
  if (!name) return fail(name.error());
  const auto why = body->required_text("why");
  if (!why) return fail(why.error());
  const auto done = call.services.desk.forget_reputation(*party, *name, call.who, *why);
  if (!done) return fail(done.error());
  return text_of(object{{"forgotten", true}});
}

}  // namespace watchpost::api
