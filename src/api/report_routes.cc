#include "api/report_routes.h"

#include "api/report_views.h"
#include "api/request_query.h"
#include "base/text.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace watchpost::api {
namespace {

constexpr Duration kUsually = std::chrono::days(7);

// From when on; a week where nothing is said.
Result<Time> since_in(const RequestQuery& query, Time now) {
  const auto since = query.time("since", now);
  if (!since) return fail(since.error());
  return since->value_or(now - kUsually);
}

// A span of which none is one as well: "0s".
Result<Duration> past_in(const RequestQuery& query, Duration usually) {
  const std::string_view given = query.text("past");
  if (given.empty()) return usually;
  const auto span = parse_duration(given);
  if (span) return *span;
  return fail(Code::bad_input, fmt::format("`{}` is no duration, as `30d` is", escaped(given, 64)),
              "past");
}

Result<investigate::CampaignQuery> campaign_query(const Call& call) {
  static constexpr std::array<std::string_view, 5> kNames{"customer", "campaign", "since", "until",
                                                          "past"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  investigate::CampaignQuery wanted;
  wanted.customer = query.text("customer");
  wanted.campaign = query.text("campaign");
  const auto since = query.time("since", call.now);
  if (!since) return fail(since.error());
  const auto until = query.time("until", call.now);
  if (!until) return fail(until.error());
  const auto past = past_in(query, wanted.past);
  if (!past) return fail(past.error());
  wanted.since = *since;
  wanted.until = *until;
  wanted.past = *past;
  return wanted;
}

}  // namespace

Result<std::string> get_campaigns(const Call& call) {
  static constexpr std::array<std::string_view, 4> kNames{"customer", "since", "until", "limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto since = since_in(query, call.now);
  if (!since) return fail(since.error());
  const auto until = query.time("until", call.now);
  if (!until) return fail(until.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  auto list = call.services.desk.reports().campaigns(
      {.since = *since, .until = *until, .customer = std::string(query.text("customer"))});
  if (!list) return fail(list.error());
  if (list->campaigns.size() > *limit) list->campaigns.resize(*limit);
  return campaign_list_json(*list);
}

Result<std::string> get_campaign_report(const Call& call) {
  const auto query = campaign_query(call);
  if (!query) return fail(query.error());
  const auto report = call.services.desk.reports().campaign(*query);
  if (!report) return fail(report.error());
  return campaign_report_json(*report);
}

Result<std::string> get_feedback(const Call& call) {
  static constexpr std::array<std::string_view, 1> kNames{"since"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto since = since_in(query, call.now);
  if (!since) return fail(since.error());
  const auto status = call.services.desk.reports().feedback(*since);
  if (!status) return fail(status.error());
  return feedback_json(*status);
}

Result<std::string> get_unread(const Call& call) {
  static constexpr std::array<std::string_view, 1> kNames{"limit"};
  const RequestQuery query(call.request);
  if (const auto allowed = query.allow_only(kNames); !allowed) return fail(allowed.error());
  const auto limit = query.limit();
  if (!limit) return fail(limit.error());
  const auto unread = call.services.desk.reports().unread(*limit);
  if (!unread) return fail(unread.error());
  return unread_list_json(*unread);
}

Result<std::string> get_unread_one(const Call& call) {
  if (const auto allowed = RequestQuery(call.request).allow_only({}); !allowed) {
    return fail(allowed.error());
  }
  uint64_t number = 0;
  const char* const end = call.id.data() + call.id.size();
  const auto [stop, error] = std::from_chars(call.id.data(), end, number);
  if (error != std::errc() || stop != end || number == 0) {
    return fail(Code::bad_input, "this is not the number of a mail (3)", "id");
  }
  const auto mail = call.services.desk.reports().unread_one(number);
  if (!mail) return fail(mail.error());
  return unread_json(*mail);
}

}  // namespace watchpost::api
