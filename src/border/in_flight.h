#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace watchpost::border {

// How many messages wait for somebody else: who ends a gate waits for them, since they use what it
// owns.
//   Threads: any.
class InFlight {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t count_ = 0;
};

}  // namespace watchpost::border
