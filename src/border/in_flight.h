#pragma once
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

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

// Messages that are being kept. While one is, and for a while after the mail server had no answer
// in time, it may be held: nobody may let it pass as well.
//   Threads: any.
class BeingKept {
 public:
  void begin(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(names_, [&](const auto& one) { return one.second < now; });
    names_[name] = std::chrono::steady_clock::time_point::max();
  }
  // `in_time`: the mail server knows what became of it.
  void end(const std::string& name, bool in_time) {
    const std::lock_guard lock(mutex_);
    if (in_time) {
      names_.erase(name);
    } else {
      names_[name] = std::chrono::steady_clock::now() + kRemembered;
    }
  }
  bool has(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
  }

 private:
  static constexpr auto kRemembered = std::chrono::minutes(1);
  mutable std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> names_;
};

}  // namespace watchpost::border
