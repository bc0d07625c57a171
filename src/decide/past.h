#pragma once
#include "base/time.h"
#include "model/decision.h"
#include "model/measure.h"
#include "model/stream.h"

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::decide {

// A measure that was in force on a subject, or a warning about it (a `notify`, with no decision).
struct PastMeasure {
  DecisionId decision;
  IncidentId incident;
  Time from;
  Time until;
  bool ended = false;
  Measure measure;
};

// What was done to whom within the last weeks: ladders climb by it. What was revoked, what belongs
// to a false positive, proposals and the steps of a paced return are not in it.
//   Owns:    the entries; bounded, the oldest are forgotten.
//   Threads: none inside.
class PastMeasures {
 public:
  static constexpr size_t kMost = 100'000;

  void add(const Stream& subject, PastMeasure past);
  void end(const Stream& subject, DecisionId decision);
  void forget(const Stream& subject, DecisionId decision);
  // All that belong to the incident, on whichever subject.
  void forget(IncidentId incident);
  // The entries of the subject that came into force after `oldest` and before what is judged was
  // seen: those that have ended, and those that stood already before `since`. One that came later
  // answered the same evidence. Those that stood at one time are one, the strictest of them.
  std::vector<PastMeasure> before(const Stream& subject, Time oldest, Time since) const;
  // A warning came at `since` or later: about the same evidence.
  bool warned_since(const Stream& subject, Time since) const;
  // In how many other incidents anything was done, after `oldest`.
  size_t incidents(const Stream& subject, Time oldest, IncidentId but) const;
  // Forgets what came into force at `oldest` or before.
  void forget_before(Time oldest);
  size_t size() const { return size_; }

 private:
  std::vector<PastMeasure>* of(const Stream& subject);

  std::unordered_map<std::string, std::vector<PastMeasure>> by_subject_;
  std::deque<std::pair<Time, std::string>> order_;  // when, whose
  size_t size_ = 0;
};

}  // namespace watchpost::decide
