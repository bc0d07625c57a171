#include "dns/host_names.h"

#include <algorithm>

namespace watchpost::dns {

std::string_view name_of(Iprev iprev) {
  switch (iprev) {
    case Iprev::pass: return "pass";
    case Iprev::fail: return "fail";
    case Iprev::temperror: return "temperror";
    case Iprev::permerror: return "permerror";
  }
  return "";
}

Async<HostNames> host_names(Resolver& resolver, IpAddress address, Budget& budget) {
  HostNames found;
  const IpAddress host = unmapped(address);
  const AnswerPtr names = co_await resolver.look_up(reverse_name(host), RecordType::ptr, budget);
  if (names->outcome == Outcome::failed) {
    found.result = Iprev::temperror;
    found.why = names->why;
  }
  if (names->outcome != Outcome::found) co_return found;
  const size_t count = std::min(names->names.size(), kMostHostNames);
  found.not_looked_at = names->names.size() - count;
  for (size_t i = 0; i < count; ++i) {
    const std::string name = names->names[i];
    const AnswerPtr back =
        co_await resolver.look_up(name, host.v6 ? RecordType::aaaa : RecordType::a, budget);
    const bool agrees = std::ranges::count(back->addresses, host) > 0;
    (agrees ? found.confirmed : found.unconfirmed).push_back(name);
    if (back->outcome == Outcome::failed && found.why.empty()) found.why = back->why;
  }
  if (!found.confirmed.empty()) {
    found.result = Iprev::pass;
    found.why.clear();
  } else {
    found.result = found.why.empty() ? Iprev::fail : Iprev::temperror;
  }
  co_return found;
}

}  // namespace watchpost::dns
