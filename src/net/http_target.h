#pragma once
#include "base/result.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace watchpost::net {

// The target of a request, decoded.
struct HttpTarget {
  std::string path;                                       // begins with '/'
  std::map<std::string, std::string, std::less<>> query;  // the last of equal names
};

// Origin form and absolute form (RFC 9112 3.2). Broken percent-encoding, NUL, fragments and more
// than 100 query fields are refused. In the query '+' is a blank. Pure.
Result<HttpTarget> parse_target(std::string_view target);

// Undoes percent-encoding. Pure.
Result<std::string> percent_decoded(std::string_view text);
// Encodes all but the unreserved characters of RFC 3986 2.3. Pure.
std::string percent_encoded(std::string_view text);

}  // namespace watchpost::net
