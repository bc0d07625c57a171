#include "border/inbound/findings.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

class Words {
 public:
  void add(std::string word) {
    if (std::ranges::find(all_, word) == all_.end()) all_.push_back(std::move(word));
  }
  template <class Result>
  void add(std::string_view method, Result result) {
    add(fmt::format("{}_{}", method, name_of(result)));
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  std::vector<std::string> all_;
};

void add_identity(const auth::Identity& identity, Words& words) {
  if (identity.spf_mail_from.asked) words.add("spf", identity.spf_mail_from.result);
  if (identity.spf_helo.asked) words.add("helo", identity.spf_helo.result);
  words.add("dkim", auth::overall(identity.dkim));
  if (identity.connection.login.empty()) words.add("dmarc", identity.dmarc.result);
  words.add("arc", identity.arc.result);
  if (identity.host) words.add("iprev", identity.host->result);
  for (const auth::DkimVerdict& one : identity.dkim) {
    if (!one.passed()) continue;
    for (const auth::DkimWeakness weakness : one.weaknesses) words.add("dkim", weakness);
  }
  if (!identity.authors.certain()) words.add("author_uncertain");
  for (const auth::AuthorOddity oddity : identity.authors.oddities) words.add("author", oddity);
}

}  // namespace

bool is_dns_silent(const auth::Identity& identity) {
  const auto policy_unknown = [](const auth::AuthorVerdict& one) {
    return !one.policy_unknown.empty();
  };
  const auto key_unknown = [](const auth::DkimVerdict& one) {
    return one.result == auth::DkimResult::temperror;
  };
  return identity.spf_mail_from.result == auth::SpfResult::temperror ||
         identity.dmarc.result == auth::DmarcResult::temperror ||
         std::ranges::any_of(identity.dkim, key_unknown) ||
         std::ranges::any_of(identity.dmarc.authors, policy_unknown);
}

std::vector<std::string> findings_of(const Facts& facts) {
  Words words;
  add_identity(facts.identity, words);
  if (is_dns_silent(facts.identity)) words.add("dns_temperror");
  for (const Listing& one : facts.listings) {
    if (one.state == Listing::State::listed) words.add(fmt::format("listed:{}", one.list));
    if (one.state == Listing::State::unknown) {
      words.add(fmt::format("listing_unknown:{}", one.list));
    }
  }
  if (!facts.forged_results.empty()) words.add("forged_results");
  if (facts.transaction->cut) words.add("large");
  if (facts.malformed()) words.add("malformed");
  return words.take();
}

}  // namespace watchpost::border
