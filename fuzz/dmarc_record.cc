// DMARC records as a domain may publish them, and walks through a tree that has such records
// anywhere. The first line has the author domains, the second the domains of identifiers, all
// others are records: at most eight queries a walk, and no more is done than what is published.
#include "auth/dmarc/dmarc.h"
#include "auth/dmarc/explain.h"
#include "auth/domain_name.h"
#include "base/result.h"
#include "base/text.h"
#include "made_up_dns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace watchpost;
using namespace watchpost::auth;

namespace {

void check_record(std::string_view text) {
  const auto record = parse_dmarc_record(text);
  if (!record) return;
  WP_CHECK(record->text == text && text.size() <= kLongestDmarcRecord);
  WP_CHECK(text.contains("DMARC1"));
  WP_CHECK(!record->request_is_broken || record->for_domain() == DmarcRequest::none);
  WP_CHECK(record->request_is_broken || record->p.has_value());
  WP_CHECK(one_weaker(record->for_domain()) <= record->for_domain());
  for (const std::string& uri : record->rua) WP_CHECK(uri.contains(':') && !uri.contains('!'));
  WP_CHECK(!record->pct || *record->pct <= 100);
}

void check_targets(const std::string& text) {
  const auto domain = ascii_domain(text);
  if (!domain) return;
  const auto targets = walk_targets(*domain);
  WP_CHECK(!targets.empty() && targets.size() <= kMostDmarcQueries && targets[0] == *domain);
  for (size_t i = 1; i < targets.size(); ++i) {
    WP_CHECK(is_same_or_below(targets[i - 1], targets[i]) && targets[i - 1] != targets[i]);
  }
  WP_CHECK(!targets.back().contains('.') || targets.size() == 1);
}

void check_author(const AuthorVerdict& author) {
  WP_CHECK(author.disposition <= author.published);
  WP_CHECK(author.disposition == DmarcRequest::none || author.result == DmarcResult::fail);
  WP_CHECK(author.record.has_value() || author.published_by.empty());
  WP_CHECK(author.policy_unknown.empty() || author.published_by.empty());
  const bool counts = std::ranges::any_of(author.alignments, &IdentifierAlignment::counts);
  WP_CHECK(counts == (author.result == DmarcResult::pass));
  const bool not_asked = std::ranges::any_of(author.alignments, [](const IdentifierAlignment& one) {
    return one.identifier.outcome == IdentifierOutcome::not_asked;
  });
  WP_CHECK(not_asked || author.result != DmarcResult::undecided);
  for (const IdentifierAlignment& one : author.alignments) {
    WP_CHECK(!one.counts || one.identifier.outcome == IdentifierOutcome::pass);
    WP_CHECK(!one.counts || !one.identifier.partial);
  }
  for (const DmarcWalk& walk : author.walks) {
    WP_CHECK(walk.steps.size() <= kMostDmarcQueries && !words_of(walk).empty());
    // An organisational domain is the domain or above it.
    WP_CHECK(walk.organizational.empty() || is_same_or_below(walk.start, walk.organizational));
  }
  WP_CHECK(!policy_in_words(author).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto lines = fuzz::lines_of(std::string_view(reinterpret_cast<const char*>(data), size));
  DmarcQuestion question;
  if (!lines.empty()) {
    for (const std::string_view one : words(lines[0])) question.author_domains.emplace_back(one);
  }
  if (lines.size() > 1) {
    for (const std::string_view one : words(lines[1])) {
      DmarcIdentifier identifier;
      identifier.domain = std::string(one);
      identifier.outcome = static_cast<IdentifierOutcome>(one.size() % 4);
      identifier.partial = one.size() % 5 == 0;
      question.identifiers.push_back(std::move(identifier));
    }
  }
  for (const std::string& line : lines) {
    check_record(line);
    check_targets(line);
  }
  fuzz::MadeUpDns dns(lines, IpAddress());
  dns::Budget budget;
  const auto verdict = value_now(check_dmarc(question, dns, budget));
  WP_CHECK(verdict.has_value() && !verdict->why.empty());
  WP_CHECK(verdict->authors.size() <= kMostAuthorDomains);
  for (const AuthorVerdict& author : verdict->authors) check_author(author);
  WP_CHECK(verdict->authors.empty() == (verdict->author() == nullptr));
  const size_t walks = 2 + kMostDmarcIdentifiers;
  WP_CHECK(dns.queries() <= kMostAuthorDomains * (walks * kMostDmarcQueries + 1));
  return 0;
}
