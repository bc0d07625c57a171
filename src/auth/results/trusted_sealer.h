#pragma once
#include "auth/arc/arc.h"
#include "auth/results/authors.h"

#include <span>
#include <string>

namespace watchpost::auth {

// The listed sealer whose word may take the place of a DMARC pass (RFC 8617 section 7.2.1, RFC 9989
// section 7.3): the chain passes, its last sealers are all listed, and one of them says that DMARC
// passed for the message's only author domain when it came in. Empty: none. Pure.
//   Why: a chain proves who sealed it, never that what they say is true; so nobody's word counts
//   but
//        that of those whom the administrator has named.
std::string trusted_sealer_of(const ArcVerdict& arc, const Authors& authors,
                              std::span<const std::string> listed);

}  // namespace watchpost::auth
