#include "base/log.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "ingest/pipeline_state.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <future>
#include <map>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr size_t kMostNotices = 10'000;

struct KeptRearm {
  std::string fact;
  uint64_t sequence = 0;
  decide::Rearm rearm;
};

std::optional<KeptRearm> rearm_from(const store::Fact& fact) {
  KeptRearm kept{.fact = fact.name};
  const std::string_view number = std::string_view(fact.name).substr(kRearmFact.size());
  if (std::from_chars(number.data(), number.data() + number.size(), kept.sequence).ec !=
      std::errc()) {
    return std::nullopt;
  }
  // Streams are on one line; a detector's name may be anything.
  const size_t newline = fact.value.find('\n');
  if (newline == std::string::npos) return std::nullopt;
  auto stream = parse_stream(std::string_view(fact.value).substr(0, newline));
  if (!stream) return std::nullopt;
  kept.rearm = {fact.value.substr(newline + 1), std::move(*stream)};
  return kept;
}

bool to_be_done(const store::Enforcement& row) {
  using Wanted = store::Enforcement::Wanted;
  using Actual = store::Enforcement::Actual;
  if (row.actual == Actual::unsupported) return false;
  return row.wanted == Wanted::applied ? row.actual != Actual::applied
                                       : row.actual != Actual::undone;
}

}  // namespace

Result<Done> Pipeline::State::restore() {
  auto opened = store::Store::open(options.store);
  if (!opened) return fail(opened.error());
  store = std::move(*opened);
  auto reading = store::Reader::open(options.store);
  if (!reading) return fail(reading.error());
  reader = std::move(*reading);

  const auto facts = reader->facts(kPositionFact);
  if (!facts) return fail(facts.error());
  for (const store::Fact& fact : *facts) {
    positions[fact.name.substr(kPositionFact.size())] = fact.value;
  }
  auto stored = stored_decider(options.decide);
  if (!stored) return fail(stored.error());
  decider = std::move(*stored);

  if (const auto done = suppressions.restore(*store, *reader); !done) return done;
  if (const auto done = take_reply_secret(); !done) return done;

  health.events = store->last_event();
  return prepare_counter_reading();
}

// A new one is committed with the first step: that a full disk refuses it is no reason not to
// start.
Result<Done> Pipeline::State::take_reply_secret() {
  const auto facts = reader->facts(kReplySecretFact);
  if (!facts) return fail(facts.error());
  const auto kept = std::ranges::find(*facts, kReplySecretFact, &store::Fact::name);
  std::string secret = kept != facts->end() ? kept->value : crypto::random_hex(32);
  if (kept == facts->end()) reports.facts[std::string(kReplySecretFact)] = secret;
  tags.emplace(std::move(secret));
  return Done{};
}

Result<decide::Decider> Pipeline::State::stored_decider(const decide::DecideSettings& settings) {
  auto incidents = reader->incidents();
  if (!incidents) return fail(incidents.error());
  auto decisions = reader->decisions();
  if (!decisions) return fail(decisions.error());
  const auto notices = reader->notices(1);
  if (!notices) return fail(notices.error());
  const auto facts = reader->facts(kDeciderFact);
  if (!facts) return fail(facts.error());
  const auto saved = std::ranges::find(*facts, kDeciderFact, &store::Fact::name);
  decide::Decider fresh(settings);
  const auto done = fresh.restore(std::move(*incidents), std::move(*decisions),
                                  notices->empty() ? 0 : notices->front().number,
                                  saved == facts->end() ? std::string_view() : saved->value);
  if (!done) return fail(done.error());
  return fresh;
}

Result<Done> Pipeline::State::prepare_counter_reading() {
  const auto facts = reader->facts(kRearmFact);
  if (!facts) return fail(facts.error());
  std::multimap<uint64_t, decide::Rearm> rearms;
  for (const store::Fact& fact : *facts) {
    auto kept = rearm_from(fact);
    if (!kept) continue;
    kept_rearms[kept->fact] = kept->sequence;
    ++rearms_made;
    rearms.emplace(kept->sequence, std::move(kept->rearm));
  }
  counter_reading.emplace(options.store, store->last_event(), options.detectors, options.limits,
                          std::move(rearms));
  return Done{};
}

// What needs no counters goes on meanwhile: decisions end, people ask and change them. Arrivals
// wait, and their senders with them.
void Pipeline::State::read_counters() {
  const auto begun = std::chrono::steady_clock::now();
  auto reading = std::async(std::launch::async, [this, now = clock.now()] {
    RestoredCounters counters = counter_reading->read(now);
    inbox.put(Inbox::Errand([] {}));  // wakes who waits for it
    return counters;
  });
  while (reading.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    const Inbox::Taken taken = inbox.take_errands(kTick);
    for (const Inbox::Errand& errand : taken.errands) errand();
    if (taken.closed) break;
    take_in({});
    metrics.show(decider, clock.now());
  }
  RestoredCounters counters = reading.get();
  counter_reading.reset();
  if (!counters.complete) {
    log_error("pipeline", "not all that was counted before the start could be read: {}",
              counters.complete.error().text());
  }
  watch = std::move(counters.watch);
  seen = std::move(counters.seen);
  failures = std::move(counters.failures);
  newest = counters.newest;
  saved_sequence = counters.sequence;
  for (const decide::Rearm& one : std::exchange(rearms_while_reading, {})) {
    watch.rearm(one.detector, one.stream);
  }
  for (const decide::KeptBack& one : std::exchange(kept_back_while_reading, {})) {
    watch.kept_back(one.stream, one.since);
  }
  metrics.counting();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  log_info("pipeline", "the counters of {} streams were read in {:.1f} s", watch.stats().streams,
           taken.count());
  {
    const std::lock_guard lock(shared);
    health.counting = true;
  }
  for (const Inbox::Errand& errand : std::exchange(waiting_for_counters, {})) errand();
}

// Rows and notices that were committed and not carried out.
Result<Done> Pipeline::State::hand_over_unfinished() {
  const Time now = clock.now();
  std::vector<Decision> active;
  for (const auto& [id, decision] : decider.decisions()) {
    if (decision.in_force(now)) active.push_back(decision);
  }
  // First, so that they hold whatever cannot be read below.
  outbox.committed(active, {}, {});
  const auto decisions = reader->decisions();
  if (!decisions) return fail(decisions.error());
  std::map<DecisionId, const Decision*> by_id;
  for (const Decision& decision : *decisions) by_id[decision.id] = &decision;
  const auto enforcements = reader->enforcements();
  if (!enforcements) return fail(enforcements.error());
  std::vector<std::pair<store::Enforcement, Decision>> rows;
  for (const store::Enforcement& row : *enforcements) {
    const auto decision = by_id.find(row.decision);
    if (decision == by_id.end() || !to_be_done(row)) continue;
    rows.emplace_back(row, *decision->second);
  }
  auto notices = reader->notices(kMostNotices);
  if (!notices) return fail(notices.error());
  std::erase_if(*notices, [](const Notice& one) { return one.state != Notice::State::pending; });
  std::ranges::reverse(*notices);
  outbox.committed(std::move(active), std::move(rows), std::move(*notices));
  return Done{};
}

}  // namespace watchpost::ingest
