#pragma once
#include "base/result.h"
#include "base/time.h"

#include <mutex>
#include <string>

#include <fmt/format.h>

namespace watchpost::enforce {

// How the last send went, for state().
//   Threads: any.
class LastResult {
 public:
  void set(const Result<Done>& result, Time of_notice) {
    const std::lock_guard lock(mutex_);
    text_ = result ? fmt::format("the notice of {} was sent", format_time(of_notice))
                   : fmt::format("the notice of {} failed: {}", format_time(of_notice),
                                 result.error().what);
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_ = "nothing sent yet";
};

}  // namespace watchpost::enforce
