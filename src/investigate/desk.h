#pragma once
#include "base/result.h"
#include "base/time.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "ingest/source.h"
#include "investigate/quarantine_desk.h"
#include "investigate/reports.h"
#include "investigate/suppression_search.h"
#include "investigate/verdict_search.h"
#include "model/decision.h"
#include "model/incident.h"
#include "relate/reputation.h"
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
  uint64_t failed = 0;   // or, of one that follows the list of suppressions, tries in a row
  bool failing = false;  // such a one, now
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
  std::optional<quarantine::Usage> quarantine;  // none: no mail is held here
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
//            has been read. Not for Io threads.
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
  // Held mail; null where none is held. Good as long as the desk.
  virtual QuarantineDesk* quarantine() = 0;
  virtual Result<SuppressionPage> suppressions(const SuppressionSearch& search) = 0;
  // Those that changed after change number `after`, in the order of changes.
  virtual Result<std::vector<Suppression>> suppression_changes(uint64_t after, size_t limit) = 0;
  // What ends refusals of this recipient, so that they are known for our own.
  virtual std::string refusal_mark(std::string_view recipient) = 0;
  // Whether mail of this customer to the recipient is suppressed now, for whatever reason.
  virtual bool is_suppressed(std::string_view customer, std::string_view recipient) = 0;

  // What the border decided on messages, newest first.
  virtual Result<std::vector<FoundVerdict>> verdicts(const VerdictSearch& search) = 0;
  // Its standing now; one that is not known() where nobody of that name was seen. Fails with
  // refused where the border is not watched.
  virtual Result<relate::Reputed> reputation(relate::Party party, std::string_view name) = 0;
  virtual Result<std::vector<relate::Reputed>> worst_reputations(size_t most) = 0;

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
  // Of `wanted` counts recipient, customer, reason, until and note.
  virtual Result<Suppression> suppress(const Suppression& wanted, std::string_view who) = 0;
  // All that hold for this recipient and customer.
  virtual Result<std::vector<Suppression>> lift(const SuppressionLift& wanted,
                                                std::string_view who) = 0;
  virtual Result<ImportReceipt> import_suppressions(std::string_view csv,
                                                    const ImportOptions& options,
                                                    std::string_view who) = 0;
  // Fails with not_found where nothing was known.
  virtual Result<Done> forget_reputation(relate::Party party, std::string_view name,
                                         std::string_view who, std::string_view why) = 0;
  virtual Result<Done> set_automation(bool on, std::string_view who, std::string_view why) = 0;
  // The configuration read again from its files. On an error the running one stays in force.
  virtual Result<Done> reload(std::string_view who) = 0;
};

}  // namespace watchpost::investigate
