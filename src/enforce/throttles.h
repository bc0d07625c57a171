#pragma once
#include "enforce/active.h"

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace watchpost::enforce {

// What throttles let through. By rate: so many messages in a time, by a bucket of tokens that is
// filled evenly and starts full. By share: of 1 % every hundredth message, evenly spread, the first
// one in the middle of the first hundred. Mail servers ask once for each recipient of a
// message; `instance` tells that it is the same message.
//   Owns:    a bucket for each throttle, the last messages let through or, by share, not; bounded.
//   Threads: any.
class Throttles {
 public:
  // Whether this message may pass now.
  bool pass(const Decision& throttle, const std::string& instance, Time now);
  // Drops the buckets of decisions that are not among these.
  void keep_only(const ActiveDecisions& active);
  size_t buckets() const;

 private:
  static constexpr size_t kMostInstances = 10'000;
  struct Bucket {
    double tokens = 0;
    Time filled_at;
  };
  using Seen = std::pair<uint64_t, std::string>;  // decision and instance

  static bool take(Bucket& bucket, const Measure& measure, Time now);
  mutable std::mutex mutex_;
  std::map<DecisionId, Bucket> buckets_;
  std::map<Seen, bool> judged_;  // the messages that were asked about: let through or not
  std::deque<Seen> order_;
};

}  // namespace watchpost::enforce
