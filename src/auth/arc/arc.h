#pragma once
#include "auth/dkim/dkim.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// RFC 8617 section 4.4; `temperror` is no value of cv=, and says that nobody knows.
enum class ArcResult : uint8_t { none, pass, fail, temperror };
std::string_view name_of(ArcResult result);  // "pass"

// The set of one sealer (RFC 8617 section 4.2).
struct ArcSet {
  uint32_t instance = 0;
  std::string cv;       // of the seal, in lower case: "none", "pass", "fail"; what it says
  DkimVerdict seal;     // of ARC-Seal; `none` where nobody looked at it
  DkimVerdict message;  // of ARC-Message-Signature, the same
  // Of ARC-Authentication-Results what stands behind "i=N;", unfolded: as RFC 8601 has it, not
  // parsed. Worth as much as the sealer is trusted.
  std::string authentication_results;
};

// What became of a chain. Immutable once given.
struct ArcVerdict {
  ArcResult result = ArcResult::none;
  std::string why;           // one sentence; empty for `none` and `pass`
  std::vector<ArcSet> sets;  // i=1 first; what could be read of them where the result is `fail`
  // The lowest instance whose message signature, and those of all after it, still fit the message:
  // 0 where all do (RFC 8617 section 5.2).
  uint32_t oldest_pass = 0;

  bool passed() const { return result == ArcResult::pass; }
  // Who vouches for the chain as a whole: the domain of the last seal. Empty without a set.
  std::string_view sealer() const {
    return sets.empty() ? std::string_view() : std::string_view(sets.back().seal.domain);
  }
};

inline constexpr uint32_t kMostArcSets = 50;  // RFC 8617 section 5.1

// Verifies the chain of a message (RFC 8617 section 5.2). A fault of structure fails without a
// look-up.
//   Owns, threads: as verify_dkim().
Async<ArcVerdict> verify_arc(const mime::Message& message, dns::Resolver& resolver,
                             dns::Budget& budget, DkimOptions options);

}  // namespace watchpost::auth
