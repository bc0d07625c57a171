#include "detect/active_streams.h"

#include <algorithm>

namespace watchpost::detect {

void ActiveStreams::advance(int64_t from, int64_t to) {
  const auto slots = static_cast<int64_t>(by_slot_.size());
  for (int64_t slot = std::max(from + 1, to - slots + 1); slot <= to; ++slot) {
    total_ -= at(slot);
    at(slot) = 0;
  }
}

uint32_t& ActiveStreams::at(int64_t slot) {
  const auto slots = static_cast<int64_t>(by_slot_.size());
  return by_slot_[static_cast<size_t>((slot % slots + slots) % slots)];
}

void ActiveStreams::enter(int64_t slot) {
  ++at(slot);
  ++total_;
}

void ActiveStreams::leave(int64_t slot) {
  --at(slot);
  --total_;
}

}  // namespace watchpost::detect
