#include "detect/watch.h"

#include "detect/kept_back.h"
#include "detect/watch_state.h"

#include <algorithm>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr int kLookedAfterIdle = 256;  // streams, with each advance_to()

// When its message was accepted. What cannot be is as long ago as anything.
Time sent_at(const Event& event, Time at) {
  constexpr Duration kLongest = std::chrono::days(400);
  if (!(event.delay > 0)) return at;
  if (event.delay >= std::chrono::duration<double>(kLongest).count()) return bounded(Time::min());
  return bounded(at -
                 std::chrono::duration_cast<Duration>(std::chrono::duration<double>(event.delay)));
}

std::vector<StreamTable::Shape> shapes_of_groups(const Plan& plan) {
  std::vector<StreamTable::Shape> shapes;
  for (const Group& group : plan.groups) {
    shapes.push_back({.series = group.series,
                      .sketches = group.sketches.bytes != 0,
                      .values = static_cast<uint32_t>(group.dimensions.size())});
  }
  return shapes;
}

// Whether a rule's notes may say that a receiver is at fault.
std::vector<bool> receiver_faults(const Plan& plan) {
  std::vector<bool> faults;
  for (const Rule& rule : plan.rules) faults.push_back(rule.receiver_fault);
  return faults;
}

}  // namespace

void fields(SettingsVisitor& visit, WatchLimits& limits) {
  visit.setting({.name = "memory",
                 .help = "bytes for the counters of all streams; where more would be needed, those "
                         "not seen for longest are dropped",
                 .least = 1024 * 1024,
                 .most = 1e12},
                &limits.memory);
  visit.setting({.name = "lateness",
                 .help = "events older than the newest by more than this are not counted",
                 .least = 0,
                 .most = 86400},
                &limits.lateness);
}

WatchState::WatchState(std::vector<Detector> detectors, WatchLimits limits_wanted)
    : limits(limits_wanted),
      plan(std::move(detectors)),
      clock(limits.lateness),
      table(shapes_of_groups(plan), static_cast<size_t>(std::max<int64_t>(0, limits.memory))),
      notes(table.memory(), receiver_faults(plan)),
      lags(table.memory()),
      weeks(plan.weeks),
      now(plan.series.size()),
      next_slot(Time::min()),
      sketch_from(plan.sketches.size(), std::numeric_limits<int64_t>::min()),
      counts_from(plan.rules.size(), std::numeric_limits<int64_t>::min()),
      value_seed(limits.value_seed) {
  for (const Group& group : plan.groups) {
    active.emplace_back(plan.series[group.longest].shape.slots);
    touched_rules.resize(std::max<size_t>(touched_rules.size(), group.series));
  }
  for (const Series& series : plan.series) {
    column_from.emplace_back(series.columns, std::numeric_limits<int64_t>::min());
  }
  update_stats();
}

WatchState::~WatchState() { forget_all(); }

void WatchState::update_stats() {
  stats.streams = table.size();
  stats.bytes = table.memory().bytes();
}

void WatchState::time_has_passed() {
  const Time newest = clock.newest();
  if (!clock.started() || newest < next_slot) return;
  next_slot = Time::max();
  for (uint32_t g = 0; g < plan.groups.size(); ++g) {
    const Group& group = plan.groups[g];
    for (uint32_t s = group.first_series; s < group.first_series + group.series; ++s) {
      const WindowShape& shape = plan.series[s].shape;
      const int64_t slot = shape.slot_of(second_of(newest));
      if (s == group.longest) active[g].advance(now[s].slot, slot);
      now[s] = {.slot = slot,
                .begins = start_of(slot, shape),
                .ends = start_of(slot + 1, shape),
                .oldest = start_of(slot - shape.slots + 1, shape)};
      next_slot = std::min(next_slot, now[s].ends);
    }
  }
}

void WatchState::on(const Event& event, std::vector<Signal>& out) {
  if (event.self_inflicted) return note_kept_back(*this, event);
  if (!is_proven(event)) return;
  const EventClock::Admission admission = clock.admit(event.at, event.clock_suspect);
  const bool late = admission.verdict == EventClock::Verdict::late;
  switch (admission.verdict) {
    case EventClock::Verdict::counts: break;
    case EventClock::Verdict::ahead: ++stats.ahead; break;
    case EventClock::Verdict::restart: forget_all(); break;
    case EventClock::Verdict::late: ++stats.late; break;
  }
  const bool has_cohorts = plan.has_cohorts[static_cast<size_t>(event.direction)];
  if (late && (!has_cohorts || !clock.started())) return;
  Moment moment{.at = late ? bounded(event.at) : admission.at, .late = late};
  moment.sent = has_cohorts ? sent_at(event, moment.at) : moment.at;
  if (!late) ++stats.events;
  time_has_passed();
  hash_dimensions(event);
  find_effect(event);
  fired.clear();
  value_hashed = 0;
  if (has_cohorts) learn_lag(event, moment);
  find_streams(event, moment.at);
  if (notes.count() > 0 && is_failure(event.kind)) {
    count_failure(event, moment, out);
  } else {
    for (const Place& place : places) count(event, moment, place, out);
  }
  make_room();
  update_stats();
}

void WatchState::count_failure(const Event& event, const Moment& moment, std::vector<Signal>& out) {
  bool at_fault = false;
  bool in_shadow = false;  // so says a rule that may not have any effect
  for (const Place& place : places) {
    const Group& group = plan.groups[place.group];
    if (!group.has_receiver_faults) continue;
    const uint32_t stream = count(event, moment, place, out);
    for (const uint32_t rule : group.rules) {
      if (!plan.rules[rule].receiver_fault) continue;
      const Noted* const known = table[stream].noted ? notes.find(stream, rule) : nullptr;
      if (known == nullptr || !known->firing) continue;
      // A blocked address does not explain that somebody's recipients do not exist.
      if (!effect->counts_for(plan.rules[rule].failures, event.kind)) continue;
      const bool shadow = plan.detectors[plan.rules[rule].detector].mode == Mode::shadow;
      (shadow ? in_shadow : at_fault) = true;
    }
  }
  for (const Place& place : places) {
    const Group& group = plan.groups[place.group];
    if (group.has_receiver_faults) continue;
    const bool explained = at_fault || (in_shadow && group.all_shadow);
    if (!explained || group.has_provider) count(event, moment, place, out);
  }
}

void WatchState::hash_dimensions(const Event& event) {
  bool oversized = false;
  hashed = 0;
  for (const Field field : plan.dimensions_of[static_cast<size_t>(event.direction)]) {
    const std::string_view value = event[field];
    if (value.empty()) continue;
    if (value.size() > kLongestValue) {
      oversized = true;
      continue;
    }
    const auto i = static_cast<size_t>(field);
    hashes[i] = table.hash_of(value);
    hashed |= 1U << i;
  }
  if (oversized) ++stats.oversized;
}

void WatchState::find_effect(const Event& event) {
  effect = &effects.of(event, [&](Field field) {
    const auto i = static_cast<size_t>(field);
    if ((hashed >> i & 1) != 0) return hashes[i];
    const std::string_view text = event[field];
    return text.empty() ? Hash128{} : table.hash_of(text);
  });
}

// Each step touches memory that no cache may hold, for each group. Asking for all of one step
// before waiting for the first of the next hides most of the waiting.
void WatchState::find_streams(const Event& event, Time at) {
  places.clear();
  for (const uint32_t index : plan.groups_of[static_cast<size_t>(event.direction)]) {
    const Group& group = plan.groups[index];
    if ((group.fields & ~hashed) != 0) continue;
    if (expired(index, at) && clock.newest() - at >= group.cohorts) continue;
    StreamKeyMaker maker(index);
    for (const Field field : group.dimensions) maker.add(hashes[static_cast<size_t>(field)]);
    places.push_back({index, StreamTable::kNone, maker.key()});
    table.prefetch(places.back().key);
  }
  for (Place& place : places) {
    place.stream = table.likely(place.key);
    if (place.stream != StreamTable::kNone) __builtin_prefetch(&table[place.stream]);
  }
  for (Place& place : places) {
    if (place.stream == StreamTable::kNone) continue;
    if (!table.is(place.stream, place.key)) place.stream = table.find(place.key);
    if (place.stream == StreamTable::kNone) continue;
    const StreamRecord& record = table[place.stream];
    for (uint32_t i = 0; i < plan.groups[place.group].series; ++i) record.slots(i).prefetch();
    if (plan.groups[place.group].sketches.bytes != 0) __builtin_prefetch(record.body);
  }
}

uint32_t WatchState::count(const Event& event, const Moment& moment, const Place& place,
                           std::vector<Signal>& out) {
  const Group& group = plan.groups[place.group];
  const uint32_t stream = found_or_inserted(event, moment.at, place);
  StreamRecord& record = table[stream];
  const bool has_sketches = group.sketches.bytes != 0;
  for (uint32_t i = 0; i < group.series; ++i) {
    const uint32_t series = group.first_series + i;
    Slots& slots = record.slots(i);
    if (record.last_at < now[series].begins) slide(stream, series, slots);
    if (has_sketches && slots.empty()) restart_sketches(record, series);
    const bool is_cohort = group.has_cohorts() && plan.series[series].is_cohort();
    const Time when = is_cohort ? moment.sent : moment.at;
    const bool counts = !moment.late || is_cohort;
    touched_rules[i] = counts ? count_in_series(when, series, slots) : TouchedRules{};
  }
  if (has_sketches && !moment.late) count_in_sketches(event, moment.at, record);
  touched(record, moment.at);
  for (uint32_t i = 0; i < group.series; ++i) {
    auto [rules, raised] = touched_rules[i];
    if (rules == 0) continue;
    const uint32_t series = group.first_series + i;
    if (group.has_cohorts() && plan.series[series].is_cohort()) {
      judge_cohorts(moment, stream, series, rules, out);
      continue;
    }
    // Rules that were below their threshold still are.
    if (!record.noted) rules &= record.slots(i).note() | raised;
    if (rules != 0) judge(moment.at, stream, series, rules, out);
  }
  if (group.sketches.has_baselines && record.noted) skip_hours_of_incident(stream);
  return stream;
}

TouchedRules WatchState::count_in_series(Time at, uint32_t index, Slots& slots) {
  const Series& series = plan.series[index];
  const SeriesNow& present = now[index];
  const int64_t slot = at >= present.begins ? present.slot : series.shape.slot_of(second_of(at));
  if (slot <= present.slot - series.shape.slots) return {};
  const Effect::InSeries& counted = effect->series[index];
  slots.add(present.slot, slot, effect->columns_in(counted), series.columns, table.memory());
  return {counted.rules, counted.raises};
}

void WatchState::advance_to(Time to) {
  clock.advance_to(to);
  time_has_passed();
  for (int i = 0; i < kLookedAfterIdle; ++i) look_after_next();
  update_stats();
}

void WatchState::rearm(std::string_view detector, const Stream& stream) {
  std::vector<Field> dimensions;
  for (const Stream::Part& part : stream.parts) dimensions.push_back(part.dimension);
  for (uint32_t index = 0; index < plan.rules.size(); ++index) {
    const Rule& rule = plan.rules[index];
    const Group& group = plan.groups[rule.group];
    if (plan.detectors[rule.detector].name != detector || !group.has(dimensions)) continue;
    const uint32_t found = find(rule.group, stream);
    if (found == StreamTable::kNone) continue;
    Slots& slots = table[found].slots(rule.series - group.first_series);
    slide(found, rule.series, slots);
    if (slots.empty()) continue;
    Noted& known = note(found, index);
    restart_sketches_of(index, table[found], known);
    known.firing = false;
    known.quiet_since.reset();
    known.since = clock.newest();
    const Series& series = plan.series[rule.series];
    if (series.is_cohort()) {
      const int64_t newest = now[rule.series].slot;
      use_up(found, index, newest - series.shape.slots + 1, newest);
      continue;
    }
    known.before.copy_from(slots, series.columns, table.memory());
  }
  make_room();
  update_stats();
}

Watch::Watch(std::vector<Detector> detectors, WatchLimits limits)
    : state_(std::make_unique<WatchState>(std::move(detectors), limits)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

void Watch::on(const Event& event, std::vector<Signal>& out) { state_->on(event, out); }
void Watch::advance_to(Time now) { state_->advance_to(now); }
void Watch::rearm(std::string_view detector, const Stream& stream) {
  state_->rearm(detector, stream);
}
void Watch::kept_back(const Stream& stream, Time from) { note_kept_back(*state_, stream, from); }
size_t Watch::active_streams(std::span<const Field> dimensions) const {
  return state_->active_streams(dimensions);
}
std::vector<DetectorView> Watch::explain(const Stream& stream) const {
  return state_->explain(stream);
}
std::vector<StreamView> Watch::movers(std::span<const Field> dimensions, size_t most) const {
  return state_->movers(dimensions, most);
}
const WatchStats& Watch::stats() const { return state_->stats; }
std::string Watch::save() const { return state_->save(); }

Result<Done> Watch::restore(std::string_view saved) {
  // Read into a fresh state, so that bytes that turn out bad half-way leave nothing behind.
  auto fresh = std::make_unique<WatchState>(state_->plan.detectors, state_->limits);
  const auto restored = fresh->restore(saved);
  if (!restored) fresh = std::make_unique<WatchState>(state_->plan.detectors, state_->limits);
  state_ = std::move(fresh);
  return restored;
}

}  // namespace watchpost::detect
