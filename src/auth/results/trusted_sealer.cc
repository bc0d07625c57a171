#include "auth/results/trusted_sealer.h"

#include "auth/domain_name.h"
#include "auth/mailbox.h"
#include "auth/results/authentication_results.h"

#include <algorithm>
#include <optional>

namespace watchpost::auth {
namespace {

bool is_listed(const std::string& domain, std::span<const std::string> listed) {
  return std::ranges::any_of(listed,
                             [&](const std::string& one) { return ascii_domain(one) == domain; });
}

// Whether the sealer wrote down a DMARC pass for this author, and nothing else of DMARC.
bool says_passed(const ArcSet& set, const std::string& author) {
  const auto results = parse_authentication_results(set.authentication_results);
  if (!results) return false;
  size_t passed = 0, said = 0;
  for (const MethodResult& one : results->results) {
    if (one.method != "dmarc") continue;
    ++said;
    const auto domain = mail_domain(one.property("header", "from"));
    passed += one.result == "pass" && domain == author ? 1 : 0;
  }
  return said == 1 && passed == 1;
}

}  // namespace

std::string trusted_sealer_of(const ArcVerdict& arc, const Authors& authors,
                              std::span<const std::string> listed) {
  if (!arc.passed() || !authors.certain() || authors.domains.size() != 1) return {};
  for (auto set = arc.sets.rbegin(); set != arc.sets.rend(); ++set) {
    if (!is_listed(set->seal.domain, listed)) return {};
    if (says_passed(*set, authors.domains.front())) return set->seal.domain;
  }
  return {};
}

}  // namespace watchpost::auth
