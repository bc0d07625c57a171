#pragma once
#include "decide/decider.h"
#include "ingest/source.h"
#include "model/event.h"
#include "store/store.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// All that one step of the pipeline changes, gathered until it is committed.
//   Owns:    the batches of the events in it.
//   Threads: none inside.
struct Step {
  std::vector<Event> events;  // new ones, in the order in which they were counted
  std::vector<EventBatch> batches;
  std::map<std::string, std::string, std::less<>> facts;
  bool decider_changed = false;              // its fact has to be written
  std::map<IncidentId, Incident> incidents;  // as they were last
  std::map<DecisionId, Decision> decisions;
  std::map<uint64_t, Notice> notices;
  std::vector<ShadowDecision> shadow;
  std::vector<store::Enforcement> reported;  // what came of tries
  std::vector<store::Enforcement> rows;      // what is to be tried
  std::vector<AuditEntry> audit;
  std::vector<store::LastingId> lasting;
  std::vector<KeptMail> kept_mail;
  std::vector<KeptVerdict> verdicts;                   // of `events`
  std::map<SuppressionKey, Suppression> suppressions;  // as they were last
  std::vector<std::function<void(const Result<Done>&)>> settled;

  // Without its rearms, which are not the store's business.
  void add(decide::Outcome outcome);
  // There is nothing to write.
  bool empty() const;
  store::Commit commit(bool with_events) const;
  void settle(const Result<Done>& done);
};

// The outcome changes nothing.
bool changes_nothing(const decide::Outcome& outcome);

}  // namespace watchpost::ingest
