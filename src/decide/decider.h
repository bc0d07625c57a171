#pragma once
#include "base/result.h"
#include "base/time.h"
#include "decide/episodes.h"
#include "decide/indexes.h"
#include "decide/ladder.h"
#include "decide/outcome.h"
#include "decide/past.h"
#include "decide/settings.h"
#include "model/decision.h"
#include "model/incident.h"
#include "model/signal.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::decide {

// Signals in; incidents, decisions, notices out. Also carries out what people decide. Pure: same
// inputs, same outcomes; time comes in as `now` (wall clock, while signals carry event time).
//   Owns:    the open incidents, the closed ones for `join` longer, so that people can follow up,
//            the decisions that have not ended, and who had which measure within `memory`.
//   Threads: none inside; the pipeline thread calls it.
//   Rules:   one decision for each detector, stream and episode; protected streams and streams in
//            grace get none; past the blast-radius cap, and while automation is off, decisions are
//            `proposed`; of several on one scope none is shortened by a later one.
//            A measure is on the narrowest scope that explains the evidence, and none is taken
//            where a receiver at fault, or a narrower measure in force, explains it already. After
//            an automatic hold or suspension has run out, mail comes back step by step. An incident
//            closes by itself when it is over: one of measures by hand alone with the last of
//            these, any other when no measure stands and nothing happened for `join`.
class Decider {
 public:
  explicit Decider(DecideSettings settings);

  // Brings back what was stored: incidents (as above), decisions (those not ended are kept; the
  // others say what was there before), the highest numbers used, and save()'s text.
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
  // Sets the verdict (none: the suggested one); proposals of the incident come into force (their
  // span counts from now). One that closed without a verdict may still get it: that changes nothing
  // else.
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

  Choice choose(const Signal& signal, const Incident* outage, size_t active_streams,
                Time now) const;
  // What stands against any automatic measure on this scope; empty: nothing.
  std::string held_off(const Signal& signal, const Stream& scope, Time now) const;
  const Decision* narrower_in_force(const Signal& signal, const Stream& scope,
                                    const Measure& measure, Time until) const;
  const Decision& carry_out(Step& step, Incident& incident, const Signal& signal,
                            const Choice& choice);
  Wanted wanted(const Signal& signal, const Stream& scope, Time now) const;
  size_t most_now(size_t active_streams) const;
  const Decision* covering(const Stream& scope, const Measure& measure, Time until,
                           DecisionState state) const;
  const Grace* grace_over(const Stream& stream, Time now) const;
  void note_in_graces(const Signal& signal, const Stream& scope, Time now);
  bool is_protected(const Stream& scope) const;
  void tell(Step& step, const Incident& incident, const Signal& signal, const Decision* made,
            const Choice& choice);
  void alarm(Step& step, const Incident& incident);
  void end_graces(Step& step);
  // decide/recovery.cc: the paced return, and what was there before.
  void return_slowly(Step& step, const Decision& ended);
  bool wants_return(const Decision& ended, Time now) const;
  void remember(const Decision& decision);
  void remember_warning(const Incident& incident, Time now);
  void remember_end(const Decision& decision);
  void forget_measures(const Incident& incident);
  void restore_past(const std::vector<Incident>& incidents, const std::vector<Decision>& decisions);
  // decide/causes.cc: whose fault it looks like.
  void suggest(Step& step, Incident& incident);
  Incident* outage_behind(const Signal& signal, Time now);
  void note_failing(const Incident& incident, const Signal& signal);
  bool others_fail_there(const Incident& incident) const;
  void index(const Incident& incident);
  void index(const Decision& decision);
  void unindex(const Incident& incident);
  void unindex(const Decision& decision);
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
  std::vector<Measure> return_;  // the steps of `return`
  Indexes indexes_;              // what follows from the two maps
  PastMeasures past_;            // by the subject of the scope
  PastMeasures by_customer_;     // the same by customer
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
