#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::detect {

// How many streams of a group had an event in its longest window, kept by the slot of their newest.
class ActiveStreams {
 public:
  explicit ActiveStreams(int64_t slots) : by_slot_(static_cast<size_t>(slots)) {}

  // Event time passes from slot to slot.
  void advance(int64_t from, int64_t to);
  void enter(int64_t slot);
  void leave(int64_t slot);
  size_t count() const { return total_; }

 private:
  uint32_t& at(int64_t slot);

  std::vector<uint32_t> by_slot_;
  size_t total_ = 0;
};

}  // namespace watchpost::detect
