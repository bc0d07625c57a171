#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace watchpost::feedback {

// The address of a client as a number. An IPv4 address written within IPv6 (::ffff:192.0.2.1) is
// one of IPv4.
struct ClientAddress {
  bool v6 = false;
  uint32_t v4 = 0;                   // of IPv4, in the order of its text
  std::array<uint16_t, 8> groups{};  // of IPv6
  bool operator==(const ClientAddress&) const = default;
};
// Total; nothing for what is no address, has a zone ("fe80::1%eth0") or a leading zero.
std::optional<ClientAddress> client_address(std::string_view text);

// The network that an address is judged with: "192.0.2.0/24", "2001:db8:1::/48" (RFC 5952).
struct NetworkText {
  std::array<char, 20> bytes;
  size_t size = 0;
  std::string_view view() const { return {bytes.data(), size}; }
};
NetworkText network_of(const ClientAddress& address);

}  // namespace watchpost::feedback
