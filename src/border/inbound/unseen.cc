#include "border/inbound/unseen.h"

#include <algorithm>
#include <string_view>

namespace watchpost::border {
namespace {

using auth::DmarcIdentifier;
using auth::DmarcResult;

constexpr std::string_view kWhy = "only the beginning of the message was looked at";

void withhold(auth::DkimVerdict& signature) {
  if (signature.result == auth::DkimResult::none) return;
  signature.result = auth::DkimResult::neutral;
  signature.why = kWhy;
}

bool is_signature(const auth::IdentifierAlignment& one) {
  return one.identifier.mechanism == DmarcIdentifier::Mechanism::dkim;
}

// What is left of a verdict when its signatures say nothing.
void withhold(auth::AuthorVerdict& author) {
  bool might_have_passed = false;
  bool passes = false;
  for (auth::IdentifierAlignment& one : author.alignments) {
    if (is_signature(one)) {
      might_have_passed |= one.alignment != auth::Alignment::none;
      one.identifier.outcome = auth::IdentifierOutcome::not_asked;
      one.counts = false;
    }
    passes |= one.counts;
  }
  const bool decided = author.result == DmarcResult::pass || author.result == DmarcResult::fail;
  const bool forwarded = author.override_reason == auth::DmarcOverride::trusted_forwarder;
  if (!decided || passes || (author.result == DmarcResult::fail && !might_have_passed && !forwarded))
    return;
  author.result = DmarcResult::undecided;
  author.disposition = auth::DmarcRequest::none;
  author.override_reason = auth::DmarcOverride::none;
  author.why = kWhy;
}

}  // namespace

void withhold_signatures(auth::Identity& identity) {
  for (auth::DkimVerdict& one : identity.dkim) withhold(one);
  if (identity.arc.result != auth::ArcResult::none) {
    identity.arc.result = auth::ArcResult::temperror;
    identity.arc.why = kWhy;
  }
  identity.trusted_sealer.clear();
  for (auth::AuthorVerdict& author : identity.dmarc.authors) withhold(author);
  const auth::AuthorVerdict* const decisive = identity.dmarc.author();
  const bool decided = identity.dmarc.result == DmarcResult::pass ||
                       identity.dmarc.result == DmarcResult::fail;
  if (!decided || decisive == nullptr) return;
  const auto undecided = [](const auth::AuthorVerdict& one) {
    return one.result == DmarcResult::undecided;
  };
  // One author that fails whatever the signatures say decides (RFC 9989 section 5.3.1).
  if (decisive->result == DmarcResult::fail) return;
  if (std::ranges::any_of(identity.dmarc.authors, undecided)) {
    identity.dmarc.result = DmarcResult::undecided;
    identity.dmarc.why = kWhy;
  }
}

void withhold_author(auth::Identity& identity) {
  identity.authors.oddities.push_back(auth::AuthorOddity::cut_off);
  identity.login_is_author = false;
  if (identity.dmarc.result != DmarcResult::pass) return;
  identity.dmarc.result = DmarcResult::permerror;
  identity.dmarc.why = "the message has no certain author; the header was not read whole";
}

}  // namespace watchpost::border
