#pragma once
#include "net/asio.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace watchpost::net {

// The place where a session waits for its answer, which may come from any thread, after the session
// has ended, and after the Io has gone.
//   Use:     the session make()s one, hands out a Promise and waits; Leaving stands in its frame.
//   Threads: answer() any; the rest on the session's strand.
template <class Answer>
class Awaited {
 public:
  using Steady = std::chrono::steady_clock;

  explicit Awaited(const asio::any_io_executor& strand) : timer_(std::in_place, strand) {}
  static std::shared_ptr<Awaited> make(const asio::any_io_executor& strand) {
    auto made = std::make_shared<Awaited>(strand);
    made->self_ = made;
    return made;
  }

  // Whoever holds it answers. Where the last one goes without an answer, `otherwise` is it.
  struct Promise {
    std::shared_ptr<Awaited> awaited;
    Answer otherwise;
    ~Promise() { awaited->answer(std::move(otherwise)); }
  };
  // When the session ends, answers are dropped from there on.
  struct Leaving {
    std::shared_ptr<Awaited> awaited;
    ~Leaving() { awaited->leave(); }
  };

  void answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    if (answer_ || !timer_) return;
    answer_ = std::move(answer);
    if (!waited_for_) return;
    asio::post(timer_->get_executor(), [timer = &*timer_, self = self_.lock()] {
      const std::lock_guard guard(self->mutex_);
      if (self->timer_) timer->cancel();
    });
  }
  // Nothing where none has come by then.
  static Task<std::optional<Answer>> wait(std::shared_ptr<Awaited> self, Steady::time_point until) {
    self->timer_->expires_at(until);
    while (!self->answered_or_waited_for() && Steady::now() < until) {
      co_await self->timer_->async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return self->take();
  }

 private:
  // From here on an answer wakes whoever waits.
  bool answered_or_waited_for() {
    const std::lock_guard lock(mutex_);
    waited_for_ = true;
    return answer_.has_value();
  }
  std::optional<Answer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    timer_.reset();
  }

  mutable std::mutex mutex_;
  std::weak_ptr<Awaited> self_;
  std::optional<asio::steady_timer> timer_;
  std::optional<Answer> answer_;
  bool waited_for_ = false;
};

}  // namespace watchpost::net
