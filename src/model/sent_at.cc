#include "model/sent_at.h"

#include <chrono>

namespace watchpost {

Time sent_at(const Event& event) {
  using Seconds = std::chrono::duration<double>;
  constexpr Duration kLongest = std::chrono::days(400);
  if (!(event.delay > 0)) return event.at;
  if (event.delay >= Seconds(kLongest).count() || event.at < Time::min() + kLongest) {
    return Time::min();
  }
  return event.at - std::chrono::duration_cast<Duration>(Seconds(event.delay));
}

}  // namespace watchpost
