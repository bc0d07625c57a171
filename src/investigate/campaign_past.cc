#include "investigate/campaign_past.h"

#include "investigate/campaign_tally.h"

#include <algorithm>

namespace watchpost::investigate {
namespace {

// Rates need fewer than a report's own numbers.
constexpr size_t kMostOutcomes = 1'500'000;

double median_of(const std::vector<double>& sorted) {
  const size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

std::vector<CampaignPast::Rate> rates_of(const std::vector<MailFigures>& campaigns) {
  std::vector<CampaignPast::Rate> rates;
  for (const MailRate rate : mail_rates()) {
    std::vector<double> values;
    for (const MailFigures& one : campaigns) {
      if (const auto value = rate_of(one, rate)) values.push_back(*value);
    }
    if (values.size() < kFewestCampaigns) continue;
    std::ranges::sort(values);
    rates.push_back({.rate = rate,
                     .campaigns = values.size(),
                     .median = median_of(values),
                     .low = values.front(),
                     .high = values.back()});
  }
  return rates;
}

}  // namespace

Result<CampaignPast> read_past(store::Reader& reader, const PastQuery& query,
                               const SearchBounds& bounds) {
  CampaignTally tally(Field::campaign, query.began - query.span, query.began, kMostOutcomes);
  store::EventQuery wanted{
      .since = tally.since(), .until = {}, .equal = {}, .kind = {}, .where = {}, .after = {}};
  wanted.equal.push_back({Field::customer, std::string(query.customer)});
  const auto end = search_newest(reader, std::move(wanted), bounds, [&](const Event& event) {
    const std::string_view campaign = event[Field::campaign];
    if (!campaign.empty() && campaign != query.campaign) tally.on(event);
  });
  if (!end) return fail(end.error());
  CampaignPast past{.since = tally.since(), .complete = !end->reached};
  if (end->reached) past.since = std::max(tally.since(), *end->reached);
  const TallyResult result = tally.result(*past.since);
  past.sampled = result.sampled;
  std::vector<MailFigures> campaigns;
  for (const TallyResult::Group& group : result.groups) {
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
