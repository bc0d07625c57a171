#pragma once
#include "base/time.h"
#include "investigate/backtest_report.h"
#include "investigate/mail_count.h"
#include "investigate/scope_index.h"
#include "investigate/verdicts.h"
#include "model/event.h"
#include "model/stream.h"

#include <cstddef>
#include <string>

namespace watchpost::investigate {

// Which of two rule sets finds each subject, and which of them first.
//   Owns:    the subjects found lately; bounded. `verdicts` outlives it.
//   Threads: none inside.
class Races {
 public:
  static constexpr size_t kMost = 100'000;

  // What one subject is found for within `join` is one thing.
  Races(Verdicts& verdicts, Duration join) : verdicts_(verdicts), join_(join) {}

  // Mail passes: counted for subjects that only one has found so far.
  void mail(const Event& event);
  // Rule set 0 or 1 finds a subject.
  void found(size_t set, const Stream& subject, Time at, const std::string& detector);

  Difference result() const;

 private:
  struct Race {
    Found found;
    Time last_at;
    MailCount between;
    bool running = false;  // only one has found it
  };
  static void finish(Difference& difference, const Race& race);
  void make_room(Time now);

  Verdicts& verdicts_;
  const Duration join_;
  ScopeIndex<Race> races_;
  size_t running_ = 0;
  Difference finished_;  // those that are over
};

// Counts for each detector the hits whose subject the other rule set did not find.
void count_alone(RuleSetReport& report, const Difference& difference, size_t set, Duration join);

}  // namespace watchpost::investigate
