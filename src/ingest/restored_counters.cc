#include "ingest/restored_counters.h"

#include "base/log.h"
#include "ingest/pipeline_state.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace watchpost::ingest {
namespace {

constexpr Duration kKnown = std::chrono::hours(24);
// Positions are kept at least that often, so that what may be read again is among these, whatever
// time it is of.
constexpr uint64_t kLastEvents = 300'000;
// Without saved counters, so many events are counted again.
constexpr uint64_t kRebuildEvents = 2'000'000;

}  // namespace

CounterReading::CounterReading(store::StoreSettings store, uint64_t last,
                               std::vector<detect::Detector> detectors, detect::WatchLimits limits,
                               std::multimap<uint64_t, decide::Rearm> rearms)
    : store_(std::move(store)),
      last_(last),
      detectors_(std::move(detectors)),
      limits_(limits),
      rearms_(std::move(rearms)) {}

RestoredCounters CounterReading::read(Time now) const {
  RestoredCounters counters{.watch = detect::Watch(detectors_, limits_)};
  counters.complete = read_into(counters, now);
  return counters;
}

Result<Done> CounterReading::read_into(RestoredCounters& counters, Time now) const {
  const auto opened = store::Reader::open(store_);
  if (!opened) return fail(opened.error());
  store::Reader& reader = **opened;
  const auto ids = reader.event_ids_since(now - kKnown);
  if (!ids) return fail(ids.error());
  for (const EventId& id : *ids) counters.seen.add(id, now);

  counters.sequence = last_ > kRebuildEvents ? last_ - kRebuildEvents : 0;
  const auto saved = read_saved(reader, counters);
  if (saved) {
    counters.sequence = *saved;
  } else if (saved.error().code != Code::not_found) {
    log_warning("pipeline", "the detectors' state of before is lost and is built anew: {}",
                saved.error().text());
  }
  rearm_after(counters.sequence, counters.watch);
  std::vector<Signal> signals;
  const auto again = [&](const Event& event, uint64_t sequence) {
    counters.seen.add(event.id, now);
    counters.failures.add(event);
    if (sequence <= counters.sequence) return;
    std::optional<Time>& newest = counters.newest;
    // As the clock moved time on between them.
    if (newest && event.at - kBehindClock > *newest) {
      counters.watch.advance_to(std::min(event.at - kBehindClock, *newest + limits_.lateness));
    }
    if (!newest || event.at > *newest) newest = event.at;
    signals.clear();
    counters.watch.on(event, signals);
    rearm_after(sequence, counters.watch);
  };
  const uint64_t known_from = last_ > kLastEvents ? last_ - kLastEvents : 0;
  return reader.events_after(std::min(counters.sequence, known_from), again);
}

// The event that the saved counters stand at; not_found where there are none.
Result<uint64_t> CounterReading::read_saved(store::Reader& reader,
                                            RestoredCounters& counters) const {
  const auto saved = reader.detector_state();
  if (!saved) return fail(saved.error());
  if (!*saved) return fail(Code::not_found, "no counters were saved");
  const auto restored = counters.watch.restore((*saved)->bytes);
  if (!restored) return fail(restored.error());
  return (*saved)->sequence;
}

void CounterReading::rearm_after(uint64_t sequence, detect::Watch& watch) const {
  const auto [from, to] = rearms_.equal_range(sequence);
  for (auto one = from; one != to; ++one) watch.rearm(one->second.detector, one->second.stream);
}

}  // namespace watchpost::ingest
