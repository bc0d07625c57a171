#include "investigate/campaigns.h"

#include "base/text.h"
#include "investigate/largest_rows.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::investigate {
namespace {

constexpr Duration kStillSending = std::chrono::hours(1);
// Events of the same time as now may stand a little ahead of it.
constexpr Duration kAhead = std::chrono::days(2);
constexpr size_t kNamesLookedAt = 2000;  // events, for saying what there is

store::EventQuery query_of(Field field, const std::string& value) {
  store::EventQuery query;
  query.equal.push_back({field, value});
  return query;
}

// Why there is nothing to report of: what the customer has instead.
Result<Error> nothing_of(store::Reader& reader, const CampaignQuery& query) {
  const std::string about = fmt::format("{} {}", query.customer, query.campaign);
  store::EventQuery theirs = query_of(Field::customer, query.customer);
  theirs.limit = kNamesLookedAt;
  const auto page = reader.events(theirs);
  if (!page) return fail(page.error());
  if (page->events.empty()) {
    return Error{Code::not_found, "nothing of this customer is stored", about};
  }
  std::set<std::string_view> names;
  for (const Event& event : page->events.events()) {
    if (!event[Field::campaign].empty()) names.insert(event[Field::campaign]);
  }
  if (names.contains(query.campaign)) {
    return Error{Code::not_found, "nothing of this campaign was sent in that time", about};
  }
  const std::vector<std::string_view> all(names.begin(), names.end());
  return Error{Code::not_found,
               fmt::format("nothing of this campaign is stored{}", suggestion(query.campaign, all)),
               about};
}

Result<Done> check(const CampaignQuery& query, Time now) {
  if (query.customer.empty()) return fail(Code::bad_input, "this must name one", "customer");
  if (query.campaign.empty()) return fail(Code::bad_input, "this must name one", "campaign");
  if (query.since && query.until && *query.until <= *query.since) {
    return fail(Code::bad_input, "it ends before it begins", "until");
  }
  if (query.since && *query.since > now) {
    return fail(Code::bad_input, "this is still to come", "since");
  }
  return Done{};
}

Result<CampaignPast> past_of(store::Reader& reader, const CampaignQuery& query,
                             const CampaignReport& report, Time now, const SearchBounds& bounds) {
  if (query.past <= Duration::zero()) return CampaignPast{};
  auto past = read_past(reader,
                        {.customer = query.customer,
                         .campaign = query.campaign,
                         .began = report.first_sent.value_or(report.since),
                         .now = now,
                         .span = query.past},
                        bounds);
  if (!past) return past;
  for (CampaignPast::Rate& one : past->rates) {
    const MailShare share = share_of(report.mail.total, one.rate);
    if (share.whole > 0) one.beside = beside(share, one);
  }
  return past;
}

bool is_counted(const CampaignReport& report) {
  return report.mail.total != MailFigures{} || !report.unproven.empty();
}

}  // namespace

Result<CampaignReport> report_campaign(store::Reader& reader, const CampaignQuery& query, Time now,
                                       const SearchBounds& bounds) {
  if (const auto good = check(query, now); !good) return fail(good.error());
  const Time until = query.until.value_or(now + kAhead);
  CampaignTally tally(Field::provider, query.since.value_or(until - CampaignTally::kLongestSpan),
                      until);
  CampaignReport report{
      .customer = query.customer, .campaign = query.campaign, .since = {}, .until = query.until};
  // A name may be many customers' own: the search has to look up now and then while it passes
  // those over.
  store::EventQuery wanted = query_of(Field::campaign, query.campaign);
  wanted.since = tally.since();
  const auto end = search_newest(reader, std::move(wanted), bounds, [&](const Event& event) {
    if (event[Field::customer] != query.customer || !is_about_sending(event)) return;
    ++report.events;
    tally.on(event);
  });
  if (!end) return fail(end.error());
  report.complete = !end->reached;
  report.since = std::max(tally.since(), end->reached.value_or(tally.since()));
  report.mail = tally.result(report.since);
  report.unproven = tally.unproven();
  report.first_sent = tally.first_sent();
  report.last_sent = tally.last_sent();
  if (!is_counted(report)) {
    auto nothing = nothing_of(reader, query);
    return fail(nothing ? std::move(*nothing) : nothing.error());
  }
  report.sending = report.last_sent && now - *report.last_sent < kStillSending;
  auto past = past_of(reader, query, report, now, bounds);
  if (!past) return fail(past.error());
  report.past = std::move(*past);
  return report;
}

void CampaignRow::add(const CampaignRow& other) {
  accepted += other.accepted;
  delivered += other.delivered;
  deferred += other.deferred;
  bounced += other.bounced;
  expired += other.expired;
  complained += other.complained;
  unsubscribed += other.unsubscribed;
}

namespace {

void count(CampaignRow& row, const Event& event) {
  if (row.last_at == Time{}) row.first_at = row.last_at = event.at;
  row.first_at = std::min(row.first_at, event.at);
  row.last_at = std::max(row.last_at, event.at);
  switch (event.kind) {
    case EventKind::accepted:
      row.accepted += event[Field::recipient].empty() ? std::max(event.recipients, 1U) : 1;
      break;
    case EventKind::delivered: ++row.delivered; break;
    case EventKind::deferred: ++row.deferred; break;
    case EventKind::bounced: ++row.bounced; break;
    case EventKind::expired: ++row.expired; break;
    case EventKind::complained: ++row.complained; break;
    case EventKind::unsubscribed: ++row.unsubscribed; break;
    case EventKind::complaint_withdrawn:
    case EventKind::rejected:
    case EventKind::login:
    case EventKind::judged:
    case EventKind::reported: break;
  }
}

// A key that takes both names apart again.
std::string key_of(const Event& event) {
  std::string key(event[Field::customer]);
  key += '\0';
  return key += event[Field::campaign];
}

CampaignList listed(LargestRows<CampaignRow> rows) {
  CampaignList list;
  for (auto& [key, row] : rows.largest()) {
    const size_t between = key.find('\0');
    row.customer = key.substr(0, between);
    row.campaign = key.substr(between + 1);
    list.campaigns.push_back(std::move(row));
  }
  std::ranges::stable_sort(list.campaigns, std::greater(), &CampaignRow::last_at);
  if (rows.has_rest()) list.the_rest = rows.rest();
  return list;
}

}  // namespace

Result<CampaignList> list_campaigns(store::Reader& reader, const CampaignListQuery& query,
                                    const SearchBounds& bounds) {
  if (query.until && *query.until <= query.since) {
    return fail(Code::bad_input, "it ends before it begins", "until");
  }
  store::EventQuery wanted;
  if (!query.customer.empty()) wanted = query_of(Field::customer, query.customer);
  wanted.since = query.since;
  wanted.until = query.until;
  LargestRows<CampaignRow> rows(kMostCampaigns);
  uint64_t without = 0;
  const auto end = search_newest(reader, std::move(wanted), bounds, [&](const Event& event) {
    if (!is_about_sending(event) || event.self_inflicted || !is_proven(event)) return;
    if (event[Field::campaign].empty()) {
      ++without;
    } else {
      count(rows.at(key_of(event)), event);
    }
  });
  if (!end) return fail(end.error());
  CampaignList list = listed(std::move(rows));
  list.since = std::max(query.since, end->reached.value_or(query.since));
  list.complete = !end->reached;
  list.events = end->events;
  list.without = without;
  return list;
}

}  // namespace watchpost::investigate
