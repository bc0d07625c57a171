#pragma once
#include <memory>
#include <mutex>
#include <utility>

namespace watchpost {

// What is in force now, replaced as a whole while others read it: whoever took it goes on with it,
// and it lives for as long as they do.
//   Threads: any. The lock is held for the copy of a pointer.
template <class T>
class Snapshot {
 public:
  // Never null.
  explicit Snapshot(std::shared_ptr<const T> now = std::make_shared<const T>())
      : now_(std::move(now)) {}

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void set(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    now_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> now_;
};

}  // namespace watchpost
