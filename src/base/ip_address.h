#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost {

// An IPv4 or IPv6 address.
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // of IPv4 the first four

  int bits() const { return v6 ? 128 : 32; }
  std::string text() const;  // "192.0.2.1", "2001:db8::1" (RFC 5952)
  // Whether the first `prefix` bits are those of `network`; never of the other family.
  bool in(const IpAddress& network, int prefix) const;
  auto operator<=>(const IpAddress&) const = default;
};

// The strict forms: four decimals without leading zeros; RFC 4291 section 2.2. No brackets, zones
// or blanks. An IPv4-mapped IPv6 address stays what it is: unmapped() makes it IPv4.
std::optional<IpAddress> parse_ip_address(std::string_view text);
IpAddress unmapped(const IpAddress& address);

// The name under which DNS has the address's names: "1.2.0.192.in-addr.arpa", "....ip6.arpa".
std::string reverse_name(const IpAddress& address);

}  // namespace watchpost
