#pragma once
#include "api/routes.h"

namespace watchpost::api {

// The routes about held mail.
Result<std::string> get_quarantine(const Call& call);
Result<std::string> get_quarantine_usage(const Call& call);
Result<std::string> get_held(const Call& call);
Result<std::string> get_held_view(const Call& call);
// Its exact bytes.
void get_held_bytes(const Call& call, const Respond& respond);

Result<std::string> post_held_release(const Call& call);
Result<std::string> post_held_discard(const Call& call);
Result<std::string> post_held_extend(const Call& call);
Result<std::string> post_held_settle(const Call& call);
// The same for all that a search finds; its keys are those of the list.
Result<std::string> post_found_release(const Call& call);
Result<std::string> post_found_hold_again(const Call& call);
Result<std::string> post_found_discard(const Call& call);
Result<std::string> post_erase(const Call& call);
Result<std::string> post_rekey(const Call& call);
Result<std::string> get_exceptions(const Call& call);
Result<std::string> post_exception_end(const Call& call);

// What the digest's links point to, `?t=TOKEN`: no other right is needed. Looking changes nothing,
// since programs follow all links of a mail; the page's button asks.
void get_release_request(const Call& call, const Respond& respond);
void post_release_request(const Call& call, const Respond& respond);

}  // namespace watchpost::api
