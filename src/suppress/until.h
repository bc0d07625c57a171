#pragma once
#include "base/result.h"
#include "base/time.h"

#include <optional>
#include <string_view>

namespace watchpost::suppress {

// Until when a suppression holds, as people write it: a time (RFC 3339), a date, or a span from
// `now`; empty: for good. Errors: bad_input where it is none of them, is past, or is more than 100
// years away.
Result<std::optional<Time>> until_from(std::string_view text, Time now);

}  // namespace watchpost::suppress
