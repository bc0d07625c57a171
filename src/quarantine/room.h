#pragma once
#include "base/metrics.h"
#include "base/result.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace watchpost::quarantine {

// Whether another message can be kept: what all may take, what the disk has left, and whether it
// writes.
//   Use:     reserve() for a message that comes; give_back() when it is among those held, or has
//            failed.
//   Threads: any; look() and hold() are one thread's.
class Room {
 public:
  Room(std::string folder, uint64_t space) : folder_(std::move(folder)), space_(space) {}

  bool takes() const;
  // Fails with exhausted, or with what is wrong with the disk.
  Result<Done> reserve(uint64_t bytes);
  void give_back(uint64_t bytes) { coming_.fetch_sub(bytes); }
  // So many bytes are in files now.
  void hold(uint64_t bytes);
  // The disk has failed: nothing is taken until mend().
  void fail_with(const Error& why);
  bool is_broken() const { return broken_.load(); }
  void mend();
  // Looks at the disk. False: it is broken, and cannot be written yet.
  bool look();
  // Why nothing is taken; empty: all is well.
  std::string trouble() const;

 private:
  bool is_full() const { return held_.load() + coming_.load() >= space_; }
  bool has_space(uint64_t bytes) const;
  Result<Done> try_to_write() const;

  std::string folder_;
  uint64_t space_;
  std::atomic<uint64_t> held_{0};
  std::atomic<uint64_t> coming_{0};
  std::atomic<bool> crowded_{false};  // the disk
  std::atomic<bool> broken_{false};
  bool warned_ = false;
  mutable std::mutex mutex_;
  std::string why_;  // it is broken
};

}  // namespace watchpost::quarantine
