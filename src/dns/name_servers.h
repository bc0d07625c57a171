#pragma once
#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::dns {

struct ServerAddress {
  IpAddress address;
  uint16_t port = 53;
  bool is_loopback() const;
  std::string text() const;  // "127.0.0.1", "[::1]:5353"
};
// "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353". Pure and total.
Result<ServerAddress> parse_server(std::string_view text);
// Those of /etc/resolv.conf; 127.0.0.1 where it names none.
Result<std::vector<ServerAddress>> system_servers();

// What became of one packet that was sent.
struct Arrival {
  uint64_t query = 0;                         // as the sender called it
  std::optional<std::vector<uint8_t>> reply;  // not read; whatever the server said
  std::string why;                            // where there is no reply
};

// Packets to name servers and back, by UDP, and by TCP where a reply was cut short: c-ares, which
// lets through only what comes from the server's address with the id and question of a query that
// is waiting.
//   Threads: one, which is that of wait(); wake() from any.
//   Why:     a channel of c-ares for each server. Its own way of going on to the next server asks
//            one that said SERVFAIL again at once, and forgets what a server said.
class NameServers {
 public:
  // `patience`: so long a packet's reply is waited for.
  static Result<std::unique_ptr<NameServers>> open(std::vector<ServerAddress> servers,
                                                   Duration patience);
  ~NameServers();

  size_t count() const;
  const ServerAddress& at(size_t server) const;
  size_t waiting() const;  // packets that nothing has become of so far

  // `packet` ends with an OPT, until the server has once said FORMERR without one: the first time
  // c-ares itself cuts off the last 11 bytes and asks again, and from then on it does so no more.
  void send(size_t server, uint64_t query, std::string_view packet);
  // Waits until something arrives, for `most` at the longest, or until wake().
  std::vector<Arrival> wait(Duration most);
  void wake();

 private:
  struct State;
  explicit NameServers(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::dns
