#pragma once
#include "auth/dkim/signature.h"
#include "base/async.h"
#include "crypto/digest.h"
#include "dns/resolver.h"

namespace watchpost::auth {

// Fetches the keys of a usable signature and holds it against them: gives its verdict a result.
// Of several records at one name the first that fits counts (RFC 6376 section 6.1.2).
//   Owns: nothing; `signature` and what options point to outlive the wait.
Async<Done> check_with_key(Signature& signature, crypto::Sha256 digest, dns::Resolver& resolver,
                           dns::Budget& budget, DkimOptions options);

}  // namespace watchpost::auth
