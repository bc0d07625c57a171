#include "ingest/pipeline.h"

#include "base/log.h"
#include "ingest/pipeline_state.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr size_t kEventsInStep = 16 * 1024;
constexpr size_t kEventsWaiting = 64 * 1024;
constexpr auto kSaveEvery = std::chrono::seconds(60);
// Saving counters takes at most this part of the time.
constexpr int kSavingShare = 20;
constexpr Duration kMaintenance = std::chrono::milliseconds(20);

using Ticks = std::chrono::steady_clock;

// Nobody outside may work out values that count as one.
uint64_t secret_seed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

std::unexpected<Error> stopping() { return fail(Code::unavailable, "Watchpost is shutting down"); }

}  // namespace

Pipeline::State::State(PipelineOptions options_wanted, Outbox& outbox_wanted,
                       const Clock& clock_wanted, Metrics& all_metrics)
    : options(std::move(options_wanted)),
      outbox(outbox_wanted),
      clock(clock_wanted),
      metrics(all_metrics),
      watch(options.detectors, options.limits),
      decider(options.decide),
      suppressions(options.suppress, options.suppressed, all_metrics),
      inbox(kEventsWaiting),
      next_save(Ticks::now() + kSaveEvery) {
  options.limits.value_seed = secret_seed();
}

Pipeline::Pipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pipeline::~Pipeline() { stop(); }

Result<std::unique_ptr<Pipeline>> Pipeline::open(PipelineOptions options, Outbox& outbox,
                                                 const Clock& clock, Metrics& metrics) {
  auto state = std::make_unique<State>(std::move(options), outbox, clock, metrics);
  const auto restored = state->restore();
  if (!restored) return fail(restored.error());
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(state)));
}

void Pipeline::start() {
  if (state_->thread.joinable()) return;
  // Before anything else runs: who asks from the first moment on gets the decisions in force.
  const auto handed_over = state_->hand_over_unfinished();
  if (!handed_over) {
    log_error("pipeline", "what was not done before the start is left for later: {}",
              handed_over.error().text());
  }
  state_->thread = std::thread([this] { state_->run(); });
}

void Pipeline::begin_stop() {
  state_->stop_wanted = true;
  state_->inbox.put(Inbox::Errand([] {}));  // wakes it
}

void Pipeline::stop() {
  state_->inbox.close();
  if (state_->thread.joinable()) state_->thread.join();
}

bool Pipeline::deliver(Arrival arrival) { return state_->inbox.put(std::move(arrival), {}); }

bool Pipeline::deliver_unless_stopped(Arrival arrival, const std::stop_token& stop) {
  return state_->inbox.put(std::move(arrival), stop);
}

bool Pipeline::offer(Arrival arrival) { return state_->inbox.offer(std::move(arrival)); }

std::string Pipeline::position_of(std::string_view source) {
  const std::lock_guard lock(state_->shared);
  const auto found = state_->positions.find(source);
  return found == state_->positions.end() ? std::string() : found->second;
}

Result<Done> Pipeline::look(const Look& look) {
  return state_->on_thread(State::Needs::counters, [this, &look]() -> Result<Done> {
    look(state_->decider, state_->watch, state_->clock.now());
    return Done{};
  });
}

Result<Done> Pipeline::look_at_once(const Look& look) {
  return state_->on_thread(State::Needs::decisions, [this, &look]() -> Result<Done> {
    look(state_->decider, state_->watch, state_->clock.now());
    return Done{};
  });
}

Result<Done> Pipeline::ask(Question question, std::vector<store::Fact> facts) {
  return state_->on_thread(State::Needs::decisions,
                           [&] { return state_->answer(question, facts); });
}

Result<Done> Pipeline::replace_rules(std::vector<detect::Detector> detectors,
                                     decide::DecideSettings decide) {
  return state_->on_thread(State::Needs::counters, [&] {
    return state_->use_rules(std::move(detectors), std::move(decide));
  });
}

Result<SuppressionChanges> Pipeline::change_suppressions(const SuppressionOrder& order) {
  SuppressionChanges changed;
  const auto done = state_->on_thread(State::Needs::decisions, [&]() -> Result<Done> {
    auto answer = state_->answer(order);
    if (!answer) return fail(answer.error());
    changed = std::move(*answer);
    return Done{};
  });
  if (!done) return fail(done.error());
  return changed;
}

Result<Done> Pipeline::replace_suppress_rules(std::vector<suppress::Rule> rules) {
  return state_->on_thread(State::Needs::decisions, [&]() -> Result<Done> {
    state_->suppressions.use(std::move(rules));
    return Done{};
  });
}

const suppress::ReplyTags& Pipeline::reply_tags() const { return *state_->tags; }

const suppress::List& Pipeline::suppressed() const { return state_->suppressions.list(); }

void Pipeline::keep(store::Fact fact) {
  state_->inbox.put(Inbox::Errand([this, fact = std::move(fact)]() mutable {
    state_->reports.facts[std::move(fact.name)] = std::move(fact.value);
  }));
}

void Pipeline::report(std::vector<store::Enforcement> enforcements, std::vector<Notice> notices) {
  state_->inbox.put(Inbox::Errand(
      [this, enforcements = std::move(enforcements), notices = std::move(notices)]() mutable {
        state_->take_report(std::move(enforcements), std::move(notices));
      }));
}

Pipeline::Health Pipeline::health() const {
  const std::lock_guard lock(state_->shared);
  return state_->health;
}

Result<Done> Pipeline::State::on_thread(Needs needs, std::function<Result<Done>()> task) {
  std::promise<Result<Done>> promise;
  auto answered = promise.get_future();
  const auto run_task = [&] { promise.set_value(task()); };
  const bool taken = inbox.put(Inbox::Errand([&] {
    if (needs == Needs::counters && counter_reading) {
      waiting_for_counters.emplace_back(run_task);
    } else {
      run_task();
    }
  }));
  if (!taken) return stopping();
  return answered.get();
}

void Pipeline::State::run() {
  read_counters();
  while (true) {
    Inbox::Taken taken = inbox.take(kTick, kEventsInStep);
    // First, as the arrivals may have to wait for a store that cannot be written.
    for (const Inbox::Errand& errand : taken.errands) errand();
    if (!taken.arrivals.empty()) take_in(std::move(taken.arrivals));
    if (taken.closed && taken.empty()) break;
    tick(taken.empty());
  }
  if (!failing) save_detectors();
}

// What time brings, without events.
void Pipeline::State::tick(bool idle) {
  const Time now = clock.now();
  if (live && newest) {
    // No further than late events reach: a log that stands still and then goes on is counted.
    watch.advance_to(std::min(now - kBehindClock, *newest + options.limits.lateness));
  }
  if (idle || !reports.reported.empty() || !reports.notices.empty() || !reports.facts.empty()) {
    take_in({});
  }
  const auto ticks = Ticks::now();
  if (ticks >= next_save) save_detectors();
  if (ticks >= next_maintenance && !failing) {
    next_maintenance = ticks + std::chrono::seconds(idle ? 1 : 5);
    const auto done = store->maintain(now, kMaintenance);
    if (!done) log_warning("pipeline", "upkeep of the store: {}", done.error().text());
    metrics.show(store->kept_mail_room());
  }
  metrics.show(watch.stats(), inbox.events(), seen.forgotten_early());
  metrics.show(decider, now);
}

void Pipeline::State::save_detectors() {
  const auto before = Ticks::now();
  const uint64_t sequence = store->last_event();
  const auto saved = store->save_detector_state(watch.save(), sequence);
  const auto after = Ticks::now();
  next_save = after + std::max<Ticks::duration>(kSaveEvery, (after - before) * kSavingShare);
  if (!saved) {
    log_warning("pipeline", "the detectors' state could not be saved: {}", saved.error().text());
    return;
  }
  saved_sequence = sequence;
  // What is in the saved state need not be done again. What came after the same event may not be in
  // it, and does no harm twice.
  Step step;
  for (const auto& [name, at] : kept_rearms) {
    if (at < sequence) step.facts[name] = "";
  }
  if (!step.facts.empty() && commit_once(step)) {
    std::erase_if(kept_rearms, [&](const auto& one) { return one.second < sequence; });
  }
}

// The decider is changed only where the change is on disk: a person is told at once where it cannot
// be.
Result<Done> Pipeline::State::answer(const Question& question, std::span<const store::Fact> facts) {
  decide::Decider changed = decider;
  const Time now = clock.now();
  auto outcome = question(changed, watch, now);
  if (!outcome) return fail(outcome.error());
  if (changes_nothing(*outcome)) return Done{};
  if (failing) return store_refuses();
  Step step;
  for (const store::Fact& fact : facts) step.facts[fact.name] = fact.value;
  if (outcome->state_changed) step.facts[std::string(kDeciderFact)] = changed.save();
  if (const auto undone = suppressions.undo(*outcome, decider, changed, *reader, step, now);
      !undone) {
    suppressions.dropped();
    return undone;
  }
  suppressions.note(*outcome);
  const auto rearms = std::move(outcome->rearm);
  learn_kept_back(*outcome);
  step.add(std::move(*outcome));
  add_rows(step, now);
  std::swap(decider, changed);
  for (const decide::Rearm& one : rearms) rearm(one, step);
  const auto done = commit_once(step);
  if (!done) {
    // The counters of what was to be counted anew stay so: that costs evidence, never a measure.
    std::swap(decider, changed);
    suppressions.dropped();
    for (const auto& [name, value] : step.facts) kept_rearms.erase(name);
  }
  return done;
}

Result<SuppressionChanges> Pipeline::State::answer(const SuppressionOrder& order) {
  if (failing) return store_refuses();
  Step step;
  auto changed = suppressions.carry_out(order, *reader, step, clock.now());
  if (changed && !changed->changed.empty()) {
    const size_t count = changed->changed.size();
    metrics.lifting(order.act == SuppressionOrder::Act::lift ? count : 0);
    if (const auto done = commit_once(step); !done) {
      changed = fail(done.error());
    } else if (order.act != SuppressionOrder::Act::lift) {
      metrics.suppressed(order.act == SuppressionOrder::Act::add ? "by_hand" : "imported", count);
    }
    metrics.lifting(0);
  }
  if (!changed) suppressions.dropped();
  return changed;
}

Result<Done> Pipeline::State::use_rules(std::vector<detect::Detector> detectors,
                                        decide::DecideSettings settings) {
  if (failing) return store_refuses();
  auto fresh = stored_decider(settings);
  if (!fresh) return fail(fresh.error());
  detect::Watch next(detectors, options.limits);
  const auto kept = next.restore(watch.save());
  if (!kept) return fail(kept.error());
  watch = std::move(next);
  decider = std::move(*fresh);
  options.detectors = std::move(detectors);
  options.decide = std::move(settings);
  return Done{};
}

void Pipeline::State::take_report(std::vector<store::Enforcement> enforcements,
                                  std::vector<Notice> notices) {
  for (store::Enforcement& row : enforcements) {
    // A try that was under way while its decision ended: to undo it is what is wanted since.
    const bool ended = !decider.decisions().contains(row.decision);
    if (ended && row.wanted == store::Enforcement::Wanted::applied) continue;
    reports.reported.push_back(std::move(row));
  }
  for (Notice& notice : notices) reports.notices[notice.number] = std::move(notice);
}

}  // namespace watchpost::ingest
