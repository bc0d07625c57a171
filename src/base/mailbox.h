#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace watchpost {

// What put() does when a mailbox is full: part of the mailbox's construction, so that no sender
// chooses for itself.
enum class WhenFull {
  wait,  // the sender waits: back-pressure, nothing lost
  drop,  // the item is dropped and counted: telemetry
};

// A bounded queue in front of the one thread that owns some state.
//   Use:     any number of senders, one receiver.
//   Threads: all functions may be called from any thread.
//   Owns:    the items in it.
template <class T>
class Mailbox {
 public:
  Mailbox(size_t capacity, WhenFull when_full) : capacity_(capacity), when_full_(when_full) {}

  // False where the item was not taken: the mailbox is closed, or full and of the dropping kind.
  bool put(T item) {
    std::unique_lock lock(mutex_);
    if (when_full_ == WhenFull::wait) {
      room_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    }
    if (closed_ || items_.size() >= capacity_) {
      if (!closed_) ++dropped_;
      return false;
    }
    items_.push_back(std::move(item));
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  // The next item; nothing when none came in `patience`, or when closed and empty.
  template <class Rep, class Period>
  std::optional<T> take(std::chrono::duration<Rep, Period> patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, patience, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    lock.unlock();
    room_.notify_one();
    return item;
  }

  // No more items come in; those inside are still given out.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
    filled_.notify_all();
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  size_t dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  const size_t capacity_;
  const WhenFull when_full_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable room_;
  std::deque<T> items_;
  size_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace watchpost
