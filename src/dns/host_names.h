#pragma once
#include "base/async.h"
#include "base/ip_address.h"
#include "dns/resolver.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::dns {

// RFC 8601 section 2.7.3
enum class Iprev : uint8_t {
  pass,       // a name of the address has the address
  fail,       // it has names, and none of them has the address
  temperror,  // nobody knows: an answer that might have confirmed one was not to be had
  permerror,  // it has no name
};
std::string_view name_of(Iprev iprev);

inline constexpr size_t kMostHostNames = 10;

// The names of a host, by both ways.
struct HostNames {
  Iprev result = Iprev::permerror;
  std::vector<std::string> confirmed;    // in the order of the PTR records
  std::vector<std::string> unconfirmed;  // names whose addresses are others, or are not known
  size_t not_looked_at = 0;              // names past the tenth
  std::string why;                       // of temperror: one sentence
};

// The PTR names of an address, ten at most, each confirmed by its A or AAAA. An IPv4 address
// written within IPv6 is one of IPv4. Costs eleven look-ups at most. `budget` and `resolver`
// outlive the wait.
Async<HostNames> host_names(Resolver& resolver, IpAddress address, Budget& budget);

}  // namespace watchpost::dns
