#include "border/outbound/authors.h"

#include "auth/mailbox.h"
#include "auth/results/identity.h"
#include "base/text.h"

#include <algorithm>
#include <string>
#include <vector>

namespace watchpost::border {
namespace {

std::vector<std::string> allowed_for(std::string_view login, const Rules& rules) {
  std::vector<std::string> allowed;
  const auto own = auth::parse_reverse_path(login);
  if (own && !own->local.empty() && !own->domain.empty()) {
    allowed.emplace_back(login);
    if (rules.settings.authors_of_domain) allowed.push_back("@" + own->domain);
  }
  const auto table = std::ranges::find(rules.logins, login, &LoginSettings::login);
  if (table != rules.logins.end()) {
    allowed.insert(allowed.end(), table->addresses.begin(), table->addresses.end());
  }
  // Nobody has two mailboxes that differ by case alone, and people write themselves in both.
  for (std::string& one : allowed) one = lower_ascii(one);
  return allowed;
}

bool belongs(mime::Address author, const std::vector<std::string>& allowed) {
  author.local = lower_ascii(author.local);
  return std::ranges::any_of(
      allowed, [&](const std::string& one) { return auth::may_write_as(author, one); });
}

}  // namespace

std::string_view finding_of(Authorship authorship) {
  switch (authorship) {
    case Authorship::own: break;
    case Authorship::unknown: return "author_unknown";
    case Authorship::foreign: return "foreign_author";
    case Authorship::uncertain: return "author_uncertain";
  }
  return {};
}

Authorship authorship_of(std::string_view login, const auth::Authors& authors, bool certain,
                         const Rules& rules) {
  if (login.empty()) return Authorship::own;
  const std::vector<std::string> allowed = allowed_for(login, rules);
  if (!certain || !authors.certain()) return Authorship::uncertain;
  if (allowed.empty()) return Authorship::unknown;
  const bool all = std::ranges::all_of(
      authors.addresses, [&](const mime::Address& one) { return belongs(one, allowed); });
  return all ? Authorship::own : Authorship::foreign;
}

}  // namespace watchpost::border
