#include "auth/results/identity.h"

#include "auth/domain_name.h"
#include "auth/results/author_first.h"
#include "auth/results/trusted_sealer.h"
#include "dns/recorded.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

SpfVerdict no_identity(const Connection& connection, SpfIdentity identity, std::string why) {
  SpfVerdict verdict;
  verdict.identity = identity;
  verdict.asked = connection.ip && connection.login.empty();
  verdict.why = std::move(why);
  return verdict;
}

// What SPF is asked about one identity; nothing where there is nobody to ask about.
struct SpfAsk {
  std::optional<SpfQuestion> question;
  std::string why_not;
};

SpfQuestion question_of(const Connection& connection, const IdentityOptions& options,
                        SpfIdentity identity) {
  return {.ip = *connection.ip,
          .helo = connection.helo,
          .mail_from = {},
          .receiver = options.receiver,
          .identity = identity,
          .now = options.dkim.now};
}

constexpr std::string_view kSubmitted = "the client has logged in";

SpfAsk ask_helo(const Identity& identity, const IdentityOptions& options) {
  if (!identity.connection.login.empty()) return {std::nullopt, std::string(kSubmitted)};
  if (!identity.connection.ip) return {std::nullopt, "the client's address is not known"};
  if (identity.connection.helo.empty()) return {std::nullopt, "no HELO is known"};
  return {question_of(identity.connection, options, SpfIdentity::helo), {}};
}

SpfAsk ask_mail_from(const Identity& identity, const IdentityOptions& options) {
  if (!identity.connection.login.empty()) return {std::nullopt, std::string(kSubmitted)};
  if (!identity.connection.ip) return {std::nullopt, "the client's address is not known"};
  if (!identity.sender) return {std::nullopt, "MAIL FROM is no address"};
  if (!identity.sender->null() && identity.sender->domain.empty()) {
    return {std::nullopt, "MAIL FROM has no domain"};
  }
  SpfQuestion question = question_of(identity.connection, options, SpfIdentity::mail_from);
  if (!identity.sender->null()) {
    question.mail_from = fmt::format("{}@{}", identity.sender->local, identity.sender->domain);
  }
  return {std::move(question), {}};
}

IdentifierOutcome outcome_of(DkimResult result) {
  switch (result) {
    case DkimResult::pass: return IdentifierOutcome::pass;
    case DkimResult::temperror: return IdentifierOutcome::temperror;
    case DkimResult::none:
    case DkimResult::fail:
    case DkimResult::policy:
    case DkimResult::neutral:
    case DkimResult::permerror: break;
  }
  return IdentifierOutcome::fail;
}

// Each author's domain as it stands there. Words without an address beside one are nobody's.
std::vector<std::string> author_domains(const Authors& authors) {
  if (authors.certain()) return authors.domains;
  std::vector<std::string> domains;
  for (const mime::Address& one : authors.addresses) domains.push_back(one.domain);
  return domains;
}

// What SPF might have vouched for, had the client's address been known. Nothing where MAIL FROM has
// no domain to vouch for, without a domain where nobody knows what MAIL FROM was.
std::optional<DmarcIdentifier> unasked_identifier(const Identity& identity) {
  DmarcIdentifier unasked;
  unasked.mechanism = DmarcIdentifier::Mechanism::spf;
  unasked.outcome = IdentifierOutcome::not_asked;
  if (identity.connection.mail_from.empty()) return unasked;
  if (!identity.sender) return std::nullopt;
  if (!identity.sender->null() && identity.sender->domain.empty()) return std::nullopt;
  unasked.domain = identity.sender->null() ? identity.connection.helo : identity.sender->domain;
  return unasked;
}

// Whose SPF may vouch for the authors (RFC 7208 section 2.4); empty where nobody's may.
std::string spf_domain_of(const Identity& identity) {
  if (!identity.sender) return {};
  if (!identity.sender->null()) return identity.sender->domain;
  return ascii_domain(identity.connection.helo).value_or("");
}

// The keys before SPF, and those behind it: who shares more with an author is asked first.
struct KeyOrder {
  std::span<const KeyName> before, behind;
};
KeyOrder around_spf(std::span<const KeyName> keys, size_t spf_nearness) {
  const auto behind =
      std::ranges::find_if(keys, [&](const KeyName& key) { return key.nearness < spf_nearness; });
  const auto before = static_cast<size_t>(behind - keys.begin());
  return {keys.first(before), keys.subspan(before)};
}

DmarcQuestion dmarc_question(const Identity& identity, const IdentityOptions& options) {
  DmarcQuestion question;
  question.author_domains = author_domains(identity.authors);
  if (auto spf = identity.spf_mail_from.asked ? identifier_of(identity.spf_mail_from)
                                              : unasked_identifier(identity)) {
    question.identifiers.push_back(std::move(*spf));
  }
  for (const DkimVerdict& one : identity.dkim) {
    if (one.domain.empty()) continue;
    question.identifiers.push_back({.mechanism = DmarcIdentifier::Mechanism::dkim,
                                    .domain = one.domain,
                                    .selector = one.selector,
                                    .outcome = outcome_of(one.result),
                                    .partial = one.body_length.has_value()});
  }
  question.trusted_sealer = identity.trusted_sealer;
  question.settings = options.dmarc;
  return question;
}

// Reliability C1: what is aligned with one reading of the From field is no pass where there are
// others.
void withhold_uncertain_pass(Identity& identity) {
  if (identity.dmarc.result != DmarcResult::pass || identity.authors.certain()) return;
  identity.dmarc.result = DmarcResult::permerror;
  identity.dmarc.why = "the message has no certain author";
  for (const AuthorOddity oddity : identity.authors.oddities) {
    identity.dmarc.why += fmt::format("; {}", words_of(oddity));
  }
}

bool is_login_author(const Identity& identity) {
  if (identity.connection.login.empty() || !identity.authors.certain()) return false;
  std::vector<std::string> allowed = identity.connection.login_addresses;
  if (allowed.empty() && identity.connection.login.find('@') != 0) {
    allowed.push_back(identity.connection.login);
  }
  return std::ranges::all_of(identity.authors.addresses, [&](const mime::Address& author) {
    return std::ranges::any_of(allowed,
                               [&](const std::string& one) { return may_write_as(author, one); });
  });
}

DmarcVerdict not_asked(std::string_view why) {
  DmarcVerdict verdict;
  verdict.why = why;
  return verdict;
}

}  // namespace

bool may_write_as(const mime::Address& author, std::string_view allowed) {
  const auto own = parse_reverse_path(allowed);
  if (!own || own->domain.empty()) return false;
  return mail_domain(author.domain) == own->domain &&
         (own->local.empty() || own->local == author.local);
}

Async<Identity> check_identity(const mime::Message& message, Connection connection,
                               dns::Resolver& asked, dns::Budget& budget, IdentityOptions options) {
  dns::Recorded resolver(asked);
  co_return co_await check_identity(message, std::move(connection), resolver, budget,
                                    std::move(options));
}

Async<Identity> check_identity(const mime::Message& message, Connection connection,
                               dns::Recorded& resolver, dns::Budget& budget,
                               IdentityOptions options) {
  const uint32_t made_before = budget.made;
  Identity identity;
  identity.connection = std::move(connection);
  identity.sender = parse_reverse_path(identity.connection.mail_from);
  identity.authors = authors_of(message);

  // Each step may use up the budget: what decides about the authors comes first.
  const std::vector<std::string>& domains = identity.authors.domains;
  if (identity.connection.login.empty()) {
    co_await ask_policies(domains, options.dmarc.discovery, resolver, budget);
  }
  std::vector<Signature> signatures = signatures_of(message, options.dkim);
  const std::vector<KeyName> keys = key_names(signatures, domains);
  const KeyOrder order = around_spf(keys, nearness(spf_domain_of(identity), domains));
  co_await ask_keys(order.before, resolver, budget);
  SpfAsk mail_from = ask_mail_from(identity, options);
  if (mail_from.question) {
    identity.spf_mail_from = co_await check_spf(std::move(*mail_from.question), resolver, budget);
  } else {
    identity.spf_mail_from =
        no_identity(identity.connection, SpfIdentity::mail_from, std::move(mail_from.why_not));
  }
  co_await ask_keys(order.behind, resolver, budget);
  if (identity.connection.ip) {
    identity.host = co_await dns::host_names(resolver, *identity.connection.ip, budget);
  }
  SpfAsk helo = ask_helo(identity, options);
  if (helo.question) {
    identity.spf_helo = co_await check_spf(std::move(*helo.question), resolver, budget);
  } else {
    identity.spf_helo =
        no_identity(identity.connection, SpfIdentity::helo, std::move(helo.why_not));
  }
  identity.dkim =
      co_await verify_signatures(message, std::move(signatures), resolver, budget, options.dkim);
  identity.arc = co_await verify_arc(message, resolver, budget, options.dkim);
  identity.trusted_sealer =
      trusted_sealer_of(identity.arc, identity.authors, options.trusted_sealers);
  identity.login_is_author = is_login_author(identity);
  if (identity.connection.login.empty()) {
    identity.dmarc = co_await check_dmarc(dmarc_question(identity, options), resolver, budget);
  } else {
    identity.dmarc = not_asked(kSubmitted);
  }
  withhold_uncertain_pass(identity);
  identity.look_ups = budget.made - made_before;
  co_return identity;
}

std::optional<std::string> proven_reporter(const Identity& identity,
                                           std::span<const std::string> reporters) {
  if (!identity.authors.certain() || identity.authors.domains.size() != 1) return std::nullopt;
  const std::string& author = identity.authors.domains.front();
  for (const DkimVerdict& one : identity.dkim) {
    // RFC 6376 section 3.6.1: mail of a domain in testing mode is as unsigned mail.
    if (!one.counts_for_dmarc() || one.has(DkimWeakness::testing) ||
        one.has(DkimWeakness::doubled_field) || !is_same_or_below(author, one.domain)) {
      continue;
    }
    for (const std::string& reporter : reporters) {
      if (ascii_domain(reporter) == one.domain) return one.domain;
    }
  }
  return std::nullopt;
}

}  // namespace watchpost::auth
