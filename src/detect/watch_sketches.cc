// What a stream has beside its counters: counted, slid, begun anew, read.
#include "base/hash.h"
#include "detect/watch_state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Apart from made_sketches(), which is asked for each event and nearly always has one.
[[gnu::noinline]] std::byte* make_block(WatchState& state, const Group& group) {
  auto* const block = static_cast<std::byte*>(state.table.memory().take(group.sketches.bytes));
  for (const Sketch& sketch : state.sketches_of(group)) make_cell(block, sketch);
  return block;
}

}  // namespace

std::byte* WatchState::made_sketches(StreamRecord& record) {
  std::byte*& block = table.sketches(record);
  if (block == nullptr) block = make_block(*this, plan.groups[record.group]);
  return block;
}

void WatchState::drop_sketches(StreamRecord& record) {
  const Group& group = plan.groups[record.group];
  if (group.sketches.bytes == 0) return;
  std::byte*& block = table.sketches(record);
  if (block == nullptr) return;
  for (const Sketch& sketch : sketches_of(group)) clear_cell(block, sketch, table.memory());
  table.memory().give(block);
  block = nullptr;
}

uint64_t WatchState::value_hash(const Event& event, Field field) {
  const auto i = static_cast<size_t>(field);
  if ((value_hashed >> i & 1) == 0) {
    value_hashes[i] = hash64(event[field], value_seed);
    value_hashed |= 1U << i;
  }
  return value_hashes[i];
}

std::optional<int64_t> WatchState::slot_in(uint32_t series, Time at) const {
  const WindowShape& shape = plan.series[series].shape;
  const SeriesNow& present = now[series];
  if (at >= present.begins) return present.slot;
  const int64_t slot = shape.slot_of(second_of(at));
  return slot > present.slot - shape.slots ? std::optional(slot) : std::nullopt;
}

void WatchState::count_in_sketches(const Event& event, Time at, StreamRecord& record) {
  const Group& group = plan.groups[record.group];
  for (const Effect::InSketch& some : effect->sketches_in(record.group)) {
    if (!count_in_sketch(event, at, some, record)) continue;
    const Sketch& sketch = plan.sketches[some.sketch];
    for (const Sketch::Feed& feed : sketch.feeds) {
      const std::optional<int64_t> slot = slot_in(feed.series, at);
      if (!slot) continue;
      const uint32_t nth = feed.series - group.first_series;
      if (feed.column != 0) {
        record.slots(nth).add(now[feed.series].slot, *slot, feed.column,
                              plan.series[feed.series].columns, table.memory());
      }
      touched_rules[nth].rules |= feed.rules;
      // A good try only takes evidence of a climb away.
      const bool raises = sketch.kind != SketchKind::climb || some.bad;
      if (raises) touched_rules[nth].raised |= feed.raises;
    }
  }
}

bool WatchState::count_in_sketch(const Event& event, Time at, const Effect::InSketch& some,
                                 StreamRecord& record) {
  const Sketch& sketch = plan.sketches[some.sketch];
  if (sketch.kind == SketchKind::climb) return count_in_climb(sketch, at, some.bad, record);
  if (sketch.kind == SketchKind::baseline) return count_in_past(sketch, at, record);
  const std::string_view value = event[sketch.field];
  if (value.empty() || value.size() > kLongestValue) return false;
  switch (sketch.kind) {
    case SketchKind::distinct: {
      const std::optional<int64_t> slot = slot_in(sketch.series, at);
      if (!slot) return false;
      cell_at<DistinctValues>(made_sketches(record), sketch)
          .add(now[sketch.series].slot, *slot, plan.series[sketch.series].shape.slots,
               value_hash(event, sketch.field), table.memory());
      return true;
    }
    case SketchKind::known: {
      auto& known = cell_at<KnownValues>(made_sketches(record), sketch);
      return known.add(value_hash(event, sketch.field), at, table.memory());
    }
    case SketchKind::walk:
      return cell_at<AlphabetWalk>(made_sketches(record), sketch).follows(value);
    case SketchKind::baseline:
    case SketchKind::expectation:
    case SketchKind::climb: break;
  }
  return false;
}

bool WatchState::count_in_past(const Sketch& sketch, Time at, StreamRecord& record) {
  const auto index = static_cast<uint32_t>(&sketch - plan.sketches.data());
  std::byte* const block = made_sketches(record);
  auto& past = cell_at<HourlyPast>(block, sketch);
  const int64_t present = hour_of(clock.newest());
  if (past.hour != present) {
    past.pass_to(present, weeks[sketch.week], table.memory());
    forget_expectations(record.group, index, block);
  }
  const int64_t age = past.hour - hour_of(at);
  if (age >= 0 && age < std::ssize(past.counts)) ++past.counts[static_cast<size_t>(age)];
  return true;
}

void WatchState::forget_expectations(uint32_t group, uint32_t baseline, std::byte* block) const {
  for (const Sketch& sketch : sketches_of(plan.groups[group])) {
    if (sketch.kind == SketchKind::expectation && sketch.baseline == baseline) {
      cell_at<KeptExpectation>(block, sketch) = {};
    }
  }
}

bool WatchState::count_in_climb(const Sketch& sketch, Time at, bool bad, StreamRecord& record) {
  if (!slot_in(sketch.series, at)) return false;
  auto& climb = cell_at<ClimbEvidence>(made_sketches(record), sketch);
  climb.nats = std::min(sketch.steps.next(climb.nats, bad), kMostEvidence);
  return true;
}

void WatchState::slide_sketches(StreamRecord& record, uint32_t series, int64_t last) {
  std::byte* const block = table.sketches(record);
  if (block == nullptr) return;
  for (const uint32_t index : plan.series[series].sketches) {
    const Sketch& sketch = plan.sketches[index];
    if (sketch.kind != SketchKind::distinct) continue;
    cell_at<DistinctValues>(block, sketch)
        .slide(last, now[series].slot, plan.series[series].shape.slots, table.memory());
  }
}

void WatchState::restart_sketches(StreamRecord& record, uint32_t series) {
  std::byte* const block = table.sketches(record);
  if (block == nullptr) return;
  for (const uint32_t index : plan.series[series].sketches) {
    const Sketch& sketch = plan.sketches[index];
    if (sketch.kind == SketchKind::climb) cell_at<ClimbEvidence>(block, sketch) = {};
    if (sketch.kind == SketchKind::distinct) clear_cell(block, sketch, table.memory());
  }
}

// Columns are forgotten by Noted::before; what is remembered for longer than a window is no
// evidence by itself. What other rules go by stays as it is.
void WatchState::restart_sketches_of(uint32_t index, StreamRecord& record, Noted& known) {
  if (plan.groups[record.group].sketches.bytes == 0) return;
  std::byte* const block = table.sketches(record);
  if (block == nullptr) return;
  const Rule& rule = plan.rules[index];
  for (const auto* terms : {&rule.when, &rule.guard}) {
    for (const TermPlace& term : *terms) {
      const Sketch& sketch = plan.sketches[term.sketch];
      switch (term.kind) {
        case expr::TermKind::distinct:
          if (std::popcount(sketch.feeds.front().rules) == 1) {
            clear_cell(block, sketch, table.memory());
          } else {
            known.values_from = now[rule.series].slot + 1;
          }
          break;
        case expr::TermKind::climb: cell_at<ClimbEvidence>(block, sketch) = {}; break;
        case expr::TermKind::in_order:
        case expr::TermKind::count:
        case expr::TermKind::fresh:
        case expr::TermKind::usual:
        case expr::TermKind::spread: break;
      }
    }
  }
}

void WatchState::skip_hours_of_incident(uint32_t stream) {
  StreamRecord& record = table[stream];
  const Group& group = plan.groups[record.group];
  std::byte* const block = table.sketches(record);
  const bool firing = std::ranges::any_of(group.rules, [&](uint32_t rule) {
    // A cohort that fired is long over when it leaves the window.
    if (plan.series[plan.rules[rule].series].is_cohort()) return false;
    const Noted* const known = notes.find(stream, rule);
    return known != nullptr && known->firing;
  });
  if (block == nullptr || !firing) return;
  for (const Sketch& sketch : sketches_of(group)) {
    if (sketch.kind == SketchKind::baseline) cell_at<HourlyPast>(block, sketch).skip_incident();
  }
}

Expectation WatchState::expectation_of(const Sketch& sketch, const std::byte* block,
                                       int64_t hour) const {
  const auto& kept = cell_at<KeptExpectation>(block, sketch);
  if (kept.hour == hour) return kept.value;
  const Sketch& baseline = plan.sketches[sketch.baseline];
  const double hours =
      std::chrono::duration<double, std::ratio<3600>>(plan.series[sketch.series].window).count();
  const Expectation value =
      cell_at<HourlyPast>(block, baseline).past.expected(hour, hours, weeks[baseline.week].shape());
  if (hour == hour_of(clock.newest())) {
    kept.hour = hour;
    kept.value = value;
  }
  return value;
}

double WatchState::value_of(const TermPlace& term, const Evidence& evidence) const {
  const auto sum = [&](const auto* from) {
    std::remove_cvref_t<decltype(*from)> all = 0;
    for (uint8_t i = 0; i < term.size; ++i) all += from[term.column[i]];
    return static_cast<double>(all);
  };
  switch (term.kind) {
    case expr::TermKind::count:
      if (term.tries && evidence.tries != nullptr) return sum(evidence.tries);
      return sum(evidence.sums);
    case expr::TermKind::in_order: return sum(evidence.sums);
    case expr::TermKind::fresh: {
      // Who knows too little calls everything new.
      const bool settled = evidence.sketches != nullptr &&
                           cell_at<KnownValues>(evidence.sketches, plan.sketches[term.sketch])
                               .settled(clock.newest());
      return settled ? sum(evidence.sums) : kUnknown;
    }
    case expr::TermKind::distinct:
    case expr::TermKind::usual:
    case expr::TermKind::spread:
    case expr::TermKind::climb: break;
  }
  const Sketch& sketch = plan.sketches[term.sketch];
  const WindowShape& shape = plan.series[sketch.series].shape;
  const bool emptied = evidence.newest - evidence.last >= shape.slots;
  const bool expects = sketch.kind == SketchKind::expectation;
  if (evidence.sketches == nullptr) return expects ? kUnknown : 0;
  if (expects) {
    const Expectation expected =
        expectation_of(sketch, evidence.sketches, hour_of(start_of(evidence.newest, shape)));
    return term.kind == expr::TermKind::usual ? expected.mean : expected.size;
  }
  if (emptied) return 0;
  if (sketch.kind == SketchKind::distinct) {
    return cell_at<DistinctValues>(evidence.sketches, sketch)
        .count(evidence.newest, shape.slots, evidence.values_from);
  }
  const float nats = cell_at<ClimbEvidence>(evidence.sketches, sketch).nats;
  return evidence.firing && nats > 0 ? kMostEvidence : nats;
}

}  // namespace watchpost::detect
