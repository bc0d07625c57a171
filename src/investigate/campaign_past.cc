#include "investigate/campaign_past.h"

#include "investigate/campaign_tally.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace watchpost::investigate {
namespace {

// Rates need fewer than a report's own numbers.
constexpr size_t kMostOutcomes = 1'500'000;

double median_of(const std::vector<double>& sorted) {
  const size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

Interval may_be(const MailShare& share) {
  return wilson(static_cast<double>(share.part), static_cast<double>(share.whole));
}

std::vector<CampaignPast::Rate> rates_of(const std::vector<MailFigures>& campaigns) {
  std::vector<CampaignPast::Rate> rates;
  for (const MailRate rate : mail_rates()) {
    std::vector<double> values;
    Interval all{.low = 1, .high = 0};
    for (const MailFigures& one : campaigns) {
      const auto value = rate_of(one, rate);
      if (!value) continue;
      values.push_back(*value);
      const Interval its = may_be(share_of(one, rate));
      all = {std::min(all.low, its.low), std::max(all.high, its.high)};
    }
    if (values.size() < kFewestCampaigns) continue;
    std::ranges::sort(values);
    rates.push_back({.rate = rate,
                     .campaigns = values.size(),
                     .median = median_of(values),
                     .low = values.front(),
                     .high = values.back(),
                     .may_be = all,
                     .beside = {}});
  }
  return rates;
}

// By campaign.
using Starts = std::map<std::string, Time, std::less<>>;

struct PastRead {
  TallyResult result;
  Time since;
  bool complete = true;
};

// `ends`: of what came of a campaign later nothing counts; those that are not in it are whole.
Result<PastRead> read_once(store::Reader& reader, const PastQuery& query,
                           const SearchBounds& bounds, const Starts& ends) {
  CampaignTally tally(Field::campaign, query.began - query.span, query.began, kMostOutcomes);
  store::EventQuery wanted{
      .since = tally.since(), .until = {}, .equal = {}, .kind = {}, .where = {}, .after = {}};
  wanted.equal.push_back({Field::customer, std::string(query.customer)});
  const auto end = search_newest(reader, std::move(wanted), bounds, [&](const Event& event) {
    const std::string_view campaign = event[Field::campaign];
    if (campaign.empty() || campaign == query.campaign) return;
    const auto over = ends.find(campaign);
    if (over == ends.end() || event.at < over->second) tally.on(event);
  });
  if (!end) return fail(end.error());
  PastRead read{.result = {}, .since = tally.since(), .complete = !end->reached};
  if (end->reached) read.since = std::max(tally.since(), *end->reached);
  read.result = tally.result(read.since);
  return read;
}

Starts ends_of(const TallyResult& result, Duration age) {
  Starts ends;
  for (const TallyResult::Group& group : result.groups) {
    if (group.first_at) ends.emplace(group.name, *group.first_at + age);
  }
  return ends;
}

}  // namespace

std::string_view name_of(Beside beside) {
  switch (beside) {
    case Beside::as_before: return "as_before";
    case Beside::higher: return "higher";
    case Beside::lower: return "lower";
    case Beside::unclear: return "unclear";
  }
  return {};
}

Beside beside(const MailShare& share, const CampaignPast::Rate& past) {
  const double rate =
      share.whole == 0 ? 0 : static_cast<double>(share.part) / static_cast<double>(share.whole);
  if (rate >= past.low && rate <= past.high) return Beside::as_before;
  const Interval this_one = may_be(share);
  if (this_one.low > past.may_be.high) return Beside::higher;
  if (this_one.high < past.may_be.low) return Beside::lower;
  return Beside::unclear;
}

Result<CampaignPast> read_past(store::Reader& reader, const PastQuery& query,
                               const SearchBounds& bounds) {
  auto read = read_once(reader, query, bounds, {});
  if (!read) return fail(read.error());
  CampaignPast past{.since = read->since, .complete = read->complete};
  // From the beginning of its first hour, as that of the earlier ones is known.
  const Duration age = query.now - std::chrono::floor<std::chrono::hours>(query.began);
  if (age < kSettled) {
    auto again = read_once(reader, query, bounds, ends_of(read->result, age));
    if (!again) return fail(again.error());
    past.age = age;
    past.since = std::max(*past.since, again->since);
    past.complete = past.complete && again->complete;
    read = std::move(again);
  }
  past.sampled = read->result.sampled;
  std::vector<MailFigures> campaigns;
  for (const TallyResult::Group& group : read->result.groups) {
    if (!group.first_at) continue;
    if (group.mail.sent < kFewestMessages) {
      ++past.small;
    } else {
      campaigns.push_back(group.mail);
    }
  }
  past.campaigns = campaigns.size();
  past.rates = rates_of(campaigns);
  return past;
}

}  // namespace watchpost::investigate
