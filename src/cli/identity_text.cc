#include "cli/identity_text.h"

#include "base/text.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::cli {
namespace {

constexpr size_t kLongestShown = 400;

// "a; b", what is empty left out.
std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string all;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!all.empty()) all += between;
    all += part;
  }
  return all;
}

std::string author_text(const auth::Authors& authors) {
  std::vector<std::string> texts;
  for (const mime::Address& one : authors.addresses) {
    texts.push_back(one.text().empty() ? one.name : one.text());
  }
  return texts.empty() ? "nobody" : joined(texts, ", ");
}

std::string spf_text(std::string_view identity, const auth::SpfVerdict& verdict) {
  return joined(
      {fmt::format("{} {}", identity, verdict.domain.empty() ? "-" : verdict.domain), verdict.why},
      ": ");
}

std::string signature_text(const auth::DkimVerdict& one) {
  std::string weak;
  for (const auth::DkimWeakness weakness : one.weaknesses) {
    weak += fmt::format("{}{}", weak.empty() ? "weak by " : ", ", name_of(weakness));
  }
  const std::string key = one.key_bits > 0 ? fmt::format(", {} bits", one.key_bits) : "";
  return joined({fmt::format("d={} s={} {}{}", one.domain, one.selector, one.algorithm, key),
                 one.why, std::move(weak)},
                "; ");
}

std::string chain_text(const auth::ArcVerdict& arc) {
  if (arc.sets.empty()) return arc.why;
  return joined({fmt::format("{}, the last one by {}", counted(arc.sets.size(), "set"),
                             arc.sealer().empty() ? "?" : arc.sealer()),
                 arc.why},
                "; ");
}

std::string client_text(const auth::Identity& identity) {
  const dns::HostNames& host = *identity.host;
  std::string names;
  if (!host.confirmed.empty()) names = joined(host.confirmed, ", ");
  if (host.confirmed.empty() && !host.unconfirmed.empty()) {
    names = joined(host.unconfirmed, ", ") + " (of other addresses)";
  }
  if (host.confirmed.empty() && host.unconfirmed.empty()) names = "no name";
  return joined({identity.connection.ip->text(), std::move(names), host.why}, ": ");
}

// Whether it is authentic; where nobody could say, that.
std::string standing_of(const Terminal& terminal, const auth::Identity& identity) {
  if (identity.author_is_authentic()) return terminal.paint("authentic", Colour::green);
  if (identity.dmarc.result == auth::DmarcResult::undecided) {
    return terminal.paint("undecided", Colour::yellow);
  }
  return terminal.paint("not authentic", Colour::red);
}

void print_oddities(const Terminal& terminal, const auth::Authors& authors) {
  std::string_view label = "odd";
  for (const auth::AuthorOddity one : authors.oddities) {
    print_row(terminal, label, "", words_of(one));
    label = "";
  }
}

}  // namespace

Colour colour_of(std::string_view result) {
  if (result == "pass") return Colour::green;
  if (result == "fail" || result == "permerror" || result == "reject") return Colour::red;
  return result == "none" ? Colour::faint : Colour::yellow;
}

void print_row(const Terminal& terminal, std::string_view label, std::string_view result,
               std::string_view hostile) {
  std::string line = fmt::format("  {:<10}", label);
  if (!result.empty()) {
    const std::string padded =
        hostile.empty() ? std::string(result) : fmt::format("{:<10}", result);
    line += " " + terminal.paint(padded, colour_of(result));
  }
  if (!hostile.empty()) line += " " + escaped(hostile, kLongestShown);
  terminal.line(line);
}

void print(const Terminal& terminal, std::string_view file, const auth::Identity& identity) {
  terminal.line(fmt::format("{}: from {}, {}", escaped(file),
                            terminal.paint(author_text(identity.authors), Colour::bold),
                            standing_of(terminal, identity)));
  print_oddities(terminal, identity.authors);
  if (!identity.connection.login.empty()) {
    print_row(terminal, "login", identity.login_is_author ? "pass" : "fail",
              fmt::format(
                  "{} {}", identity.connection.login,
                  identity.login_is_author ? "writes as itself" : "may not write as this author"));
  } else if (identity.connection.ip) {
    print_row(terminal, "client", name_of(identity.host->result), client_text(identity));
    print_row(terminal, "spf", name_of(identity.spf_mail_from.result),
              spf_text("MAIL FROM", identity.spf_mail_from));
    print_row(terminal, "", name_of(identity.spf_helo.result), spf_text("HELO", identity.spf_helo));
  } else {
    print_row(terminal, "spf", "not asked", "the client's address is not known; give it with --ip");
  }
  if (identity.dkim.empty()) print_row(terminal, "dkim", "none", "it is not signed");
  for (const auth::DkimVerdict& one : identity.dkim) {
    print_row(terminal, &one == &identity.dkim.front() ? "dkim" : "", name_of(one.result),
              signature_text(one));
  }
  print_row(terminal, "arc", name_of(identity.arc.result), chain_text(identity.arc));
  print_row(terminal, "dmarc", name_of(identity.dmarc.result), identity.dmarc.why);
  if (identity.dmarc.authors.size() < 2 && identity.dmarc.author() == nullptr) return;
  for (const auth::AuthorVerdict& one : identity.dmarc.authors) print(terminal, one);
}

void print(const Terminal& terminal, const auth::SpfVerdict& verdict) {
  print_row(terminal, "spf", name_of(verdict.result), spf_text(name_of(verdict.identity), verdict));
  if (!verdict.record.empty()) {
    print_row(terminal, "record", "", fmt::format("{}: {}", verdict.decided_at, verdict.record));
  }
  if (!verdict.mechanism.empty()) {
    std::vector<std::string> terms{verdict.mechanism};
    terms.insert(terms.end(), verdict.within.begin(), verdict.within.end());
    print_row(terminal, "by", "", joined(terms, ", within it "));
  }
  if (!verdict.explanation.empty()) print_row(terminal, "they say", "", verdict.explanation);
  print_row(terminal, "look-ups", "",
            fmt::format("{} of {}, {} of {} without an answer", verdict.look_ups,
                        auth::kMostSpfLookUps, verdict.void_look_ups, auth::kMostSpfVoidLookUps));
}

void print(const Terminal& terminal, const auth::AuthorVerdict& author) {
  print_row(terminal, "author", name_of(author.result), joined({author.domain, author.why}, ": "));
  if (author.record) {
    print_row(terminal, "record", "",
              fmt::format("{}: {}", author.record_domain, author.record->text));
  }
  if (!author.policy_unknown.empty()) {
    print_row(terminal, "asks for", "unknown", author.policy_unknown);
  } else if (!author.published_by.empty()) {
    print_row(
        terminal, "asks for", name_of(author.published),
        fmt::format("by {}=; to be done: {}{}", author.published_by, name_of(author.disposition),
                    author.override_reason == auth::DmarcOverride::none
                        ? ""
                        : fmt::format(" ({})", name_of(author.override_reason))));
  }
  std::string_view label = "aligned";
  for (const auth::IdentifierAlignment& one : author.alignments) {
    print_row(terminal, label, "",
              fmt::format("{} {} {}: {}", name_of(one.identifier.mechanism), one.identifier.domain,
                          name_of(one.alignment),
                          one.why.empty() ? (one.counts ? "counts" : "does not count") : one.why));
    label = "";
  }
}

}  // namespace watchpost::cli
