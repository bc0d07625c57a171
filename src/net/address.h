#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace watchpost::net {

// Where to listen: an address and port, or a path.
struct ListenAddress {
  std::string host;  // numeric; empty for a UNIX socket
  uint16_t port = 0;
  std::string unix_path;
};
// "127.0.0.1:8025", "[::1]:8025" or "unix:/run/watchpost/api.sock". Names are not looked up: what
// a service listens on should not depend on DNS. Pure.
Result<ListenAddress> parse_listen(std::string_view text);

// "0660", the setting `socket_mode`: of a socket's file that its owner can use. Pure.
Result<unsigned> parse_socket_mode(std::string_view text);

// "host:port" with a name or a numeric address ("[::1]:25"). Pure.
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

// Whether the address may be that of a stranger on the Internet: not loopback, private, shared,
// link-local, multicast, documentation, benchmarking, reserved, nor an IPv6 form of one of these
// (mapped, NAT64, 6to4). IPv6 is public only within 2000::/3. Pure.
bool is_public(const sockaddr& address);
// "192.0.2.1" or "2001:db8::1"; empty for other families.
std::string address_text(const sockaddr& address);

}  // namespace watchpost::net
