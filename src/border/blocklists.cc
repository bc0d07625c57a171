#include "border/blocklists.h"

#include "auth/domain_name.h"
#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace watchpost::border {
namespace {

constexpr size_t kLongestListName = 60;
constexpr size_t kMostSelected = 100;

struct Network {
  IpAddress address;
  int prefix = 32;
};

// "127.0.0.2", "127.0.0.0/24"
std::optional<Network> network_from(std::string_view text) {
  Network network;
  if (const size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(prefix.data(), prefix.data() + prefix.size(), network.prefix);
    if (error != std::errc() || end != prefix.data() + prefix.size()) return std::nullopt;
    text = text.substr(0, slash);
  }
  const auto address = parse_ip_address(text);
  if (!address || address->v6 || network.prefix < 0 || network.prefix > 32) return std::nullopt;
  network.address = *address;
  return network;
}

bool within(const IpAddress& address, std::string_view network) {
  const auto read = network_from(network);
  return read && address.in(read->address, read->prefix);
}

// Nobody lists these, and nobody else needs to know of them.
bool is_private(const IpAddress& address) {
  static constexpr std::array kPrivate{std::pair{"10.0.0.0", 8},     std::pair{"127.0.0.0", 8},
                                       std::pair{"169.254.0.0", 16}, std::pair{"172.16.0.0", 12},
                                       std::pair{"192.168.0.0", 16}, std::pair{"::", 127},
                                       std::pair{"fc00::", 7},       std::pair{"fe80::", 10}};
  return std::ranges::any_of(kPrivate, [&](const auto& one) {
    return address.in(*parse_ip_address(one.first), one.second);
  });
}

// RFC 5782 section 2.1 and 2.4: the address as reverse_name() has it, below the list's zone.
std::string question_of(const IpAddress& address, std::string_view zone) {
  std::string name = reverse_name(address);
  name.resize(name.size() - (address.v6 ? std::string_view("ip6.arpa").size()
                                        : std::string_view("in-addr.arpa").size()));
  return name.append(zone);
}

Listing listing_of(const BlocklistSettings& list, std::string about, const dns::Answer& answer) {
  Listing made;
  made.list = name_of(list);
  made.about = std::move(about);
  made.state = judge_listing(answer, list.answers, made.why);
  made.answers = answer.addresses;
  return made;
}

std::unexpected<Error> wrong(std::string what, std::string setting) {
  return fail(Code::bad_input, std::move(what), std::move(setting));
}

}  // namespace

std::string_view name_of(Listing::State state) {
  static constexpr std::array<std::string_view, 3> kNames{"not_listed", "listed", "unknown"};
  return kNames[static_cast<size_t>(state)];
}

std::string_view name_of(const BlocklistSettings& list) {
  return list.name.empty() ? list.zone : list.name;
}

ListedThings listed_things(const auth::Identity& identity) {
  ListedThings things;
  if (identity.connection.ip) {
    const IpAddress ip = unmapped(*identity.connection.ip);
    if (!is_private(ip)) things.ip = ip;
  }
  const auto add = [&](const std::string& domain) {
    const bool wanted = !domain.empty() && things.domains.size() < kMostListedDomains &&
                        std::ranges::find(things.domains, domain) == things.domains.end();
    if (wanted) things.domains.push_back(domain);
  };
  for (const std::string& domain : identity.authors.domains) add(domain);
  if (identity.sender) add(identity.sender->domain);
  for (const auth::DkimVerdict& one : identity.dkim) {
    if (one.passed()) add(one.domain);
  }
  return things;
}

Listing::State judge_listing(const dns::Answer& answer, std::span<const std::string> selected,
                             std::string& why) {
  using State = Listing::State;
  if (answer.outcome == dns::Outcome::failed) {
    why = answer.why;
    return State::unknown;
  }
  if (answer.outcome != dns::Outcome::found) return State::not_listed;
  for (const IpAddress& one : answer.addresses) {
    if (!within(one, "127.0.0.0/8")) {
      why = fmt::format("{} is no answer of a list: the resolver or the zone makes answers up",
                        one.text());
      return State::unknown;
    }
    if (within(one, "127.255.255.0/24") || within(one, "127.0.1.255")) {
      why = fmt::format("the list says by {} that it does not answer us", one.text());
      return State::unknown;
    }
  }
  const bool listed = std::ranges::any_of(answer.addresses, [&](const IpAddress& one) {
    return selected.empty() || std::ranges::any_of(selected, [&](const std::string& network) {
             return within(one, network);
           });
  });
  return listed ? State::listed : State::not_listed;
}

Async<std::vector<Listing>> ask_blocklists(std::span<const BlocklistSettings> lists,
                                           const ListedThings& things, dns::Resolver& resolver,
                                           dns::Budget& budget) {
  std::vector<Listing> all;
  for (const BlocklistSettings& list : lists) {
    if (list.of == "domain") {
      for (const std::string& domain : things.domains) {
        std::string name = fmt::format("{}.{}", domain, list.zone);
        const auto answer = co_await resolver.look_up(std::move(name), dns::RecordType::a, budget);
        all.push_back(listing_of(list, domain, *answer));
      }
    } else if (things.ip) {
      std::string name = question_of(*things.ip, list.zone);
      const auto answer = co_await resolver.look_up(std::move(name), dns::RecordType::a, budget);
      all.push_back(listing_of(list, things.ip->text(), *answer));
    }
  }
  co_return all;
}

Result<Done> check(const BlocklistSettings& settings) {
  if (!auth::ascii_domain(settings.zone)) {
    return wrong(fmt::format("`{}` is no domain", escaped(settings.zone, 60)), "zone");
  }
  // It becomes a word of findings and of header fields.
  const std::string_view name = name_of(settings);
  const auto is_plain = [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '.' || c == '-' ||
           c == '_';
  };
  if (name.size() > kLongestListName || !std::ranges::all_of(name, is_plain)) {
    return wrong(fmt::format("must be at most {} letters, digits, dots, - and _", kLongestListName),
                 settings.name.empty() ? "zone" : "name");
  }
  if (settings.of != "ip" && settings.of != "domain") return wrong("is ip or domain", "of");
  if (settings.answers.size() > kMostSelected) {
    return wrong(fmt::format("has more than {}", kMostSelected), "answers");
  }
  for (const std::string& one : settings.answers) {
    const auto network = network_from(one);
    if (!network || network->prefix < 8 || !within(network->address, "127.0.0.0/8")) {
      return wrong(fmt::format("`{}` is no address or network of 127.0.0.0/8", escaped(one, 60)),
                   "answers");
    }
  }
  return Done{};
}

}  // namespace watchpost::border
