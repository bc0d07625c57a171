#pragma once
#include "base/ip_address.h"
#include "base/time.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// Where a macro-string stands: %{c}, %{r}, %{t} and blanks are for explanations only
// (RFC 7208 sections 6.2, 7.2).
enum class SpfMacroUse : uint8_t { domain, explanation };

// A macro-string (RFC 7208 section 7.1) taken apart.
struct SpfMacroString {
  struct Piece {
    std::string literal;      // where `letter` is 0
    char letter = 0;          // lower case
    bool url_escape = false;  // the letter was a capital
    bool reverse = false;
    size_t labels = 0;       // how many of the right are kept; 0: all
    std::string delimiters;  // at least one
  };
  std::vector<Piece> pieces;
  std::string text;

  bool uses(char letter) const;
};

// What the letters stand for; all outlive the expansion.
struct SpfMacroValues {
  std::string_view sender, local_part, sender_domain, domain, helo, receiver;
  std::string_view validated_name;  // %{p}
  IpAddress ip;
  Time now;
};

inline constexpr size_t kLongestSpfExpansion = 65536;  // bytes

// On failure what is wrong, for people. Pure and total.
std::expected<SpfMacroString, std::string> parse_spf_macro_string(std::string_view text,
                                                                  SpfMacroUse use);
// The same for a domain-spec: it ends in a macro or in a top-level label (RFC 7208 section 7.1).
std::expected<SpfMacroString, std::string> parse_spf_domain(std::string_view text);

// Nothing where it would be longer than kLongestSpfExpansion. Pure and total.
std::optional<std::string> expand_spf_macros(const SpfMacroString& macros,
                                             const SpfMacroValues& values);
// As a name to look up: without a last dot, labels dropped from the left until it has at most 253
// bytes (RFC 7208 section 7.3). Perhaps no name at all: whoever looks it up finds that out.
std::optional<std::string> expand_spf_domain(const SpfMacroString& macros,
                                             const SpfMacroValues& values);

}  // namespace watchpost::auth
