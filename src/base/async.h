#pragma once
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace watchpost {

// What a coroutine gives that may have to wait for an answer from elsewhere (DNS). It begins when
// it is awaited or started, and goes on in whoever brings what it waited for.
//   Use:     Async<Answer> ask(...) { ... co_return answer; }
//            `const Answer answer = co_await ask(...);` in another one; start() outside of one.
//   Threads: none inside: one at a time, whichever resumes it.
//   Owns:    the coroutine, until it is awaited to its end or let go. One that waits for somebody
//            else must not be let go: they would resume what is no more.
//   Fails:   no exception leaves a coroutine; one that does ends the program.
//   Rules:   parameters by value, or references to what outlives the whole wait. GCC 12 miscompiles
//            the rest: no capturing lambda is a coroutine, and none stands in an expression with
//            co_await.
template <class T>
class [[nodiscard]] Async {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct promise_type {
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(Handle ended) const noexcept {
        const auto next = ended.promise().awaiting;
        return next ? next : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    Async get_return_object() { return Async(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    void return_value(T given) { value.emplace(std::move(given)); }

    std::coroutine_handle<> awaiting;
    std::optional<T> value;
  };

  Async(Async&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Async& operator=(Async&& other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Async() {
    if (coroutine_) coroutine_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    coroutine_.promise().awaiting = awaiting;
    return coroutine_;
  }
  T await_resume() { return std::move(*coroutine_.promise().value); }

 private:
  explicit Async(Handle coroutine) : coroutine_(coroutine) {}
  Handle coroutine_;
};

namespace inside {

// A coroutine that nobody awaits: it ends by itself.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

template <class T, class Then>
Detached run(Async<T> some, Then then) {
  T given = co_await std::move(some);
  then(std::move(given));
}

}  // namespace inside

// Begins it; `then(T)` is called with what it gives, perhaps before start() returns.
template <class T, class Then>
void start(Async<T> some, Then then) {
  inside::run(std::move(some), std::move(then));
}

// The value of one that waits for nobody outside (answers from a zone file, from a cache). Nothing
// where it had to wait, and then it must still be brought to its end by those it waits for.
template <class T>
std::optional<T> value_now(Async<T> some) {
  auto given = std::make_shared<std::optional<T>>();
  start(std::move(some), [given](T value) { given->emplace(std::move(value)); });
  return std::move(*given);
}

}  // namespace watchpost
