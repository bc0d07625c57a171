#pragma once
#include "decide/decider.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::decide {

inline constexpr std::string_view kWatchpost = "watchpost";
// Begins what a timeline says of a warning: restore() finds it by that.
inline constexpr std::string_view kWarned = "warned: ";
// Ends the episode of a step of a paced return, before the step's number.
inline constexpr std::string_view kReturnMark = " return ";
inline constexpr size_t kMostEvidence = 50;           // of one incident
inline constexpr size_t kMostSamples = 20;            // sample events of one signal
inline constexpr size_t kMostTimeline = 500;          // entries that Watchpost itself writes
inline constexpr size_t kMostPeopleEntries = 500;     // and as many again that people write
inline constexpr size_t kMostOpenIncidents = 10'000;  // closed ones that are kept included
inline constexpr size_t kMostRearmed = 100;           // streams that signalled during one grace
inline constexpr size_t kLongestNote = 8 * 1024;
// Bounds every span, so that no arithmetic on times can overflow.
inline constexpr Duration kLongestSpan = std::chrono::hours(24 * 366);

// One call of the Decider: what it changes is written down here and handed out whole at the end.
//   Owns:    nothing of the Decider, which must outlive it.
//   Threads: none inside.
class Decider::Step {
 public:
  Step(Decider& decider, Time now) : decider_(decider), now_(now) {}

  Time now() const { return now_; }
  Outcome& out() { return out_; }
  void state_changed() { out_.state_changed = true; }

  // The open incident about this subject, or a new one; true where it is new.
  std::pair<Incident&, bool> incident_about(const Stream& subject, std::string title,
                                            std::string_view who);
  // False where it is only counted, as is what is said again and again and leads to nothing.
  bool keep_evidence(Incident& incident, Signal signal, std::vector<std::string> samples,
                     bool leads_on);
  Decision& decide(Incident& incident, Decision decision);
  // Something of the incident changed by itself: say so in its timeline and in the audit log.
  void say(Incident& incident, std::string_view what, std::string detail);
  void bring_into_force(Decision& decision, std::string_view who);
  void end(Decision& decision, DecisionState how, std::string_view who, std::string_view why);
  void close(Incident& incident, std::string_view who, std::string_view why);
  void give_grace(const Stream& stream);
  void rearm(std::string_view detector, const Stream& stream);
  // The detector that led to this decision, on the stream that it fired for.
  void rearm(const Decision& decision);
  // Undoes what automatic measures on `scope` rest on: grace for it, and detectors count anew.
  void leave_alone(const Stream& scope, const Incident* incident);
  void tell(const Incident& incident, std::string target, std::string subject, std::string text);

  void touch(Incident& incident);
  void write(Incident& incident, std::string_view who, std::string what);
  void audit(std::string_view who, std::string_view what, std::string about, std::string detail);

  // Closes incidents that are over with their last measure, copies what changed into the outcome
  // and forgets what has ended.
  Outcome finish();

 private:
  void forget(DecisionId id);
  void make_room_for_one_incident();
  void close_those_over();

  Decider& decider_;
  const Time now_;
  Outcome out_;
  std::set<IncidentId> incidents_;
  std::set<DecisionId> decisions_;
  std::set<std::pair<std::string, std::string>> rearmed_;  // detector and stream
};

}  // namespace watchpost::decide
