#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace watchpost::border {

// What all messages of a server may hold together.
//   Threads: any.
class MessageMemory {
 public:
  explicit MessageMemory(size_t most) : most_(most) {}

  // False where that would be too much: nothing is taken.
  bool take(size_t bytes) {
    size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > most_ || used > most_ - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const size_t most_;
  std::atomic<size_t> used_{0};
};

// One message's part of it, given back when this goes.
class MemoryShare {
 public:
  explicit MemoryShare(std::shared_ptr<MessageMemory> of) : of_(std::move(of)) {}
  ~MemoryShare() { of_->give_back(bytes_); }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  bool add(size_t bytes) {
    if (!of_->take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void give_back(size_t bytes) {
    of_->give_back(bytes);
    bytes_ -= bytes;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MessageMemory> of_;
  size_t bytes_ = 0;
};

}  // namespace watchpost::border
