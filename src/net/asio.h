#pragma once
#include "net/io.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace watchpost::net {

namespace asio = boost::asio;

// What every coroutine of the edges returns. Two rules of GCC 12, which miscompiles the rest:
// no capturing lambda is a coroutine, and none stands in an expression with co_await.
template <class T>
using Task = asio::awaitable<T>;

// Something that runs on the loop and ends its operations when told so.
//   Threads: end() is called from the thread that stops the Io.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  virtual void end() = 0;
};

struct Io::Context {
  asio::io_context loop;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
  int thread_count = 2;

  // Has Io::stop() call end(), for as long as the object lives.
  void add(std::weak_ptr<Stoppable> stoppable);
  bool running() const;

  mutable std::mutex mutex;  // guards what follows
  std::vector<std::weak_ptr<Stoppable>> stoppables = {};
  bool started = false;
  int threads_left = 0;
  std::condition_variable thread_ended;
};

}  // namespace watchpost::net
