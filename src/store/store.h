#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "model/audit.h"
#include "model/decision.h"
#include "model/event.h"
#include "model/incident.h"
#include "model/kept_mail.h"
#include "model/mail_verdict.h"
#include "model/notice.h"
#include "model/suppression.h"
#include "store/enforcement.h"
#include "store/query.h"
#include "store/suppression_query.h"
#include "store/verdict.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::store {

struct StoreSettings {
  std::string path = "/var/lib/watchpost";      // the data folder
  Duration partition = std::chrono::hours(1);   // event history: one file for each
  Duration keep = std::chrono::hours(24 * 30);  // event history older than this is dropped
};
void fields(SettingsVisitor& visit, StoreSettings& settings);

// A small named value kept with everything else: positions of sources ("position/NAME"), the kill
// switch, grace periods. An empty value deletes it.
struct Fact {
  std::string name;
  std::string value;
};

// The id of feedback that came `at`: known for as long as events are kept, so that it counts once.
struct LastingId {
  EventId id;
  Time at;
};

// Everything that one step of the pipeline changes; committed as one.
struct Commit {
  std::span<const Event> events;
  std::span<const LastingId> lasting;     // new
  std::span<const KeptMail> kept_mail;    // new
  std::span<const KeptVerdict> verdicts;  // of `events`
  std::vector<Suppression> suppressions;  // whole, new or changed
  std::vector<Fact> facts;
  std::vector<Incident> incidents;        // whole, new or changed
  std::vector<Decision> decisions;        // whole, new or changed
  std::vector<ShadowDecision> shadow;     // new
  std::vector<Enforcement> enforcements;  // the outbox: new or changed
  std::vector<Notice> notices;            // the outbox of notifications: new or changed
  std::vector<AuditEntry> audit;          // new
};

// How much mail that was not understood is kept, and went for want of room.
struct KeptMailRoom {
  uint64_t kept = 0;
  RemovedKeptMail removed;
};

// The only writer of a data folder.
//   Owns:    one connection to state.db and one to the open event partition; it alone checkpoints.
//   Threads: one thread uses it.
//   Fails:   commit() with exhausted (disk full) or unavailable (I/O): nothing of it was kept, and
//            the same commit may be tried again.
//   Files:   state.db (WAL, synchronous=FULL), events/YYYYMMDDTHHMMSSZ.db, lock, detector.state
class Store {
 public:
  // Opens or makes the folder, takes its lock (refused where another process has it), brings the
  // schema up to date, and cuts off events that were written but never committed.
  static Result<std::unique_ptr<Store>> open(const StoreSettings& settings);
  virtual ~Store() = default;

  // All or nothing, on disk when it returns. Events of a time go to that time's partition.
  virtual Result<Done> commit(const Commit& commit) = 0;
  // Seals finished partitions (builds their indexes), drops those past retention, checkpoints.
  // Takes at most about `budget`; call it when there is time.
  virtual Result<Done> maintain(Time now, Duration budget) = 0;
  // The number of events ever committed here: the sequence number of the last one.
  virtual uint64_t last_event() const = 0;
  // As of the last maintain().
  virtual KeptMailRoom kept_mail_room() const = 0;
  // Whether a commit had it in `lasting`.
  virtual Result<bool> knows(const EventId& lasting) = 0;
  // The detector state as of event `sequence`, written aside and renamed into place, with a
  // checksum.
  virtual Result<Done> save_detector_state(std::string_view bytes, uint64_t sequence) = 0;
};

struct DetectorState {
  std::string bytes;
  uint64_t sequence = 0;
};

// Reads what is committed, beside the writer; never checkpoints and never blocks it.
//   Threads: one thread uses one reader; make as many as needed.
class Reader {
 public:
  // Fails with not_found where the folder holds no store.
  static Result<std::unique_ptr<Reader>> open(const StoreSettings& settings,
                                              const ReaderOptions& options = {});
  virtual ~Reader() = default;

  virtual Result<EventPage> events(const EventQuery& query) = 0;
  // Calls `each` for every committed event after `sequence`, in the order they were committed.
  virtual Result<Done> events_after(uint64_t sequence,
                                    const std::function<void(const Event&, uint64_t)>& each) = 0;
  // Calls `each` for every committed event of [since, until), in the order of their times (of one
  // time: as they were committed), until it gives false. Holds few of them at one time.
  virtual Result<Done> events_between(Time since, Time until,
                                      const std::function<bool(const Event&)>& each) = 0;
  // Newest first.
  virtual Result<std::vector<MessageVerdict>> verdicts(const VerdictQuery& query) = 0;
  // Ids of all events since then, for telling what was read twice.
  virtual Result<std::vector<EventId>> event_ids_since(Time since) = 0;
  virtual Result<std::vector<Incident>> incidents() = 0;  // newest first
  virtual Result<std::vector<Decision>> decisions() = 0;  // newest first
  virtual Result<std::vector<ShadowDecision>> shadow_decisions(size_t limit) = 0;
  virtual Result<std::vector<Enforcement>> enforcements() = 0;
  virtual Result<std::vector<Notice>> notices(size_t limit) = 0;  // newest first
  virtual Result<std::vector<Fact>> facts(std::string_view prefix) = 0;
  virtual Result<bool> knows(const EventId& lasting) = 0;                     // as Store's
  virtual Result<std::vector<KeptMail>> kept_mail(size_t limit) = 0;          // newest first
  virtual Result<std::optional<KeptMail>> kept_mail_of(uint64_t number) = 0;  // with its bytes
  virtual Result<RemovedKeptMail> removed_kept_mail() = 0;
  // Those whose last change came after `change`, in the order of changes; lifted ones, too.
  virtual Result<std::vector<Suppression>> suppressions_after(uint64_t change, size_t limit) = 0;
  // Changed last first. Without a recipient it looks at all of them, newest first, until it has
  // enough.
  virtual Result<std::vector<Suppression>> suppressions(const SuppressionQuery& query) = 0;
  // What they were before each of their last changes, newest first; the query names a recipient.
  virtual Result<std::vector<Suppression>> suppression_history(const SuppressionQuery& query) = 0;
  // All of them as of one moment, those of a recipient one behind the other, until `each` fails.
  virtual Result<Done> each_suppression(
      const std::function<Result<Done>(const Suppression&)>& each) = 0;
  virtual Result<std::vector<AuditEntry>> audit(size_t limit) = 0;  // newest first
  // Walks the hash chain. Fails with corrupt, `about` naming the first bad row; gives the rows
  // checked.
  virtual Result<uint64_t> verify_audit() = 0;
  virtual Result<std::optional<DetectorState>> detector_state() = 0;
};

}  // namespace watchpost::store
