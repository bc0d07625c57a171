#include "border/inbound/policy.h"

#include "auth/domain_name.h"
#include "border/dispositions.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

class Reasons {
 public:
  void add(std::string rule, std::string_view setting, std::string words) {
    add({.rule = std::move(rule),
         .wants = disposition_of(setting, Disposition::tag),
         .in_force = true,
         .words = std::move(words)},
        true);
  }
  void add(VerdictReason said, bool evidence) {
    all_.push_back({.said = std::move(said), .source = Source::policy, .evidence = evidence});
  }
  std::vector<Reason> take() { return std::move(all_); }

 private:
  std::vector<Reason> all_;
};

void add_dmarc(const auth::Identity& identity, const BorderSettings& settings, Reasons& reasons) {
  if (identity.dmarc.result != auth::DmarcResult::fail) return;
  const auth::AuthorVerdict* const author = identity.dmarc.author();
  if (author == nullptr) return;
  const auto words = [&](std::string_view asked) {
    return fmt::format("it is not proved to be from {}, which asks to {} such mail", author->domain,
                       asked);
  };
  if (author->disposition == auth::DmarcRequest::reject) {
    reasons.add("dmarc", settings.dmarc_reject, words("reject"));
  } else if (author->disposition == auth::DmarcRequest::quarantine) {
    reasons.add("dmarc", settings.dmarc_quarantine, words("quarantine"));
  }
}

void add_author(const auth::Authors& authors, const BorderSettings& settings, Reasons& reasons) {
  if (authors.certain()) return;
  std::string words = "readers may see different authors in it, or none";
  for (const auth::AuthorOddity oddity : authors.oddities) {
    words += fmt::format("; {}", words_of(oddity));
  }
  reasons.add("author", settings.uncertain_author, std::move(words));
}

// Of several author domains one may be the sender's own, and its name servers so slow that nobody
// hears of the others in time. Nobody is refused for good for what DNS does not say.
void add_open_authors(const auth::Identity& identity, const BorderSettings& settings,
                      Reasons& reasons) {
  const auth::Authors& authors = identity.authors;
  const bool several = authors.certain() && authors.has(auth::AuthorOddity::several_domains);
  if (!several || identity.dmarc.result != auth::DmarcResult::temperror) return;
  reasons.add({.rule = "author",
               .wants = std::min(disposition_of(settings.uncertain_author, Disposition::tag),
                                 Disposition::tempfail),
               .in_force = true,
               .words = "its authors are of several domains, and DNS does not say of each whether "
                        "it is from there"},
              false);
}

void add_listings(const std::vector<Listing>& listings, const BorderSettings& settings,
                  Reasons& reasons) {
  for (const Listing& one : listings) {
    if (one.state != Listing::State::listed) continue;
    reasons.add(fmt::format("listed {}", one.list), settings.listed,
                fmt::format("{} is listed by {}", one.about, one.list));
  }
}

std::string_view malformed_words(const Facts& facts) {
  if (facts.nul_in_header) return "its header has NUL bytes";
  if (facts.disguised_results) {
    return "it claims results of ours in a field with bytes that no name may have";
  }
  if (facts.header_in_body) return "what was to be the rest of its header stands in its body";
  return "it has more header fields than are looked at";
}

bool is_protected(std::string_view domain, const std::vector<std::string>& protected_domains) {
  return std::ranges::any_of(protected_domains, [&](const std::string& one) {
    const auto name = auth::ascii_domain(one);
    return name && auth::is_same_or_below(domain, *name);
  });
}

// DNS would have to say more before this author can be told from a forger.
bool is_open(const auth::AuthorVerdict& author) {
  return author.result == auth::DmarcResult::temperror ||
         (author.result == auth::DmarcResult::fail && !author.policy_unknown.empty());
}

}  // namespace

std::vector<Reason> policy_reasons(const Facts& facts, const BorderSettings& settings) {
  Reasons reasons;
  add_dmarc(facts.identity, settings, reasons);
  add_author(facts.identity.authors, settings, reasons);
  add_open_authors(facts.identity, settings, reasons);
  add_listings(facts.listings, settings, reasons);
  if (facts.transaction->cut) {
    reasons.add("too large", settings.too_large, "it is longer than is looked at");
  }
  if (facts.malformed()) {
    reasons.add("malformed", settings.malformed, std::string(malformed_words(facts)));
  }
  return reasons.take();
}

std::vector<Reason> trouble_reasons(const Facts& facts, const BorderSettings& settings,
                                    Patience& patience, Time now) {
  if (settings.protected_domains.empty()) return {};
  const auto& authors = facts.identity.dmarc.authors;
  const auto waiting = std::ranges::find_if(authors, [&](const auth::AuthorVerdict& author) {
    return is_open(author) && is_protected(author.domain, settings.protected_domains);
  });
  if (waiting == authors.end()) return {};
  const auto& ip = facts.transaction->client_ip;
  if (!patience.waits(ip ? ip->text() : "", facts.sender, settings.protected_patience, now)) {
    return {};
  }
  return {{.said = {.rule = "protected",
                    .wants = Disposition::tempfail,
                    .in_force = true,
                    .words = fmt::format("DNS does not say now whether it is from {}, which is "
                                         "protected",
                                         waiting->domain)},
           .source = Source::trouble,
           .evidence = false}};
}

}  // namespace watchpost::border
