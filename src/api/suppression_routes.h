#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes about recipients that are mailed no more.
Result<std::string> get_suppressions(const Call& call);
Result<std::string> get_suppression_changes(const Call& call);
Result<std::string> post_suppression(const Call& call);
Result<std::string> post_suppression_lift(const Call& call);
// The body is CSV.
Result<std::string> post_suppression_import(const Call& call);

}  // namespace watchpost::api
