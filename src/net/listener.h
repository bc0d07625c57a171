#pragma once
#include "base/result.h"
#include "net/connection.h"
#include "net/io.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace watchpost::net {

struct ListenOptions {
  size_t connections = 256;   // at once; a connection past it is closed at once and counted
  unsigned unix_mode = 0600;  // of the socket file
};

// Accepts connections at one address and runs a session coroutine for each, on a strand of its own.
//   Use:     auto listener = Listener::open(io, "127.0.0.1:8891", serve, {});
//            `serve` is a plain function or a lambda that *calls* a coroutine function; the
//            coroutine takes its parameters by value:
//              Task<void> serve(Connection link, std::shared_ptr<State> state);
//              ... open(io, at, [state](Connection link) { return serve(std::move(link), state);
//              });
//   Threads: sessions run on Io threads, each on one at a time. The destructor waits until all
//            sessions have ended (not from an Io thread): what they refer to may go after it. On
//            the way there every wait of a session ends with an error or an exception of Asio,
//            which the session lets pass.
class Listener {
 public:
  using Session = std::function<Task<void>(Connection)>;

  // `at`: "127.0.0.1:8025", "[::1]:8025" or "unix:/run/watchpost/policy.sock". A stale socket file
  // is replaced; one that answers is not (refused), nor is any other file. Port 0 takes a free one.
  static Result<std::unique_ptr<Listener>> open(Io& io, std::string_view at, Session session,
                                                ListenOptions options);
  ~Listener();

  uint16_t port() const;         // as bound; 0 for a UNIX socket
  size_t connections() const;    // open now
  uint64_t turned_away() const;  // connections closed because there were too many

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace watchpost::net
