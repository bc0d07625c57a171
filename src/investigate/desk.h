#pragma once
#include "base/result.h"
#include "base/time.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "ingest/source.h"
#include "investigate/reports.h"
#include "model/decision.h"
#include "model/incident.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {
class Pipeline;
}

namespace watchpost::investigate {

struct SourceView {
  std::string name;
  std::string kind;
  ingest::SourceStatus status;
};
struct EnforcerView {
  std::string name;
  std::string state;     // one sentence
  uint64_t applied = 0;  // decisions by what is known to be so
  uint64_t pending = 0;
  uint64_t failed = 0;
};
struct StatusView {
  std::string version;
  Time started_at;
  Time now;
  bool automation = true;
  bool storing = true;      // false: the disk refuses; following pauses
  std::string store_error;  // why, then
  bool counting = true;     // false: the counters of before the start are still being read
  uint64_t events = 0;      // stored, ever
  uint64_t streams = 0;     // live
  uint64_t watch_bytes = 0;
  uint64_t late = 0;
  uint64_t evicted = 0;
  size_t open_incidents = 0;
  size_t active_decisions = 0;
  size_t proposed_decisions = 0;
  std::vector<SourceView> sources;
  std::vector<EnforcerView> enforcers;
};
struct DecisionView {
  Decision decision;
  std::vector<store::Enforcement> enforcements;  // wanted versus actual
};
struct IncidentView {
  Incident incident;
  std::vector<DecisionView> decisions;
};

// What an investigator asks for in `watchpost events`.
struct EventSearch {
  std::optional<Time> since;
  std::optional<Time> until;
  std::vector<Stream::Part> equal;
  std::string kind;   // empty: all
  std::string where;  // a RowCondition over event_schema(); empty: all
  size_t limit = 100;
  std::string after;
};

// All that the desk can ask and do, in one place: the API and the tests speak to it.
//   Threads: any; calls block until the pipeline's thread has answered (milliseconds) or the store
//   has
//            been read. Not for Io threads.
class Desk {
 public:
  virtual ~Desk() = default;

  virtual Result<StatusView> status() = 0;
  virtual Result<store::EventPage> events(const EventSearch& search) = 0;
  // Dimensions as in "customer campaign"; empty: all.
  virtual Result<std::vector<detect::StreamView>> streams(std::string_view dimensions,
                                                          size_t most) = 0;
  virtual Result<std::vector<detect::DetectorView>> explain(const Stream& stream) = 0;
  virtual Result<std::vector<Incident>> incidents(bool open_only,
                                                  size_t limit) = 0;  // newest first
  virtual Result<IncidentView> incident(IncidentId id) = 0;
  // `all`: also those that have ended.
  virtual Result<std::vector<DecisionView>> decisions(bool all, size_t limit) = 0;
  virtual Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit) = 0;
  virtual Result<std::vector<Notice>> notices(size_t limit) = 0;
  virtual Result<std::vector<AuditEntry>> audit(size_t limit) = 0;
  virtual Result<uint64_t> verify_audit() = 0;
  // What is counted of stored events. Good as long as the desk.
  virtual Reports& reports() = 0;

  // What people do; each returns when it is committed. `who` is never empty.
  virtual Result<Incident> confirm(IncidentId id, Verdict verdict, std::string_view who,
                                   std::string_view why) = 0;
  virtual Result<Incident> false_positive(IncidentId id, std::string_view who,
                                          std::string_view why) = 0;
  virtual Result<Incident> note(IncidentId id, std::string_view who, std::string_view text) = 0;
  virtual Result<Decision> revoke(DecisionId id, std::string_view who, std::string_view why) = 0;
  virtual Result<Decision> impose(Stream scope, Measure measure, std::string_view who,
                                  std::string_view why) = 0;
  virtual Result<std::vector<Decision>> release(const Stream& scope, std::string_view who,
                                                std::string_view why) = 0;
  virtual Result<Done> set_automation(bool on, std::string_view who, std::string_view why) = 0;
  // The configuration read again from its files. On an error the running one stays in force.
  virtual Result<Done> reload(std::string_view who) = 0;
};

}  // namespace watchpost::investigate
