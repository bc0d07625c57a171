#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// A domain name as it is looked up and compared: A-labels in lower case without a last dot
// (RFC 5890 section 2.3.2.1; RFC 9989 section 4.10 for DMARC). Nothing where it cannot be one: an
// empty label, a label of over 63 bytes or 253 in all, what IDNA 2008 forbids. Underscores stay.
//   Rules: pure and total.
std::optional<std::string> ascii_domain(std::string_view name);

// Whether `name` is `parent` or a name below it; both as ascii_domain() has them.
bool is_same_or_below(std::string_view name, std::string_view parent);

}  // namespace watchpost::auth
