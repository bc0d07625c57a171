#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes that change something.
Result<std::string> post_confirm(const Call& call);
Result<std::string> post_false_positive(const Call& call);
Result<std::string> post_note(const Call& call);
Result<std::string> post_revoke(const Call& call);
Result<std::string> post_measure(const Call& call);
Result<std::string> post_release(const Call& call);
Result<std::string> post_automation(const Call& call);
Result<std::string> post_reload(const Call& call);
// These answer when the events are on disk.
void post_events(const Call& call, const Respond& respond);
void post_kumomta(const Call& call, const Respond& respond);

}  // namespace watchpost::api
