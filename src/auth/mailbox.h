#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// The argument of MAIL FROM (RFC 5321 section 4.1.2), as SPF and DMARC both see it.
struct ReversePath {
  std::string local;   // quotes undone; empty for the null sender and for "@shop.example", which
                       // SPF takes for postmaster (RFC 7208 section 4.3)
  std::string domain;  // as mail_domain() has it; empty for the null sender and address literals
  bool null() const { return local.empty() && domain.empty(); }
  bool operator==(const ReversePath&) const = default;
};

// "<jo@shop.example>", the same without brackets, "<>" or nothing for the null sender. A source
// route is passed over (RFC 5321 appendix F.2). Strict: nothing where any byte does not belong to
// an address, so that no other reader finds another domain in it (reliability E-S2, E-S5 to E-S7).
std::optional<ReversePath> parse_reverse_path(std::string_view text);

// A domain name that mail may have: ascii_domain() of letters, digits, hyphens and underscores.
// Nothing else is ever looked up or written (reliability C3, E-S3, E-S4).
std::optional<std::string> mail_domain(std::string_view name);

}  // namespace watchpost::auth
