#pragma once
#include "auth/results/identity.h"
#include "base/async.h"
#include "base/ip_address.h"
#include "border/settings.h"
#include "dns/resolver.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::border {

// What a DNS list says of one address or domain.
struct Listing {
  enum class State : uint8_t {
    not_listed,
    listed,
    unknown,  // nobody answered, or the answer says nothing about the thing itself
  };
  std::string list;   // its name
  std::string about;  // "192.0.2.1", "shop.example"
  State state = State::unknown;
  std::vector<IpAddress> answers;
  std::string why;  // of unknown: one sentence
};
std::string_view name_of(Listing::State state);

// What is looked up of one message.
struct ListedThings {
  std::optional<IpAddress> ip;       // none where it cannot be listed: not known, or a private one
  std::vector<std::string> domains;  // of the authors, the envelope sender, signatures that hold;
                                     // each once
};
inline constexpr size_t kMostListedDomains = 10;
ListedThings listed_things(const auth::Identity& identity);

// A list's answer, judged (RFC 5782 section 2.1): what is not within 127.0.0.0/8 comes from a
// resolver that makes answers up, 127.255.255.0/24 and 127.0.1.255 say that the list does not
// answer us. Neither is a listing. `selected` as BlocklistSettings::answers. Pure.
Listing::State judge_listing(const dns::Answer& answer, std::span<const std::string> selected,
                             std::string& why);

// Asks all lists, one after the other: the budget is one. Each look-up is charged to it. All that
// is given outlives the wait.
Async<std::vector<Listing>> ask_blocklists(std::span<const BlocklistSettings> lists,
                                           const ListedThings& things, dns::Resolver& resolver,
                                           dns::Budget& budget);

// How it is called in reasons.
std::string_view name_of(const BlocklistSettings& list);

}  // namespace watchpost::border
