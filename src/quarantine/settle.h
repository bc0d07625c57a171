#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "quarantine/quarantine.h"
#include "store/store.h"

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string_view>

namespace watchpost::quarantine {

// What the mail server's own log says of a message that may have been handed to it.
enum class LogWord : uint8_t {
  nothing,  // or what contradicts itself
  arrived,  // it was queued, or more became of it
  refused,  // at its end: the mail server does not have it
};
using FindInLog = std::function<Result<LogWord>(std::string_view queue_id, Time since)>;

// Of all events with its queue id. What our own gates have said of it is no word of the mail
// server's. Pure.
LogWord word_of(std::span<const Event> events);
// Looks at the events that are stored.
//   Threads: what it gives, one at a time.
FindInLog find_in_log_of(store::StoreSettings settings);

// What a person knows of it.
enum class Settlement : uint8_t { arrived, again };

// Finds out what became of attempts that nobody has seen the end of. Never guesses.
//   Use:     look() now and then: it knows when to look at which.
//   Threads: any.
class Settler {
 public:
  struct Parts {
    Quarantine& quarantine;
    FindInLog find_in_log;
    const Clock& clock;
    Metrics& metrics;
  };
  explicit Settler(Parts parts);

  // Gives how many attempts were settled.
  Result<size_t> look();
  // Somebody has looked: gives how many copies of the message this was about. not_found: nothing of
  // it is in doubt.
  Result<size_t> settle(const HeldId& id, Settlement settlement, std::string_view who);

 private:
  struct Doubt {
    Time since;         // when it was first seen
    Time next = {};     // when to look at it
    bool told = false;  // people know
    bool seen = false;  // in this round
  };

  Result<bool> look_at(const Attempt& attempt, Doubt& doubt, Time now);
  Result<Done> end(const Attempt& attempt, CopyOutcome outcome);
  LogWord ask_log(const Attempt& attempt, Time now);

  const Parts parts_;
  Counter& arrived_;
  Counter& again_;
  Gauge& open_;
  std::mutex mutex_;  // guards what follows, and lets one settle at a time
  std::map<uint64_t, Doubt> doubts_;
  Time complained_;
  bool first_look_ = true;  // all there is was left by an earlier start
};

}  // namespace watchpost::quarantine
