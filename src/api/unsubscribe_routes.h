#pragma once
#include "api/routes.h"

namespace watchpost::api {

// What a List-Unsubscribe header points to, with a token of feedback in its path: no other right is
// needed. Looking changes nothing, since programs follow all links of a mail; only a POST with
// "List-Unsubscribe=One-Click" does (RFC 8058 section 3.2), which a mail program sends by itself
// and the page's button for a person.
void get_unsubscribe(const Call& call, const Respond& respond);
// Answers when it is on disk, and says that the recipient is off the list only where that is so.
void post_unsubscribe(const Call& call, const Respond& respond);

}  // namespace watchpost::api
