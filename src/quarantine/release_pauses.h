#pragma once
#include "base/time.h"
#include "quarantine/held.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>

namespace watchpost::quarantine {

// When to try again: what a mail server refused for now after 30 s, doubling to 30 min; a server
// that is not there after 5 s, doubling to 1 min, for all that is for it. After a start it begins
// anew.
//   Owns:    a bounded memory: what it has forgotten is tried sooner.
//   Threads: any.
class ReleasePauses {
 public:
  Time next_try(const HeldId& id, Time now);
  void forget(const HeldId& id);

  // Until when nothing is tried there.
  std::optional<Time> waits(const std::string& server, Time now) const;
  Time failed(const std::string& server, Time now);
  void works(const std::string& server);

 private:
  struct Server {
    uint32_t failures = 0;
    Time until;
  };
  double jitter();  // under the lock

  mutable std::mutex mutex_;
  std::minstd_rand random_{std::random_device{}()};
  std::map<HeldId, uint32_t> failures_;
  std::map<std::string, Server> servers_;
};

// For log lines of something that may happen thousands of times a second.
//   Threads: any.
class OnceAMinute {
 public:
  bool may(Time now) {
    const std::lock_guard lock(mutex_);
    if (last_ && now - *last_ < std::chrono::minutes(1)) return false;
    last_ = now;
    return true;
  }

 private:
  std::mutex mutex_;
  std::optional<Time> last_;
};

}  // namespace watchpost::quarantine
