#pragma once
#include "auth/dkim/signature.h"
#include "auth/dmarc/dmarc.h"
#include "base/async.h"
#include "base/result.h"
#include "dns/recorded.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// Asks what decides whether a message is from its authors before anything else, and their own name
// servers before those of others; `resolver` remembers the answers. Else whoever sends it would
// choose, by names of his own that cost all that a message may or never answer, that nobody knows
// the policy of the domain he pretends to be of, or whether it vouches for him.

// The policies of the authors' domains, where RFC 9989 section 4.10 looks for them. All arguments
// outlive the wait.
Async<Done> ask_policies(std::span<const std::string> author_domains, DmarcDiscovery discovery,
                         dns::Recorded& resolver, dns::Budget& budget);

// How many labels at its end a domain shares with the author's that it shares most with. What may
// be aligned with an author shares more than what cannot be. Pure.
size_t nearness(std::string_view domain, std::span<const std::string> author_domains);

// The name of a signature's key.
struct KeyName {
  std::string name;
  size_t nearness = 0;
};
// Of the signatures that will be verified, the nearest first. Pure.
std::vector<KeyName> key_names(std::span<const Signature> signatures,
                               std::span<const std::string> author_domains);
// All arguments outlive the wait.
Async<Done> ask_keys(std::span<const KeyName> keys, dns::Recorded& resolver, dns::Budget& budget);

}  // namespace watchpost::auth
