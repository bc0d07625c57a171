#pragma once
#include "base/result.h"

#include <string>
#include <string_view>

namespace watchpost::enforce {

// What webhooks of both sorts (enforcer, notifier) share.

// https, or http where private addresses are allowed. `about` names the setting.
Result<Done> check_url(std::string_view url, bool allow_private);
// What the status of an answer means: 2xx is done; 408, 429 and 5xx are worth another try soon
// (unavailable); all else is a no (refused).
Result<Done> outcome_of(int status, std::string_view url);
// The text as JSON can carry it: as it is where it is UTF-8, else escaped.
std::string json_text(std::string_view text);
// The URL without its path and query, which may hold a secret: for states and logs.
std::string origin_of(std::string_view url);

}  // namespace watchpost::enforce
