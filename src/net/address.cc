#include "net/address.h"

#include "base/text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

struct Block4 {
  uint32_t first;
  int bits;
};
// The IANA special-purpose registry of IPv4 (RFC 6890 and its updates), and multicast.
constexpr std::array kNotPublic4{
    Block4{0x00000000, 8},   // 0.0.0.0/8 this network
    Block4{0x0A000000, 8},   // 10.0.0.0/8 private
    Block4{0x64400000, 10},  // 100.64.0.0/10 shared (carrier-grade NAT)
    Block4{0x7F000000, 8},   // 127.0.0.0/8 loopback
    Block4{0xA9FE0000, 16},  // 169.254.0.0/16 link-local
    Block4{0xAC100000, 12},  // 172.16.0.0/12 private
    Block4{0xC0000000, 24},  // 192.0.0.0/24 protocol assignments
    Block4{0xC0000200, 24},  // 192.0.2.0/24 documentation
    Block4{0xC0586300, 24},  // 192.88.99.0/24 6to4 relay, withdrawn
    Block4{0xC0A80000, 16},  // 192.168.0.0/16 private
    Block4{0xC6120000, 15},  // 198.18.0.0/15 benchmarking
    Block4{0xC6336400, 24},  // 198.51.100.0/24 documentation
    Block4{0xCB007100, 24},  // 203.0.113.0/24 documentation
    Block4{0xE0000000, 4},   // 224.0.0.0/4 multicast
    Block4{0xF0000000, 4},   // 240.0.0.0/4 reserved, and broadcast
};

bool is_public4(uint32_t address) {
  return std::ranges::none_of(kNotPublic4, [&](const Block4& block) {
    const uint32_t mask = ~uint32_t{0} << (32 - block.bits);
    return (address & mask) == block.first;
  });
}

uint32_t four_bytes(std::span<const uint8_t, 16> address, size_t at) {
  return uint32_t{address[at]} << 24 | uint32_t{address[at + 1]} << 16 |
         uint32_t{address[at + 2]} << 8 | uint32_t{address[at + 3]};
}

bool is_public6(std::span<const uint8_t, 16> address) {
  const uint32_t head = four_bytes(address, 0);
  // RFC 4291 2.4, RFC 6052 2.1: global unicast is 2000::/3. All else (loopback, unspecified, mapped
  // ::ffff:0:0/96, link-local, unique local, multicast, 64:ff9b::/96 and 64:ff9b:1::/48) is not.
  // The well-known NAT64 prefix may lead to a public address, and also to a private one.
  if ((head >> 29) != 1) return false;
  if ((head >> 9) == (0x20010000u >> 9)) return false;  // 2001::/23 protocol assignments, Teredo
  if (head == 0x20010DB8u) return false;                // 2001:db8::/32 documentation
  if ((head >> 16) == 0x2002u) return false;            // 2002::/16 6to4: an IPv4 address inside
  if ((head >> 12) == 0x3FFF0u) return false;           // 3fff::/20 documentation (RFC 9637)
  return true;
}

std::unexpected<Error> bad_listen(std::string_view text, std::string_view why) {
  return fail(
      Code::bad_input,
      fmt::format("{}; write for example 127.0.0.1:8025, [::1]:8025 or unix:/run/x.sock", why),
      std::string(text));
}

}  // namespace

bool is_public(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    return is_public4(ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &address, sizeof six);
    return is_public6(std::span<const uint8_t, 16>(six.sin6_addr.s6_addr));
  }
  return false;
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &address, sizeof six);
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

Result<HostPort> parse_host_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Code::bad_input, "the port is missing (HOST:PORT)", std::string(text));
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  HostPort parsed;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), parsed.port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return fail(Code::bad_input, "the port is not a number from 0 to 65535", std::string(text));
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(Code::bad_input, "an IPv6 address stands in brackets ([::1]:PORT)",
                std::string(text));
  }
  const bool plain = std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
  if (host.empty() || !plain) {
    return fail(Code::bad_input, "the host is not a name or an address", std::string(text));
  }
  parsed.host = host;
  return parsed;
}

Result<ListenAddress> parse_listen(std::string_view text) {
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (!path.starts_with('/')) return bad_listen(text, "the path of a socket starts with /");
    if (path.find('\0') != std::string_view::npos) return bad_listen(text, "the path has a NUL");
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return bad_listen(text, fmt::format("the path of a socket has at most {} bytes",
                                          sizeof(sockaddr_un::sun_path) - 1));
    }
    return ListenAddress{.host = {}, .port = 0, .unix_path = std::string(path)};
  }
  const auto parsed = parse_host_port(text);
  if (!parsed) return bad_listen(text, parsed.error().what);
  std::array<uint8_t, 16> ignored;
  if (inet_pton(AF_INET, parsed->host.c_str(), ignored.data()) != 1 &&
      inet_pton(AF_INET6, parsed->host.c_str(), ignored.data()) != 1) {
    return bad_listen(text, "to listen takes a numeric address");
  }
  return ListenAddress{.host = parsed->host, .port = parsed->port, .unix_path = {}};
}

Result<unsigned> parse_socket_mode(std::string_view text) {
  unsigned mode = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && mode <= 0777 &&
      (mode & 0600) == 0600) {
    return mode;
  }
  return fail(Code::bad_input,
              fmt::format("`{}` is not a file mode such as 0660", escaped(text, 16)),
              "socket_mode");
}

}  // namespace watchpost::net
