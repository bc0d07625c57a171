#pragma once
#include "base/time.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace watchpost::enforce {

// Calls a function again and again on a thread of its own, with the pause that it asks for each
// time.
//   Owns: the thread; the destructor waits for the call under way.
class Rounds {
 public:
  explicit Rounds(std::function<Duration()> round)
      : thread_([this, round = std::move(round)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const Duration pause = round();
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, pause, [] { return false; });
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses what is above
};

}  // namespace watchpost::enforce
