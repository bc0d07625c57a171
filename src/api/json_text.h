#pragma once
#include "base/time.h"

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace watchpost::api {

// For api/*.cc only. A JSON value as text: numbers the short way that people write ("0.3", not
// "3E-1"), NaN and infinities as null.
std::string text_of(const boost::json::value& value);

// The same text where it is UTF-8; each byte that is not becomes U+FFFD.
std::string as_utf8(std::string_view bytes);

// As a JSON text; what is not there as null.
boost::json::value of(std::string_view text);
boost::json::value of(Time at);
boost::json::value of(const std::optional<Time>& at);
// Empty, or the epoch, as null.
boost::json::value or_null(std::string_view text);
boost::json::value or_null(Time at);
// What is JSON already; null where it is none.
boost::json::value document(std::string_view json);

}  // namespace watchpost::api
