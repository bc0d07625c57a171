#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes about mail as it passes: what was decided on messages, and whom we know.
Result<std::string> get_verdicts(const Call& call);
Result<std::string> get_reputation(const Call& call);
Result<std::string> post_reputation_forget(const Call& call);

}  // namespace watchpost::api
