#include "net/smtp_link.h"

#include "base/files.h"
#include "net/address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchpost::net {
namespace {

constexpr int kMostAddresses = 4;  // of one name

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const HostPort& server) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (code != 0) return fail(Code::unavailable, gai_strerror(code), server.host);
  return Addresses(found);
}

Error broken(std::string_view what) { return system_error(errno, what, ""); }

}  // namespace

SmtpStop::SmtpStop() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { WP_CHECK(event_ >= 0); }

SmtpStop::~SmtpStop() { close(event_); }

void SmtpStop::stop() {
  stopped_ = true;
  const uint64_t one = 1;
  // It cannot fail but where it is readable already.
  static_cast<void>(::write(event_, &one, sizeof one));
}

Result<std::unique_ptr<SmtpLink>> SmtpLink::connect_to(const addrinfo& address, Duration patience,
                                                       const SmtpStop& stop) {
  const int made = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return fail(broken("no socket"));
  std::unique_ptr<SmtpLink> link(new SmtpLink(made, stop));
  // A message's end is a packet of its own, which must not wait for an acknowledgement.
  const int yes = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(made, address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return fail(broken("no connection"));
    if (const auto connected = link->await_connected(patience); !connected) {
      return fail(connected.error());
    }
  }
  return link;
}

Result<std::unique_ptr<SmtpLink>> SmtpLink::connect(std::string_view host_port, Duration patience,
                                                    const SmtpStop& stop) {
  const auto server = parse_host_port(host_port);
  if (!server) return fail(server.error());
  const auto addresses = look_up(*server);
  if (!addresses) return fail(addresses.error());
  Result<std::unique_ptr<SmtpLink>> link = fail(Code::unavailable, "it has no address");
  int tried = 0;
  for (const addrinfo* one = addresses->get(); one != nullptr && tried < kMostAddresses;
       one = one->ai_next, ++tried) {
    link = connect_to(*one, patience, stop);
    if (link || stop.stopped()) break;
  }
  if (!link) link.error().about = host_port;
  return link;
}

SmtpLink::~SmtpLink() { close(socket_); }

Result<Done> SmtpLink::await_connected(Duration patience) {
  const auto ready = wait(POLLOUT, Steady::now() + patience, Duration(0));
  if (!ready) return ready;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(system_error(error, "no connection", ""));
  return Done{};
}

Result<Done> SmtpLink::wait(short events, Steady::time_point until, Duration at_stop) {
  bool stopping = false;
  for (;;) {
    if (!stopping && stop_.stopped()) {
      stopping = true;
      until = std::min(until, Steady::now() + at_stop);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
    // Once stopped, the event stays readable: it would end every wait at once.
    std::array<pollfd, 2> descriptors{pollfd{socket_, events, 0},
                                      pollfd{stopping ? -1 : stop_.descriptor(), POLLIN, 0}};
    const int timeout = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
    const int count = poll(descriptors.data(), descriptors.size(), timeout);
    if (count < 0 && errno != EINTR) return fail(broken("the connection cannot be waited for"));
    if (count > 0 && descriptors[0].revents != 0) return Done{};
    if (Steady::now() < until) continue;
    if (stopping) return fail(Code::refused, "Watchpost is being stopped");
    return fail(Code::timed_out, "the server was too slow");
  }
}

Result<Done> SmtpLink::write(std::string_view bytes, Duration patience) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(broken("the connection ended"));
    const auto ready = wait(POLLOUT, Steady::now() + patience, Duration(0));
    if (!ready) return ready;
  }
  return Done{};
}

Result<SmtpReply> SmtpLink::reply(Duration patience, Duration at_stop) {
  const auto until = Steady::now() + patience;
  std::array<char, 4096> bytes;
  for (;;) {
    if (auto reply = replies_.take()) return std::move(*reply);
    if (replies_.broken()) return fail(Code::corrupt, "the server's answer is no SMTP reply");
    if (const auto ready = wait(POLLIN, until, at_stop); !ready) return fail(ready.error());
    const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
    if (count == 0) return fail(Code::unavailable, "the server closed the connection");
    if (count > 0) {
      replies_.put({bytes.data(), static_cast<size_t>(count)});
    } else if (errno != EINTR && errno != EAGAIN) {
      return fail(broken("the connection ended"));
    }
  }
}

bool SmtpLink::is_quiet() {
  if (!replies_.at_rest()) return false;
  pollfd descriptor{socket_, POLLIN, 0};
  return poll(&descriptor, 1, 0) == 0;
}

}  // namespace watchpost::net
