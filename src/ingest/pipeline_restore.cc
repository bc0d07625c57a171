#include "base/log.h"
#include "base/text.h"
#include "ingest/pipeline_state.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr Duration kKnown = std::chrono::hours(24);
// Positions are kept at least that often, so that what may be read again is among these, whatever
// time it is of.
constexpr uint64_t kLastEvents = 300'000;
// Without saved counters, so many events are counted again.
constexpr uint64_t kRebuildEvents = 2'000'000;
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

  const Time now = clock.now();
  const auto ids = reader->event_ids_since(now - kKnown);
  if (!ids) return fail(ids.error());
  for (const EventId& id : *ids) seen.add(id, now);
  health.events = store->last_event();
  return restore_watch(now);
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

// The saved counters, and what came after them once more: its signals were decided then.
Result<Done> Pipeline::State::restore_watch(Time now) {
  const uint64_t last = store->last_event();
  uint64_t counted = last > kRebuildEvents ? last - kRebuildEvents : 0;
  auto saved = reader->detector_state();
  if (saved && *saved) {
    const auto restored = watch.restore((*saved)->bytes);
    if (restored) counted = (*saved)->sequence;
    if (!restored) saved = fail(restored.error());
  }
  if (!saved) {
    log_warning("pipeline", "the detectors' state of before is lost and is built anew: {}",
                saved.error().text());
    watch = detect::Watch(options.detectors, options.limits);
  }
  saved_sequence = counted;

  const auto facts = reader->facts(kRearmFact);
  if (!facts) return fail(facts.error());
  std::multimap<uint64_t, decide::Rearm> rearms;
  for (const store::Fact& fact : *facts) {
    auto kept = rearm_from(fact);
    if (!kept) continue;
    kept_rearms[kept->fact] = kept->sequence;
    ++rearms_made;
    if (kept->sequence >= counted) rearms.emplace(kept->sequence, std::move(kept->rearm));
  }
  const auto rearm_after = [&](uint64_t sequence) {
    const auto [from, to] = rearms.equal_range(sequence);
    for (auto one = from; one != to; ++one) {
      watch.rearm(one->second.detector, one->second.stream);
    }
  };
  rearm_after(counted);
  const auto again = [&](const Event& event, uint64_t sequence) {
    seen.add(event.id, now);
    if (sequence <= counted) return;
    // As the clock moved time on between them.
    if (newest && event.at - kBehindClock > *newest) {
      watch.advance_to(std::min(event.at - kBehindClock, *newest + options.limits.lateness));
    }
    if (!newest || event.at > *newest) newest = event.at;
    signals.clear();
    watch.on(event, signals);
    rearm_after(sequence);
  };
  const uint64_t known_from = last > kLastEvents ? last - kLastEvents : 0;
  return reader->events_after(std::min(counted, known_from), again);
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
