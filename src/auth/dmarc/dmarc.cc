#include "auth/dmarc/dmarc.h"

#include "auth/dmarc/alignment.h"
#include "auth/dmarc/discovery.h"
#include "auth/domain_name.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

constexpr std::array<std::string_view, 6> kResults{"none",      "pass",      "fail",
                                                   "temperror", "permerror", "undecided"};

void publish(AuthorVerdict& author, DmarcRequest request, std::string_view tag) {
  author.published = request;
  author.published_by = tag;
}

// What the record asks for this author domain (RFC 9989 section 4.10.1). False where nobody knows
// whether the domain exists, and it matters.
Async<bool> apply_record(AuthorVerdict& author, DmarcDiscovery discovery, DmarcLookUps& look_ups) {
  const DmarcRecord& record = *author.record;
  if (author.record_domain == author.domain) {
    publish(author, record.for_domain(), "p");
    co_return true;
  }
  const DmarcRequest missing = record.for_missing_subdomain();
  const bool matters = discovery == DmarcDiscovery::tree_walk && missing != record.for_subdomain();
  const std::optional<bool> exists =
      matters ? co_await look_ups.exists(author.domain) : std::optional(true);
  if (!exists) {
    author.policy_unknown =
        fmt::format("Nobody knows whether {} exists, and so what is asked for it", author.domain);
    co_return false;
  }
  if (*exists) {
    publish(author, record.for_subdomain(), record.sp && !record.request_is_broken ? "sp" : "p");
  } else {
    publish(author, missing, "np");
  }
  co_return true;
}

// What to do with a message that fails.
void dispose(AuthorVerdict& author, const DmarcQuestion& question) {
  author.disposition = author.published;
  if (author.published == DmarcRequest::none) return;
  if (!question.trusted_sealer.empty()) {
    author.disposition = DmarcRequest::none;
    author.override_reason = DmarcOverride::trusted_forwarder;
  } else if (author.record->testing && question.settings.discovery == DmarcDiscovery::tree_walk) {
    author.disposition = one_weaker(author.published);
    author.override_reason = DmarcOverride::policy_test_mode;
  }
}

void conclude(AuthorVerdict& author, const DmarcAlignments& aligned,
              const DmarcQuestion& question) {
  author.why = aligned.why;
  if (aligned.passes) {
    author.result = DmarcResult::pass;
  } else if (aligned.unknown || !author.policy_unknown.empty()) {
    author.result = DmarcResult::temperror;
    if (!aligned.unknown) author.why = author.policy_unknown;
  } else if (aligned.not_asked) {
    author.result = DmarcResult::undecided;
  } else {
    author.result = DmarcResult::fail;
    dispose(author, question);
  }
}

Async<AuthorVerdict> judge(std::string domain, const DmarcQuestion& question,
                           DmarcLookUps& look_ups) {
  AuthorVerdict author;
  author.domain = domain;
  const DmarcSettings& settings = question.settings;
  DmarcPolicySource source =
      co_await find_policy(domain, settings.discovery, settings.suffixes, look_ups, author.walks);
  if (!source.record) {
    author.result = source.failed ? DmarcResult::temperror : DmarcResult::none;
    author.why = std::move(source.why);
    if (source.failed) author.policy_unknown = author.why;
    co_return author;
  }
  author.record = std::move(source.record);
  author.record_domain = std::move(source.domain);
  if (!author.record->has_policy()) {
    author.why = fmt::format("The record of {} asks for nothing that can be understood",
                             author.record_domain);
    co_return author;
  }
  co_await apply_record(author, settings.discovery, look_ups);
  const DmarcAlignments aligned = co_await align(author, question, look_ups);
  conclude(author, aligned, question);
  co_return author;
}

// The author domains, each once; what is none as it stands there.
std::vector<std::pair<std::string, bool>> distinct(const std::vector<std::string>& given) {
  std::vector<std::pair<std::string, bool>> domains;
  for (const std::string& text : given) {
    const auto ascii = ascii_domain(text);
    std::pair<std::string, bool> one(ascii.value_or(text), ascii.has_value());
    if (std::ranges::count(domains, one) == 0) domains.push_back(std::move(one));
    if (domains.size() > kMostAuthorDomains) break;
  }
  return domains;
}

// How much a result says against a message.
int weight(const AuthorVerdict& author) {
  switch (author.result) {
    case DmarcResult::fail: return 10 + static_cast<int>(author.published);
    case DmarcResult::temperror: return 5;
    case DmarcResult::undecided: return 4;
    case DmarcResult::permerror: return 3;
    case DmarcResult::none: return 2;
    case DmarcResult::pass: return 1;
  }
  return 0;
}

void decide(DmarcVerdict& verdict) {
  const auto worst = std::ranges::max_element(verdict.authors, {}, weight);
  verdict.decisive = static_cast<size_t>(worst - verdict.authors.begin());
  verdict.result = worst->result;
  verdict.why = worst->why;
  if (verdict.authors.size() > 1) {
    verdict.why += fmt::format(" (of {} author domains, {} decides)", verdict.authors.size(),
                               escaped(worst->domain));
  }
}

}  // namespace

std::string_view name_of(DmarcResult result) { return kResults[static_cast<size_t>(result)]; }

std::string_view name_of(DmarcIdentifier::Mechanism mechanism) {
  return mechanism == DmarcIdentifier::Mechanism::spf ? "spf" : "dkim";
}

std::string_view name_of(IdentifierOutcome outcome) {
  switch (outcome) {
    case IdentifierOutcome::pass: return "pass";
    case IdentifierOutcome::fail: return "fail";
    case IdentifierOutcome::temperror: return "temperror";
    case IdentifierOutcome::not_asked: return "not_asked";
  }
  return "";
}

std::string_view name_of(Alignment alignment) {
  switch (alignment) {
    case Alignment::none: return "none";
    case Alignment::relaxed: return "relaxed";
    case Alignment::strict: return "strict";
  }
  return "";
}

std::string_view name_of(DmarcOverride reason) {
  switch (reason) {
    case DmarcOverride::none: return "";
    case DmarcOverride::policy_test_mode: return "policy_test_mode";
    case DmarcOverride::trusted_forwarder: return "trusted_forwarder";
  }
  return "";
}

std::optional<DmarcIdentifier> identifier_of(const SpfVerdict& verdict) {
  if (verdict.identity != SpfIdentity::mail_from || verdict.domain.empty()) return std::nullopt;
  DmarcIdentifier identifier;
  identifier.mechanism = DmarcIdentifier::Mechanism::spf;
  identifier.domain = verdict.domain;
  if (verdict.result == SpfResult::pass) identifier.outcome = IdentifierOutcome::pass;
  if (verdict.result == SpfResult::temperror) identifier.outcome = IdentifierOutcome::temperror;
  return identifier;
}

Async<DmarcVerdict> check_dmarc(DmarcQuestion question, dns::Resolver& resolver,
                                dns::Budget& budget) {
  DmarcVerdict verdict;
  const auto domains = distinct(question.author_domains);
  if (domains.empty()) {
    verdict.why = "The message has no author domain";
    co_return verdict;
  }
  if (domains.size() > kMostAuthorDomains) {
    verdict.result = DmarcResult::permerror;
    verdict.why = fmt::format("The message has more than {} author domains", kMostAuthorDomains);
    co_return verdict;
  }
  if (question.identifiers.size() > kMostDmarcIdentifiers) {
    question.identifiers.resize(kMostDmarcIdentifiers);
  }
  DmarcLookUps look_ups(resolver, budget);
  for (const auto& [domain, is_domain] : domains) {
    AuthorVerdict author;
    if (is_domain) {
      author = co_await judge(domain, question, look_ups);
    } else {
      author.domain = domain;
      author.result = DmarcResult::permerror;
      author.why = fmt::format("`{}` is no domain", escaped(domain, 80));
    }
    verdict.authors.push_back(std::move(author));
  }
  decide(verdict);
  co_return verdict;
}

}  // namespace watchpost::auth
