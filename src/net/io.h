#pragma once
#include <memory>

namespace watchpost::net {

// The threads and the event loop that all sockets run on.
//   Use:     one for the process; start() after the listeners are made, stop() before they go.
//   Threads: start() and stop() from one thread.
class Io {
 public:
  explicit Io(int threads = 2);
  ~Io();
  void start();
  // Wakes every operation with a cancellation and joins the threads.
  void stop();

  struct Context;  // holds the Boost.Asio io_context; known inside net/ and the drivers
                   // (net/asio.h)
  Context& context() { return *context_; }

 private:
  std::unique_ptr<Context> context_;
};

}  // namespace watchpost::net
