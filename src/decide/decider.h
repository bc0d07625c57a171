#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "decide/episodes.h"
#include "model/audit.h"
#include "model/decision.h"
#include "model/incident.h"
#include "model/notice.h"
#include "model/signal.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::decide {

struct DecideSettings {
  int64_t most_decisions = 20;  // blast radius: automatic measures in `period`
  double most_share = 0.02;     // and as a share of the streams active then, but never fewer than 3
  Duration period = std::chrono::minutes(10);
  std::vector<std::string>
      protect;  // streams never measured automatically: "credential=ceo@example.com"
  Duration grace =
      std::chrono::hours(1);  // after an undo, automatic measures leave the stream alone
  Duration join =
      std::chrono::hours(24);  // signals about one subject within this join one incident
  Duration stale = std::chrono::minutes(15);  // older signals open an incident but take no measure
  std::string alarm_target;  // [[notify]] told when the blast-radius cap is met; may be empty
};
void fields(SettingsVisitor& visit, DecideSettings& settings);
// What fields() cannot see: each of `protect` must be a stream. For `config check`.
Result<Done> check(const DecideSettings& settings);

// Tells the detectors to count a stream anew: evidence from before does not count again.
struct Rearm {
  std::string detector;
  Stream stream;
};

// All that one step changed. Incidents and decisions stand whole.
struct Outcome {
  std::vector<Incident> incidents;
  std::vector<Decision> decisions;
  std::vector<ShadowDecision> shadow;
  std::vector<Notice> notices;
  std::vector<AuditEntry> audit;
  std::vector<Rearm> rearm;
  bool state_changed = false;  // save() gives another text than before
};

// Signals in; incidents, decisions, notices out. Also carries out what people decide. Pure: same
// inputs, same outcomes; time comes in as `now` (wall clock, while signals carry event time).
//   Owns:    the open incidents, the closed ones for `join` longer, so that people can follow up,
//            and the decisions that have not ended.
//   Threads: none inside; the pipeline thread calls it.
//   Rules:   one decision for each detector, stream and episode; protected streams and streams in
//            grace get none; past the blast-radius cap, and while automation is off, decisions are
//            `proposed`; of several on one scope none is shortened by a later one.
//            An incident closes by itself when it is over: one of measures by hand alone with the
//            last of these, any other when no measure stands and nothing happened for `join`.
class Decider {
 public:
  explicit Decider(DecideSettings settings);

  // Brings back what was stored: incidents (as above), decisions (those not ended are
  // kept), the highest numbers used, and save()'s text.
  Result<Done> restore(std::vector<Incident> incidents, std::vector<Decision> decisions,
                       uint64_t last_notice, std::string_view saved);
  // Grace periods, automation switch and recent automatic measures as text.
  std::string save() const;

  // `samples` are the signal's sample events as JSON; `active_streams` is how many streams of the
  // same dimensions were active in the window (for the cap by share).
  Outcome on(Signal signal, std::vector<std::string> samples, size_t active_streams, Time now);
  // Ends what has run out.
  Outcome advance_to(Time now);

  // What people do. Errors: not_found, refused (already ended), bad_input.
  Result<Outcome> revoke(DecisionId id, std::string_view who, std::string_view why, Time now);
  // Sets the verdict; proposals of the incident come into force (their span counts from now). One
  // that closed without a verdict may still get it: that changes nothing else.
  Result<Outcome> confirm(IncidentId id, Verdict verdict, std::string_view who,
                          std::string_view why, Time now);
  // Verdict false_positive: all its measures are undone, the subject gets the grace period, the
  // incident is closed. Of one that closed without a verdict, as with confirm().
  Result<Outcome> false_positive(IncidentId id, std::string_view who, std::string_view why,
                                 Time now);
  // Also on an incident that is closed, within `join`.
  Result<Outcome> note(IncidentId id, std::string_view who, std::string_view text, Time now);
  // A measure by hand; its own incident is opened or joined. Caps and protection do not apply.
  Result<Outcome> impose(Stream scope, Measure measure, std::string_view who, std::string_view why,
                         Time now);
  // Revokes every decision in force or proposed on this scope. not_found where there is none.
  Result<Outcome> release(const Stream& scope, std::string_view who, std::string_view why,
                          Time now);
  // The kill switch: with automation off, detectors only propose.
  Outcome set_automation(bool on, std::string_view who, std::string_view why, Time now);

  bool automation() const { return automation_; }
  // Open ones, and those closed within `join`.
  const std::map<IncidentId, Incident>& incidents() const { return incidents_; }
  const std::map<DecisionId, Decision>& decisions() const { return decisions_; }  // not ended
  // Until when the stream is left alone; nothing where it has no grace.
  std::optional<Time> grace_of(const Stream& stream, Time now) const;

 private:
  // The private part is for whoever implements it.
  class Step;  // one call and all it changes; decide/step.h
  struct Grace {
    Stream stream;
    Time until;
    std::vector<Rearm> rearm;  // what signalled meanwhile: counted anew when it ends
  };
  struct Choice;
  struct Saved;

  Choice choose(const Signal& signal, size_t active_streams, Time now) const;
  size_t most_now(size_t active_streams) const;
  const Decision* covering(const Stream& scope, const Measure& measure, Time until,
                           DecisionState state) const;
  const Grace* grace_over(const Stream& stream, Time now) const;
  void note_in_graces(const Signal& signal, Time now);
  bool is_protected(const Stream& scope) const;
  void tell(Step& step, const Incident& incident, const Signal& signal, const Decision* made,
            const Choice& choice);
  void alarm(Step& step, const Incident& incident);
  void end_graces(Step& step);
  void close_finished(Step& step);
  bool has_decision(const Incident& incident) const;  // in force or proposed
  // Why an open incident is over; empty: it is not.
  std::string over_because(const Incident& incident, Time now) const;
  void drop_closed_beyond(size_t most);
  Result<Incident*> known_incident(IncidentId id);
  Result<Incident*> incident_to_judge(IncidentId id);

  DecideSettings settings_;
  std::vector<Stream> protected_;
  bool protect_readable_ = true;  // false: nothing is decided automatically, only proposed
  std::map<IncidentId, Incident> incidents_;
  std::map<DecisionId, Decision> decisions_;
  std::vector<Grace> graces_;
  std::deque<Time> recent_;  // automatic measures within the period
  RecentEpisodes episodes_;
  std::optional<Time> alarmed_at_;
  Time tidied_at_{};
  uint64_t last_incident_ = 0;
  uint64_t last_decision_ = 0;
  uint64_t last_notice_ = 0;
  bool automation_ = true;
};

}  // namespace watchpost::decide
