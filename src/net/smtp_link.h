#pragma once
#include "base/result.h"
#include "base/time.h"
#include "net/smtp_reply.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

struct addrinfo;

namespace watchpost::net {

// Ends the waits of a thread that talks to a server, from another thread.
//   Threads: any.
class SmtpStop {
 public:
  SmtpStop();
  ~SmtpStop();
  SmtpStop(const SmtpStop&) = delete;
  SmtpStop& operator=(const SmtpStop&) = delete;

  void stop();
  bool stopped() const { return stopped_.load(); }
  int descriptor() const { return event_; }  // readable from stop() on

 private:
  std::atomic<bool> stopped_ = false;
  int event_ = -1;
};

// A client's connection to an SMTP server, without TLS; every wait has an end.
//   Owns:    the socket. `stop` must outlive it.
//   Threads: one uses it, and blocks.
//   Fails:   timed_out, unavailable (no connection, or it ended), refused (stopped), corrupt (what
//            came is no reply). After a failure of anything it is of no more use.
class SmtpLink {
 public:
  // The name is looked up by the system's resolver, as long as that takes; each of its first
  // addresses is tried for `patience`.
  static Result<std::unique_ptr<SmtpLink>> connect(std::string_view host_port, Duration patience,
                                                   const SmtpStop& stop);
  ~SmtpLink();
  SmtpLink(const SmtpLink&) = delete;
  SmtpLink& operator=(const SmtpLink&) = delete;

  // All of it. `patience` is for each time that the server takes nothing.
  Result<Done> write(std::string_view bytes, Duration patience);
  // The next reply. From a stop on it is waited for `at_stop` more, and for no longer than
  // `patience`.
  Result<SmtpReply> reply(Duration patience, Duration at_stop);
  // The server has said nothing that was not asked for, and has not closed.
  bool is_quiet();

 private:
  using Steady = std::chrono::steady_clock;

  SmtpLink(int socket, const SmtpStop& stop) : socket_(socket), stop_(stop) {}
  // Until the socket is ready for `events` of poll().
  Result<Done> wait(short events, Steady::time_point until, Duration at_stop);
  Result<Done> await_connected(Duration patience);
  static Result<std::unique_ptr<SmtpLink>> connect_to(const addrinfo& address, Duration patience,
                                                      const SmtpStop& stop);

  const int socket_;
  const SmtpStop& stop_;
  SmtpReplies replies_;
};

}  // namespace watchpost::net
