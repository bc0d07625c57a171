#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "enforce/enforcer.h"
#include "enforce/notifier.h"
#include "model/notice.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace watchpost::enforce {

struct NamedEnforcer {
  std::string name;
  std::unique_ptr<Enforcer> enforcer;
};

// How an enforcer or notifier is.
struct NamedState {
  std::string name;
  std::string text;       // its state(), one sentence
  uint64_t failures = 0;  // its failures()
};

// Carries decisions to enforcers and notices to people: takes the outbox's rows, tries, retries
// with growing pauses, and reports what came of each try.
//   Owns:    the enforcers and notifiers; one thread for each.
//   Threads: all functions may be called from any thread; `report` is called from its threads.
//   Rules:   rows of one enforcer are tried in the order of their decisions; a row that fails does
//            not hold up rows of other decisions. Retries after 1 s, doubling to 5 min, with jitter
//            (5 min at once where the answer was a no), for as long as the decision is in force
//            (undo: until done). A notice is given up after a day.
class Dispatcher {
 public:
  // What became of a try; the pipeline commits it.
  struct Report {
    std::vector<store::Enforcement> enforcements;
    std::vector<Notice> notices;
  };
  using ReportTo = std::function<void(Report)>;

  Dispatcher(std::vector<NamedEnforcer> enforcers, std::vector<NamedNotifier> notifiers,
             const Clock& clock, Metrics& metrics, ReportTo report);
  ~Dispatcher();

  // The rows a new or changed decision needs, one for each enforcer (`unsupported` at once where it
  // cannot): pure, called by the pipeline before the commit.
  std::vector<store::Enforcement> rows_for(const Decision& decision, Time now) const;

  // Rows that are committed: to be tried from now on.
  void take(std::vector<std::pair<store::Enforcement, Decision>> rows);
  void take(std::vector<Notice> notices);

  // Of each enforcer and notifier.
  std::vector<NamedState> states() const;
  // Ends the threads; what is not done stays in the outbox.
  void stop();

 private:
  struct EnforcerLane;
  struct NotifierLane;
  NotifierLane& lane_of(const std::string& target);

  const Clock& clock_;
  std::vector<std::unique_ptr<EnforcerLane>> lanes_;
  std::vector<std::unique_ptr<NotifierLane>> notice_lanes_;
  std::unique_ptr<NotifierLane> nowhere_;  // for notices to targets that are not configured
};

}  // namespace watchpost::enforce
