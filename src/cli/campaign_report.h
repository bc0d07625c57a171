#pragma once
#include "cli/answer.h"
#include "cli/command.h"

#include <string>

namespace watchpost::cli {

// What a campaign's report is told apart by; total: not at all.
enum class CampaignRows { total, provider, hour, day, bounce_class };

// The answer of /v1/campaigns/report for people.
void print_campaign(const Terminal& terminal, const Object& report, CampaignRows rows, bool chart);
// As CSV (RFC 4180): a heading, then the rows.
void print_campaign_csv(const Terminal& terminal, const Object& report, CampaignRows rows);

}  // namespace watchpost::cli
