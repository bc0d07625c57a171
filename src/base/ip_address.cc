#include "base/ip_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace watchpost {
namespace {

constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr size_t kLongestText = 45;  // INET6_ADDRSTRLEN without its end

}  // namespace

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), out.data(), out.size());
  return out.data();
}

bool IpAddress::in(const IpAddress& network, int prefix) const {
  if (v6 != network.v6 || prefix < 0 || prefix > bits()) return false;
  const auto whole = static_cast<size_t>(prefix / 8);
  if (!std::equal(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(whole),
                  network.bytes.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xFF << (8 - rest));
  return (bytes[whole] & mask) == (network.bytes[whole] & mask);
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (text.empty() || text.size() > kLongestText) return std::nullopt;
  std::array<char, kLongestText + 1> ended{};
  std::memcpy(ended.data(), text.data(), text.size());
  if (std::strlen(ended.data()) != text.size()) return std::nullopt;
  IpAddress made;
  made.v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(made.v6 ? AF_INET6 : AF_INET, ended.data(), made.bytes.data()) != 1) {
    return std::nullopt;
  }
  return made;
}

IpAddress unmapped(const IpAddress& address) {
  if (!address.v6 || !std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
    return address;
  }
  IpAddress made;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), made.bytes.begin());
  return made;
}

std::string reverse_name(const IpAddress& address) {
  std::string out;
  if (!address.v6) {
    for (size_t i = 4; i-- > 0;) out += std::to_string(address.bytes[i]) + ".";
    return out + "in-addr.arpa";
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  for (size_t i = 16; i-- > 0;) {
    out += kHex[address.bytes[i] & 0xF];
    out += '.';
    out += kHex[address.bytes[i] >> 4];
    out += '.';
  }
  return out + "ip6.arpa";
}

}  // namespace watchpost
