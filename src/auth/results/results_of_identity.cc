#include "auth/results/identity.h"

#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

void add(MethodResult& one, std::string_view type, std::string_view name, std::string value) {
  if (value.empty()) return;
  one.properties.push_back({std::string(type), std::string(name), std::move(value)});
}

// A pass explains itself by its properties.
MethodResult method(std::string_view name, std::string_view result, std::string reason = {}) {
  MethodResult made;
  made.method = name;
  made.result = result;
  if (result != "pass") made.reason = std::move(reason);
  return made;
}

// The address as it is compared, not as it was written.
std::string address_of(const ReversePath& sender) {
  return mime::Address{.local = sender.local, .domain = sender.domain}.text();
}

// RFC 8601 section 2.7.3.
void add_iprev(const Identity& identity, AuthenticationResults& into) {
  if (!identity.host || !identity.connection.ip) return;
  MethodResult one = method("iprev", name_of(identity.host->result), identity.host->why);
  if (!identity.host->confirmed.empty()) one.comment = identity.host->confirmed.front();
  add(one, "policy", "iprev", identity.connection.ip->text());
  into.results.push_back(std::move(one));
}

// RFC 8601 section 2.7.2. Each identity is a result of its own, so that none is taken for the
// other.
void add_spf(const Identity& identity, AuthenticationResults& into) {
  if (!identity.connection.ip || !identity.connection.login.empty()) return;
  if (!identity.connection.helo.empty()) {
    MethodResult one = method("spf", name_of(identity.spf_helo.result), identity.spf_helo.why);
    add(one, "smtp", "helo", identity.spf_helo.domain);
    if (!one.properties.empty()) into.results.push_back(std::move(one));
  }
  // The null sender has no identity but postmaster@HELO, which is said.
  MethodResult one =
      method("spf", name_of(identity.spf_mail_from.result), identity.spf_mail_from.why);
  if (identity.sender && !identity.sender->null()) {
    add(one, "smtp", "mailfrom", address_of(*identity.sender));
  } else if (!identity.spf_mail_from.domain.empty()) {
    add(one, "smtp", "mailfrom", "postmaster@" + identity.spf_mail_from.domain);
  }
  into.results.push_back(std::move(one));
}

// RFC 8601 section 2.7.1, RFC 6008 for header.b.
void add_dkim(const Identity& identity, AuthenticationResults& into) {
  if (identity.dkim.empty()) into.results.push_back(method("dkim", "none"));
  for (const DkimVerdict& signature : identity.dkim) {
    MethodResult one = method("dkim", name_of(signature.result), signature.why);
    for (const DkimWeakness weakness : signature.weaknesses) {
      if (!one.comment.empty()) one.comment += ", ";
      one.comment += name_of(weakness);
    }
    add(one, "header", "d", signature.domain);
    add(one, "header", "s", signature.selector);
    add(one, "header", "i", signature.identity);
    add(one, "header", "a", signature.algorithm);
    add(one, "header", "b", signature.b_begin);
    into.results.push_back(std::move(one));
  }
}

// RFC 8617 section 7.1 and 10.2.
void add_arc(const Identity& identity, AuthenticationResults& into) {
  MethodResult one = method("arc", name_of(identity.arc.result), identity.arc.why);
  if (identity.arc.passed()) {
    one.comment = fmt::format("i={} by {}", identity.arc.sets.size(), identity.arc.sealer());
    add(one, "header", "oldest-pass", fmt::format("{}", identity.arc.oldest_pass));
  }
  if (identity.arc.result != ArcResult::none && identity.connection.ip) {
    add(one, "smtp", "remote-ip", identity.connection.ip->text());
  }
  into.results.push_back(std::move(one));
}

// RFC 8601 section 2.7.4, RFC 9989 section 9.1. With several authors the one that decided. There is
// no word for what was not asked, as there is none for SPF: it is left out.
void add_dmarc(const Identity& identity, AuthenticationResults& into) {
  if (identity.dmarc.result == DmarcResult::undecided) return;
  MethodResult one = method("dmarc", name_of(identity.dmarc.result), identity.dmarc.why);
  if (const AuthorVerdict* const author = identity.dmarc.author()) {
    add(one, "header", "from", mail_domain(author->domain).value_or(""));
    if (author->record) {
      add(one, "polrec", "p", std::string(name_of(author->record->for_domain())));
      if (author->record_domain != author->domain) {
        add(one, "polrec", "domain", author->record_domain);
      }
      add(one, "policy", "dmarc", std::string(name_of(author->disposition)));
      if (author->override_reason != DmarcOverride::none) {
        add(one, "policy", "override", std::string(name_of(author->override_reason)));
      }
    }
  }
  into.results.push_back(std::move(one));
}

}  // namespace

AuthenticationResults results_of(const Identity& identity, std::string authserv_id) {
  AuthenticationResults results{.authserv_id = std::move(authserv_id)};
  if (!identity.connection.login.empty()) {
    MethodResult one = method("auth", "pass");
    add(one, "smtp", "auth", identity.connection.login);
    results.results.push_back(std::move(one));
  }
  add_iprev(identity, results);
  add_spf(identity, results);
  add_dkim(identity, results);
  add_arc(identity, results);
  add_dmarc(identity, results);
  return results;
}

}  // namespace watchpost::auth
