#pragma once
#include "net/http_server.h"

#include <string_view>

namespace watchpost::api {

// A page for people who are no users of Watchpost: behind a link in a mail. It loads nothing, sends
// its form to where it came from, and tells nobody of the link. `title` and `text` are HTML of our
// own: nothing of the request, and nothing of a mail, stands in them.
net::HttpResponse page(int status, std::string_view title, std::string_view text);

}  // namespace watchpost::api
