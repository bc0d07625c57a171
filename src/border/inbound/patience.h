#pragma once
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace watchpost::border {

// For how long mail of one client and sender has been waiting.
//   Owns:    the time each was first seen, for kMost of them at most; the oldest gives way.
//   Threads: any.
class Patience {
 public:
  static constexpr size_t kMost = 20'000;
  // A pair that comes again so long after its patience ended begins anew: it is another outage.
  static constexpr Duration kForgotten = std::chrono::hours(6);

  Patience();
  // Whether it is still to wait, of `patience` in all.
  bool waits(std::string_view client, std::string_view sender, Duration patience, Time now);
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  const uint64_t seed_;
  std::unordered_map<uint64_t, Time> first_seen_;
  std::deque<uint64_t> order_;  // of first_seen_
};

}  // namespace watchpost::border
