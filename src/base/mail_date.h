#pragma once
#include "base/time.h"

#include <string>
#include <string_view>

namespace watchpost {

// "Tue, 24 Nov 2026 15:00:00 +0000" as mail writes it (RFC 5322 section 3.3), or with `zone` "GMT"
// as HTTP does (RFC 9110 section 5.6.7). Whole seconds, always UTC.
std::string mail_date(Time at, std::string_view zone = "+0000");

}  // namespace watchpost
