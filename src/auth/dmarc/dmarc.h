#pragma once
#include "auth/dmarc/record.h"
#include "auth/dmarc/walk.h"
#include "auth/spf/spf.h"
#include "base/async.h"
#include "dns/resolver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// By the names of RFC 8601 section 2.7.4 and RFC 9989 section 9.2. `undecided` is none of theirs
// and is never written into a message: nothing that passed is aligned, and a mechanism that might
// have passed was not asked, so that nobody knows whether it is a pass or a fail.
enum class DmarcResult : uint8_t { none, pass, fail, temperror, permerror, undecided };
std::string_view name_of(DmarcResult result);

// What one mechanism says of one domain, as DMARC needs it.
// `not_asked`: what it needs is not known here, as the client's address is for SPF.
enum class IdentifierOutcome : uint8_t { pass, fail, temperror, not_asked };
std::string_view name_of(IdentifierOutcome outcome);
struct DmarcIdentifier {
  enum class Mechanism : uint8_t { spf, dkim };
  Mechanism mechanism = Mechanism::dkim;
  std::string domain;    // the MAIL FROM domain of SPF, of `not_asked` empty where it might be any;
                         // d= of a signature
  std::string selector;  // s= of a signature
  IdentifierOutcome outcome = IdentifierOutcome::fail;
  bool partial = false;  // a signature that covers only the beginning of the body (l=)
};
std::string_view name_of(DmarcIdentifier::Mechanism mechanism);  // "spf", "dkim"
// The identifier of a verdict about the MAIL FROM identity. Of any other there is none: DMARC never
// takes a pass of HELO for one (RFC 9989 section 4.4.2).
std::optional<DmarcIdentifier> identifier_of(const SpfVerdict& verdict);

struct DmarcSettings {
  DmarcDiscovery discovery = DmarcDiscovery::tree_walk;
  const PublicSuffixes* suffixes = nullptr;  // for DmarcDiscovery::public_suffix_list
  bool trust_partial = false;  // whether a signature with l= may give a pass (RFC 6376 section 8.2)
};

struct DmarcQuestion {
  // The domain of every address of every From field as it stands there, U-labels as well; of an
  // address without one "". Never a choice among them (reliability C1).
  std::vector<std::string> author_domains;
  std::vector<DmarcIdentifier> identifiers;
  // The domain of a listed ARC sealer that says the message passed where it was sealed; empty:
  // none.
  std::string trusted_sealer;
  DmarcSettings settings;
};

enum class Alignment : uint8_t { none, relaxed, strict };
std::string_view name_of(Alignment alignment);

// How one identifier stands to the author domain.
struct IdentifierAlignment {
  DmarcIdentifier identifier;
  Alignment alignment = Alignment::none;  // strict: the same name
  bool counts = false;                    // it is what the message passes by
  std::string organizational;  // the identifier's organisational domain where it had to be found
  std::string why;
};

// Why something else is done than the policy asks (RFC 9990 section 3.1, reason types).
enum class DmarcOverride : uint8_t { none, policy_test_mode, trusted_forwarder };
std::string_view name_of(DmarcOverride reason);  // "policy_test_mode"

// Of one author domain.
struct AuthorVerdict {
  std::string domain;  // A-labels; as it was given where it is no domain
  DmarcResult result = DmarcResult::none;
  std::string why;
  // The record that decided, and the domain it stands at ("_dmarc." before it is not part of it).
  std::optional<DmarcRecord> record;
  std::string record_domain;
  std::string organizational;  // of the author domain; empty where it was not needed
  DmarcRequest published = DmarcRequest::none;  // what the record asks for this domain
  std::string_view published_by;                // "p", "sp", "np"; empty where there is none
  // Why nobody knows what is asked for this domain: a look-up that decides it failed. Empty where
  // it is known; where not, `published` says nothing.
  std::string policy_unknown;
  DmarcRequest disposition = DmarcRequest::none;  // what to do: never more than published, and
                                                  // none unless the result is fail
  DmarcOverride override_reason = DmarcOverride::none;
  std::vector<IdentifierAlignment> alignments;  // in the order of the question
  std::vector<DmarcWalk> walks;                 // every query that was made, first the policy's
};

struct DmarcVerdict {
  DmarcResult result = DmarcResult::none;
  std::string why;
  std::vector<AuthorVerdict> authors;  // each domain once
  size_t decisive = 0;                 // index into `authors`, where there is one

  const AuthorVerdict* author() const {
    return decisive < authors.size() ? &authors[decisive] : nullptr;
  }
};

inline constexpr size_t kMostAuthorDomains = 8;      // more: permerror, nothing is looked up
inline constexpr size_t kMostDmarcIdentifiers = 32;  // more are left out

// RFC 9989 section 5.3. Several author domains: each is judged; it is a pass only where all pass,
// and the strictest of those that fail decides (section 5.3.1 leaves it to the receiver). No author
// domain: none. An address without a usable domain: permerror. A look-up that was needed and
// failed: temperror, unless the message passes without it. An identifier that was not asked and
// might be aligned: undecided, unless the message passes without it. `resolver` and `budget`
// outlive the wait, and so does `settings.suffixes`.
Async<DmarcVerdict> check_dmarc(DmarcQuestion question, dns::Resolver& resolver,
                                dns::Budget& budget);

}  // namespace watchpost::auth
