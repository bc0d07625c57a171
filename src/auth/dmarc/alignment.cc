#include "auth/dmarc/alignment.h"

#include "auth/dmarc/public_suffixes.h"
#include "auth/domain_name.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::auth {
namespace {

using Mechanism = DmarcIdentifier::Mechanism;

// An organisational domain, as far as it can be known.
struct Organization {
  std::string domain;
  bool certain = true;  // every answer was there
  bool usable = true;   // nothing below `domain` failed: whatever is above it, those at or below
                        // it belong together
};

Organization organization_of(const DmarcWalk& walk) {
  Organization made{.domain = walk.organizational, .certain = walk.complete};
  for (const DmarcStep& step : walk.steps) {
    if (step.domain == made.domain && step.record) return made;
    if (step.finding == DmarcFinding::failed) break;
  }
  made.usable = made.certain;
  return made;
}

// Of the author domain, of which the policy's walk may already know it.
Async<Organization> author_organization(AuthorVerdict& author, const DmarcSettings& settings,
                                        DmarcLookUps& look_ups) {
  Organization made;
  if (settings.discovery == DmarcDiscovery::public_suffix_list) {
    made.domain = registered_domain(author.domain, settings.suffixes);
    co_return made;
  }
  if (author.walks.front().organizational.empty()) {
    DmarcWalk walk;
    walk.start = author.domain;
    walk.purpose = "author";
    co_await look_ups.go_up(walk);
    author.walks.push_back(std::move(walk));
  }
  made = organization_of(author.walks.back());
  co_return made;
}

Async<Organization> identifier_organization(AuthorVerdict& author,
                                            const DmarcIdentifier& identifier,
                                            const DmarcSettings& settings, DmarcLookUps& look_ups) {
  Organization made;
  if (settings.discovery == DmarcDiscovery::public_suffix_list) {
    made.domain = registered_domain(identifier.domain, settings.suffixes);
    co_return made;
  }
  DmarcWalk walk;
  walk.start = identifier.domain;
  walk.purpose = std::string(name_of(identifier.mechanism));
  co_await look_ups.go_up(walk);
  made = organization_of(walk);
  author.walks.push_back(std::move(walk));
  co_return made;
}

bool is_strict(const DmarcRecord& record, Mechanism mechanism) {
  return mechanism == Mechanism::spf ? record.strict_spf : record.strict_dkim;
}

// Why an identifier that aligns does not count; empty where it does.
std::string obstacle(const DmarcIdentifier& identifier, const DmarcSettings& settings) {
  switch (identifier.outcome) {
    case IdentifierOutcome::pass: break;
    case IdentifierOutcome::fail: return "it did not pass";
    case IdentifierOutcome::temperror: return "it could not be checked for now";
    case IdentifierOutcome::not_asked: return "it was not asked: no client address is known";
  }
  if (identifier.partial && !settings.trust_partial) return "it signs only a part of the body (l=)";
  return "";
}

// Whether nobody can say that it did not pass.
bool might_pass(IdentifierOutcome outcome) {
  return outcome == IdentifierOutcome::temperror || outcome == IdentifierOutcome::not_asked;
}

// Aligns the identifiers one after the other.
class Aligner {
 public:
  Aligner(AuthorVerdict& author, const DmarcQuestion& question, DmarcLookUps& look_ups)
      : author_(author), question_(question), look_ups_(look_ups) {}

  Async<bool> add(const DmarcIdentifier& identifier) {
    IdentifierAlignment made;
    made.identifier = identifier;
    bool known = true;
    if (identifier.outcome == IdentifierOutcome::not_asked && identifier.domain.empty()) {
      made.why = obstacle(identifier, question_.settings);
      result_.not_asked = true;
      author_.alignments.push_back(std::move(made));
      co_return known;
    }
    if (const auto ascii = ascii_domain(identifier.domain)) {
      made.identifier.domain = *ascii;
      known = co_await compare(made);
    } else {
      made.why = "its domain is none";
    }
    finish(made, known);
    author_.alignments.push_back(std::move(made));
    co_return known;
  }

  DmarcAlignments result() const {
    DmarcAlignments made = result_;
    if (made.passes) return made;
    if (made.unknown) {
      made.why = fmt::format("An identifier of {} could not be checked for now", author_.domain);
      return made;
    }
    made.why = fmt::format("Nothing that passed is aligned with {}", author_.domain);
    if (made.not_asked) made.why += "; SPF is not known: no client address";
    return made;
  }

 private:
  // Whether it could be found out.
  Async<bool> compare(IdentifierAlignment& made) {
    if (made.identifier.domain == author_.domain) {
      made.alignment = Alignment::strict;
      co_return true;
    }
    if (is_strict(*author_.record, made.identifier.mechanism)) {
      made.why = "strict alignment is asked for";
      co_return true;
    }
    // Nothing is asked of DNS for what cannot make a difference.
    if (made.identifier.outcome == IdentifierOutcome::fail) {
      made.why = "it did not pass";
      co_return true;
    }
    if (!organization_known_) {
      organization_ = co_await author_organization(author_, question_.settings, look_ups_);
      organization_known_ = true;
      author_.organizational = organization_.domain;
    }
    const bool known = co_await compare_organizations(made);
    co_return known;
  }

  Async<bool> compare_organizations(IdentifierAlignment& made) {
    const Organization& ours = organization_;
    if (!ours.usable) co_return false;
    // An organisational domain is the domain itself or above it.
    if (!is_same_or_below(made.identifier.domain, ours.domain)) {
      made.why = fmt::format("it does not belong to {}", ours.domain);
      co_return ours.certain;
    }
    const Organization theirs =
        co_await identifier_organization(author_, made.identifier, question_.settings, look_ups_);
    made.organizational = theirs.domain;
    if (theirs.usable && theirs.domain == ours.domain) {
      made.alignment = Alignment::relaxed;
      co_return true;
    }
    made.why = fmt::format("it belongs to {}", theirs.domain);
    co_return theirs.certain&& ours.certain;
  }

  void finish(IdentifierAlignment& made, bool known) {
    const DmarcIdentifier& identifier = made.identifier;
    const std::string stops = obstacle(identifier, question_.settings);
    if (!known) made.why = "its organisational domain could not be found out for now";
    if (known && made.alignment != Alignment::none && !stops.empty()) made.why = stops;
    if (!might_pass(identifier.outcome) && !stops.empty()) return;
    if (!known) result_.unknown = true;
    if (made.alignment == Alignment::none) return;
    if (!stops.empty()) {
      (identifier.outcome == IdentifierOutcome::not_asked ? result_.not_asked : result_.unknown) =
          true;
      return;
    }
    made.counts = true;
    made.why = fmt::format("{} alignment", name_of(made.alignment));
    if (!result_.passes) {
      result_.why = fmt::format("{} of {} passed and is aligned with {}",
                                identifier.mechanism == Mechanism::spf ? "SPF" : "DKIM",
                                identifier.domain, author_.domain);
    }
    result_.passes = true;
  }

  AuthorVerdict& author_;
  const DmarcQuestion& question_;
  DmarcLookUps& look_ups_;
  Organization organization_;
  bool organization_known_ = false;
  DmarcAlignments result_;
};

}  // namespace

Async<DmarcAlignments> align(AuthorVerdict& author, const DmarcQuestion& question,
                             DmarcLookUps& look_ups) {
  Aligner aligner(author, question, look_ups);
  for (const DmarcIdentifier& identifier : question.identifiers) {
    co_await aligner.add(identifier);
  }
  co_return aligner.result();
}

}  // namespace watchpost::auth
