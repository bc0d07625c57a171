#pragma once
#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "ingest/own_failures.h"
#include "ingest/source.h"
#include "ingest/suppressions.h"
#include "store/store.h"
#include "suppress/reply_tags.h"

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// The outbox seen from the pipeline; enforce/ implements it (floors do not include their
// neighbours).
class Outbox {
 public:
  virtual ~Outbox() = default;
  // The rows that a new or changed decision needs; asked before the commit.
  virtual std::vector<store::Enforcement> rows_for(const Decision& decision, Time now) = 0;
  // After the commit: decisions in force now, and rows and notices to be carried out.
  virtual void committed(std::vector<Decision> active,
                         std::vector<std::pair<store::Enforcement, Decision>> rows,
                         std::vector<Notice> notices) = 0;
};

struct PipelineOptions {
  store::StoreSettings store;
  detect::WatchLimits limits;
  decide::DecideSettings decide;
  std::vector<detect::Detector> detectors;
  bool store_events = true;
  // A milter tells of mail that is accepted, and the mail server's log may tell of it again.
  bool accepted_twice = false;
  OwnFailures* own_failures = nullptr;  // told of each event; may be null, outlives the pipeline
  std::vector<suppress::Rule> suppress;
  // Where suppressions in force are to be found by others; null: nowhere.
  std::shared_ptr<suppress::List> suppressed;
};

// The one thread that owns detection, decisions and the store: takes arrivals, counts, decides,
// commits all that follows from them in one transaction, and only then acknowledges.
//   Use:     open() has the decisions in force; start() hands them out, and only then the counters
//            of before are read, while arrivals wait. deliver() and ask() from any thread,
//            stop().
//   Rules:   an event id seen within the last day is not counted again. A commit that fails is
//            tried again until it succeeds (nothing is acknowledged, sources wait) and health()
//            says so; meanwhile what was just decided is handed out uncommitted, for 15 minutes at
//            most, and questions that would change something are refused.
class Pipeline final : public EventSink {
 public:
  static Result<std::unique_ptr<Pipeline>> open(PipelineOptions options, Outbox& outbox,
                                                const Clock& clock, Metrics& metrics);
  ~Pipeline() override;

  void start();
  bool deliver(Arrival arrival) override;
  bool deliver_unless_stopped(Arrival arrival, const std::stop_token& stop) override;
  bool offer(Arrival arrival) override;
  // Positions of sources as committed: what Source::run() wants.
  std::string position_of(std::string_view source);

  // Looks, on the pipeline's thread and between two steps, also while the store refuses.
  using Look = std::function<void(const decide::Decider&, const detect::Watch&, Time now)>;
  // After the start it waits until the counters of before are there.
  Result<Done> look(const Look& look);
  // The same without that wait: until health().counting the Watch is empty.
  Result<Done> look_at_once(const Look& look);
  // As look_at_once() for changes: they are made on a copy of the decider, which takes the place of
  // the real one with the commit of the Outcome returned, before ask() returns.
  using Question =
      std::function<Result<decide::Outcome>(decide::Decider&, detect::Watch&, Time now)>;
  // `facts` are committed with what it says.
  Result<Done> ask(Question question, std::vector<store::Fact> facts = {});
  // What a person does to the list of suppressions; gives those that changed, once it is committed.
  Result<SuppressionChanges> change_suppressions(const SuppressionOrder& order);
  // A fact of somebody else's, committed with the next step: how far a feed has come.
  void keep(store::Fact fact);
  // Results of the dispatcher, committed with the next step.
  void report(std::vector<store::Enforcement> enforcements, std::vector<Notice> notices);
  // What ends our own refusals of suppressed recipients; good as long as the pipeline.
  const suppress::ReplyTags& reply_tags() const;
  // The suppressions as they are committed; as long.
  const suppress::List& suppressed() const;
  // New rules from now on; counters that they still want are kept.
  Result<Done> replace_rules(std::vector<detect::Detector> detectors,
                             decide::DecideSettings decide);
  Result<Done> replace_suppress_rules(std::vector<suppress::Rule> rules);

  struct Health {
    bool storing = true;
    std::string error;
    uint64_t events = 0;
    bool counting = false;  // the counters of before are there
  };
  Health health() const;
  // Before the sources are stopped: from now on a store that refuses is not waited for, so that
  // sources that wait for room are let go. What they hold is read again at the next start.
  void begin_stop();
  // Commits what was taken, saves the detector state, ends the thread.
  void stop();

 private:
  struct State;
  explicit Pipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace watchpost::ingest
