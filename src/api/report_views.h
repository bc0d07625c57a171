#pragma once
#include "investigate/reports.h"

#include <string>
#include <vector>

namespace watchpost::api {

// What Reports counts as JSON texts, with the conventions of json_views.h. Pure.
std::string campaign_report_json(const investigate::CampaignReport& report);
std::string campaign_list_json(const investigate::CampaignList& list);
std::string feedback_json(const investigate::FeedbackStatus& status);
std::string unread_list_json(const investigate::UnreadMail& unread);
std::string unread_json(const KeptMail& mail);  // its bytes as base64

}  // namespace watchpost::api
