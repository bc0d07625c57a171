#pragma once
#include "auth/dmarc/walk.h"
#include "base/async.h"
#include "dns/resolver.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// Asks DNS for the records of one message: each name once.
class DmarcLookUps {
 public:
  DmarcLookUps(dns::Resolver& resolver, dns::Budget& budget)
      : resolver_(resolver), budget_(budget) {}

  Async<DmarcStep> ask(std::string domain);
  // Asks for the walk's further names, until one ends it; then says what its organisational domain
  // is. The walk outlives the wait.
  Async<bool> go_up(DmarcWalk& walk);
  // Whether a domain is there (RFC 9989 section 3.2.13); nothing where nobody knows.
  Async<std::optional<bool>> exists(std::string domain);

 private:
  dns::Resolver& resolver_;
  dns::Budget& budget_;
  std::map<std::string, DmarcStep, std::less<>> known_;
};

// The record that counts for an author domain (RFC 9989 section 4.10.1).
struct DmarcPolicySource {
  std::optional<DmarcRecord> record;
  std::string domain;   // where it stands
  bool failed = false;  // nobody knows
  std::string why;      // there is none, or none that can be used
};

// Adds the walk to `walks`; all arguments outlive the wait.
Async<DmarcPolicySource> find_policy(const std::string& author, DmarcDiscovery discovery,
                                     const PublicSuffixes* suffixes, DmarcLookUps& look_ups,
                                     std::vector<DmarcWalk>& walks);

// Whether the organisational domain is what it would be with all answers: true as well where
// nothing but the top-level domain failed, and the record stands right below it.
bool policy_is_certain(const DmarcWalk& walk);

}  // namespace watchpost::auth
