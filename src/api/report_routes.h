#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes that count what is stored.
Result<std::string> get_campaigns(const Call& call);
Result<std::string> get_campaign_report(const Call& call);
Result<std::string> get_feedback(const Call& call);
Result<std::string> get_unread(const Call& call);
Result<std::string> get_unread_one(const Call& call);

}  // namespace watchpost::api
