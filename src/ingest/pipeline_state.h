#pragma once
#include "ingest/inbox.h"
#include "ingest/pipeline.h"
#include "ingest/pipeline_metrics.h"
#include "ingest/recent_events.h"
#include "ingest/recent_failures.h"
#include "ingest/restored_counters.h"
#include "ingest/seen_ids.h"
#include "ingest/step.h"
#include "ingest/suppressions.h"
#include "suppress/reply_tags.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace watchpost::ingest {

// The pipeline's inside. All of it is the pipeline thread's, but for what stands under `shared`.
struct Pipeline::State {
  State(PipelineOptions options_wanted, Outbox& outbox_wanted, const Clock& clock_wanted,
        Metrics& metrics);

  // pipeline_restore.cc: what the store has from before.
  Result<Done> restore();
  Result<decide::Decider> stored_decider(const decide::DecideSettings& settings);
  Result<Done> prepare_counter_reading();
  Result<Done> take_reply_secret();
  void read_counters();
  Result<Done> hand_over_unfinished();

  // pipeline_step.cc: events to decisions, and all of it to the store.
  void take_in(std::vector<Arrival> arrivals);
  void count(const Event& event, Step& step, Time now);
  void keep(KeptMail mail, Step& step, Time now);
  void keep(KeptVerdict verdict, Step& step, size_t first_event);
  void note_failure(Event& event);
  bool was_there(const EventId& lasting);
  void rearm(const decide::Rearm& one, Step& step);
  void learn_kept_back(const decide::Outcome& outcome);
  bool commit_until_done(Step& step);
  Result<Done> commit_once(Step& step);
  void add_rows(Step& step, Time now);
  void after_commit(Step& step, Time now);
  void hand_out_uncommitted(const Step& step, Time now);
  bool storing() const;
  std::unexpected<Error> store_refuses() const;
  bool wait_for_store(std::chrono::milliseconds pause);

  // pipeline.cc: the thread and what it is asked to do.
  void run();
  void tick(bool idle);
  void save_detectors();
  Result<Done> answer(const Question& question, std::span<const store::Fact> facts);
  Result<SuppressionChanges> answer(const SuppressionOrder& order);
  Result<Done> use_rules(std::vector<detect::Detector> detectors, decide::DecideSettings settings);
  void take_report(std::vector<store::Enforcement> enforcements, std::vector<Notice> notices);
  // Runs it on the pipeline's thread and gives back what it gave. What needs the counters runs once
  // those of before are there.
  enum class Needs { decisions, counters };
  Result<Done> on_thread(Needs needs, std::function<Result<Done>()> task);

  PipelineOptions options;
  Outbox& outbox;
  const Clock& clock;
  PipelineMetrics metrics;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Reader> reader;
  detect::Watch watch;
  decide::Decider decider;
  SeenIds seen;
  RecentEvents recent;
  RecentFailures failures;
  Suppressions suppressions;
  std::optional<suppress::ReplyTags> tags;  // there once it is restored
  Inbox inbox;
  Step reports;                                 // go with the next step
  std::vector<Signal> signals;                  // of one event; kept for its room
  bool failing = false;                         // a commit is being tried again
  bool given_up = false;                        // stopped while failing
  std::atomic<bool> stop_wanted{false};         // a store that refuses is waited for no longer
  std::optional<Time> newest;                   // of all events counted
  bool live = false;                            // the newest event was recent when it came
  uint64_t rearms_made = 0;                     // makes their facts' names differ
  std::map<std::string, uint64_t> kept_rearms;  // fact -> sequence, since the last snapshot
  uint64_t saved_sequence = 0;
  std::optional<CounterReading> counter_reading;  // until the counters of before are there
  std::vector<decide::Rearm> rearms_while_reading;
  std::vector<decide::KeptBack> kept_back_while_reading;
  std::vector<Inbox::Errand> waiting_for_counters;
  std::chrono::steady_clock::time_point next_save;
  std::chrono::steady_clock::time_point next_maintenance;
  std::thread thread;

  mutable std::mutex shared;
  std::map<std::string, std::string, std::less<>> positions;
  Health health;
};

inline constexpr std::string_view kPositionFact = "position/";
inline constexpr std::string_view kRearmFact = "rearm/";
inline constexpr std::string_view kReplySecretFact = "suppress/reply secret";
inline constexpr std::string_view kDeciderFact = "decider";
// Events may come a little out of order: time is moved on by the clock only up to there.
inline constexpr Duration kBehindClock = std::chrono::seconds(2);

}  // namespace watchpost::ingest
