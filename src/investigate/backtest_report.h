#pragma once
#include "base/time.h"
#include "investigate/mail_count.h"
#include "model/decision.h"
#include "model/measure.h"
#include "model/stream.h"
#include "model/verdict.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::investigate {

// A detector found a stream: its signals about it, and what came of them. Signals that would join
// one incident are one hit.
struct Hit {
  std::string detector;
  Stream stream;
  Stream subject;  // whom an incident about it would name
  Time at;         // of the first signal
  Time last_at;    // and of the last
  uint64_t signals = 1;
  std::string because;            // of the first
  std::optional<Time> first_bad;  // in the window of the first signal; nothing: not known
  uint64_t messages = 0;          // from there to the first signal
  Verdict verdict = Verdict::none;
  IncidentId incident;  // whose verdict it is
  Fairness fairness = Fairness::unknown;
  uint64_t decisions = 0;  // measures that came into force
  uint64_t proposals = 0;  // those that a person would have had to confirm
  std::string measure;     // the first one
  std::optional<Time> decided_at;
  Stopped stopped;  // by its measures until they ended, mail that another stopped as well included

  std::optional<Duration> took() const {
    return first_bad ? std::optional(at - *first_bad) : std::nullopt;
  }
};

// One detector over the whole time.
struct DetectorReport {
  std::string detector;
  Mode mode = Mode::off;  // the one it was tried in
  uint64_t streams = 0;   // hit, each once
  uint64_t hits = 0;
  uint64_t rightly = 0;  // hits by their verdicts; the rest is unknown
  uint64_t wrongly = 0;
  // From the first bad event to detection, over the hits where it is known.
  std::optional<Duration> median_took;
  std::optional<Duration> worst_took;
  uint64_t median_messages = 0;
  uint64_t worst_messages = 0;
  uint64_t decisions = 0;
  uint64_t proposals = 0;
  Stopped stopped;
  uint64_t alone = 0;  // hits on subjects that the other rule set did not find
};

struct RuleSetReport {
  std::string name;
  std::vector<DetectorReport> detectors;  // in the order of the rules
  std::vector<Hit> hits;                  // by time; the first of them
  uint64_t hits_total = 0;
  uint64_t decisions = 0;
  uint64_t proposals = 0;
  Stopped stopped;  // each message once
};

// A subject that one rule set or both have found, within the time in which signals join.
struct Found {
  Stream subject;
  struct First {
    Time at;
    std::string detector;
  };
  std::array<std::optional<First>, 2> first;  // by rule set
  uint64_t messages = 0;                      // of the subject between the two
  Fairness fairness = Fairness::unknown;
};

struct Difference {
  static constexpr size_t kKept = 10'000;

  uint64_t only_first = 0;  // subjects
  uint64_t only_second = 0;
  uint64_t both = 0;
  uint64_t sooner = 0;  // of both: the first rule set was sooner, at the same event, later
  uint64_t same = 0;
  uint64_t later = 0;
  std::vector<Found> found;  // by time; the first of them
};

struct BacktestReport {
  uint64_t events = 0;
  std::optional<Time> first_at;  // of the events read
  std::optional<Time> last_at;
  std::vector<RuleSetReport> sets;
  std::optional<Difference> difference;  // of two rule sets
};

}  // namespace watchpost::investigate
