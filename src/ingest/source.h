#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"
#include "feedback/classifier.h"
#include "feedback/mapping.h"
#include "feedback/unread.h"
#include "model/event.h"
#include "model/kept_mail.h"
#include "model/mail_verdict.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// Events on their way into the pipeline, with the position behind them.
struct Arrival {
  EventBatch events;
  std::string source;                   // name in the configuration
  std::optional<std::string> position;  // what the source wants back when it starts again
  // Ids are known for as long as events are kept, and not only for a day: feedback counts once.
  bool lasting = false;
  std::vector<KeptMail> kept_mail;    // stored with the events, or without any
  std::vector<KeptVerdict> verdicts;  // on messages, stored with their events
  // Of mail without an event: what it is, in a word of a fixed set ("auto_reply"). Else empty.
  std::string_view nothing = {};
  // Called once, on the pipeline's thread, when all of it is on disk, or cannot be. May be empty.
  std::function<void(const Result<Done>&)> settled;
};

// Where sources put what they read.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Waits while the pipeline is full (back-pressure). False when it is shutting down: the arrival
  // was not taken.
  //   Threads: any.
  virtual bool deliver(Arrival arrival) = 0;
  // The same, but waits no longer once stop is requested: false then, too. What sources call.
  virtual bool deliver_unless_stopped(Arrival arrival, const std::stop_token& /*stop*/) {
    return deliver(std::move(arrival));
  }
  // The same, but never waits: false where the pipeline is full, too.
  virtual bool offer(Arrival arrival) { return deliver(std::move(arrival)); }
};

struct SourceStatus {
  std::string state;  // one sentence: "following", "waiting: /var/log/mail.log does not exist"
  bool healthy = true;
  uint64_t lines = 0;
  uint64_t events = 0;
  uint64_t bytes_behind = 0;  // read position to end of file
  // Of mail in files that is behind: how much of it was read since, from 0 to 1, and how long the
  // rest takes at that pace. Nothing where that is not known.
  std::optional<double> share;
  std::optional<Duration> left;
  std::optional<Time> counted_since;  // `lines`, `events` and `unread`
  std::optional<Time> last_event_at;
  std::map<std::string, feedback::Unread::Reason, std::less<>> unread;  // by reason
};

// Brings events in.
//   Threads: run() has a thread of its own; status() may be called from any other.
class Source {
 public:
  virtual ~Source() = default;
  // Reads until stopped (Done) or until it cannot go on (the reason). Never retries: the supervisor
  // does. `position` is the last one that was committed, or empty.
  virtual Result<Done> run(EventSink& sink, std::string_view position, std::stop_token stop) = 0;
  virtual SourceStatus status() const = 0;
  // Reads anew the files that are otherwise only read at its start: certificates. What it gives
  // takes them over, for whoever comes from then on; until that is called all stays as it is.
  //   Threads: any, also what it gives.
  virtual Result<std::function<void()>> read_files_anew() {
    return std::function<void()>([] {});
  }
};

class FeedbackReader;
class Reporters;

// What sources are made with. All of it outlives them.
struct SourceContext {
  const feedback::Classifier& classifier;
  const feedback::Mapping& mapping;
  const Clock& clock;
  FeedbackReader* feedback = nullptr;  // of mail; null where sources are only checked
  Reporters* reporters = nullptr;      // the same
  Metrics* metrics = nullptr;          // the same
};

// A file read to its end, outside the daemon: `watchpost replay`. `line_at` is the number of the
// line being read, for progress.
class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual void line(std::string_view text, const Hash128& line_id, EventBatch& into) = 0;
  virtual const feedback::Unread& unread() const = 0;
};

// A kind of source, as named by `kind` in [[source]]. The table of all is in registry.cc.
struct SourceKind {
  std::string_view name;
  std::string_view summary;
  bool hostile;  // reads bytes that strangers can choose: has a fuzz target
  // A fresh settings object of this kind, which describes itself.
  struct Settings {
    virtual ~Settings() = default;
    virtual void describe(SettingsVisitor& visit) = 0;
    // The addresses at which it listens.
    virtual std::vector<std::string> listens() const { return {}; }
    // What they name and is not there, though it may come; `about` names the setting. Looks at
    // files.
    virtual std::vector<Error> missing() const { return {}; }
  };
  std::unique_ptr<Settings> (*settings)();
  Result<std::unique_ptr<Source>> (*make)(std::string name, const Settings& settings,
                                          const SourceContext& context);
  // Lines of this kind's format, for replay; null where it has no lines. `reference` as in
  // PostfixLog.
  std::unique_ptr<FileReader> (*reader)(std::string name, const SourceContext& context,
                                        Time reference);
  // Bytes of a line that replay reads: no fewer than the source itself does, unless told so.
  size_t longest_line = 64 * 1024;
};
std::span<const SourceKind* const> source_kinds();
const SourceKind* source_kind(std::string_view name);

}  // namespace watchpost::ingest
