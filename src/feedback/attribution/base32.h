#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// RFC 4648 section 6 in small letters and without padding: it survives what makes all letters small
// and stands in an address without quotes.
std::string to_base32(std::string_view bytes);
// Letters in either case. Nothing where it is none, or has more bits at its end than it needs that
// are not zero: each content has one form.
std::optional<std::string> from_base32(std::string_view text);
constexpr bool is_base32(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

}  // namespace watchpost::feedback
