#include "detect/watch.h"

#include "detect/watch_state.h"
#include "expr/event_schema.h"

#include <algorithm>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr int kLookedAfter = 2;        // streams, with each new one
constexpr int kLookedAfterIdle = 256;  // with each advance_to()

Time start_of(int64_t slot, const WindowShape& shape) {
  return Time(std::chrono::seconds(slot * shape.width));
}

std::vector<uint32_t> series_of_groups(const Plan& plan) {
  std::vector<uint32_t> series;
  for (const Group& group : plan.groups) series.push_back(group.series);
  return series;
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
      table(series_of_groups(plan), static_cast<size_t>(std::max<int64_t>(0, limits.memory))),
      notes(table.memory()),
      now(plan.series.size()),
      next_slot(Time::min()),
      counts_from(plan.rules.size(), std::numeric_limits<int64_t>::min()),
      condition_holds(plan.conditions.size()) {
  for (const Group& group : plan.groups) {
    active.emplace_back(plan.series[group.longest].shape.slots);
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

void WatchState::forget_all() {
  for (uint32_t stream = 0; stream < table.end(); ++stream) {
    if (table[stream].body != nullptr) drop(stream);
  }
  next_slot = Time::min();
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
      now[s] = {slot, start_of(slot, shape), start_of(slot + 1, shape)};
      next_slot = std::min(next_slot, now[s].ends);
    }
  }
}

void WatchState::on(const Event& event, std::vector<Signal>& out) {
  if (event.self_inflicted) return;
  const EventClock::Admission admission = clock.admit(event.at, event.clock_suspect);
  switch (admission.verdict) {
    case EventClock::Verdict::counts: break;
    case EventClock::Verdict::ahead: ++stats.ahead; break;
    case EventClock::Verdict::restart: forget_all(); break;
    case EventClock::Verdict::late: ++stats.late; return;
  }
  ++stats.events;
  time_has_passed();
  decide_conditions(event);
  hash_dimensions(event);
  fired.clear();
  find_streams(event, admission.at);
  for (const Place& place : places) count(event, admission.at, place, out);
  make_room();
  update_stats();
}

void WatchState::decide_conditions(const Event& event) {
  const auto& wanted =
      plan.conditions_of[static_cast<size_t>(event.direction)][static_cast<size_t>(event.kind)];
  if (wanted.empty()) return;
  const expr::EventRow row(event);
  for (const uint32_t condition : wanted) {
    condition_holds[condition] = plan.conditions[condition].evaluate(row) == expr::Truth::yes;
  }
}

void WatchState::hash_dimensions(const Event& event) {
  bool oversized = false;
  for (const Field field : plan.dimensions_of[static_cast<size_t>(event.direction)]) {
    const std::string_view value = event[field];
    const auto i = static_cast<size_t>(field);
    hashed[i] = !value.empty() && value.size() <= kLongestValue;
    if (hashed[i]) hashes[i] = table.hash_of(value);
    oversized = oversized || value.size() > kLongestValue;
  }
  if (oversized) ++stats.oversized;
}

// Each step touches memory that no cache may hold, for each group. Asking for all of one step
// before waiting for the first of the next hides most of the waiting.
void WatchState::find_streams(const Event& event, Time at) {
  places.clear();
  for (const uint32_t index : plan.groups_of[static_cast<size_t>(event.direction)]) {
    const Group& group = plan.groups[index];
    size_t size = 0;
    for (const Field field : group.dimensions) {
      if (!hashed[static_cast<size_t>(field)]) break;
      parts[size++] = hashes[static_cast<size_t>(field)];
    }
    if (size != group.dimensions.size() || expired(index, at)) continue;
    places.push_back({index, StreamTable::kNone, StreamTable::key_of(index, {parts.data(), size})});
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
  }
}

void WatchState::count(const Event& event, Time at, const Place& place, std::vector<Signal>& out) {
  const Group& group = plan.groups[place.group];
  const uint32_t stream = found_or_inserted(event, at, place);
  StreamRecord& record = table[stream];
  touched_rules.clear();
  for (uint32_t i = 0; i < group.series; ++i) {
    Slots& slots = record.slots(i);
    slide(stream, group.first_series + i, slots);
    touched_rules.push_back(count_in_series(event.kind, at, group.first_series + i, slots));
  }
  touched(record, at);
  for (uint32_t i = 0; i < group.series; ++i) {
    if (touched_rules[i] != 0) judge(at, stream, group.first_series + i, touched_rules[i], out);
  }
}

uint32_t WatchState::found_or_inserted(const Event& event, Time at, const Place& place) {
  // A stream found before may have been dropped to make room for one of another group.
  if (place.stream != StreamTable::kNone && table.is(place.stream, place.key)) {
    StreamRecord& record = table[place.stream];
    if (record.heat < StreamRecord::kHottest) ++record.heat;
    return place.stream;
  }
  for (int i = 0; i < kLookedAfter; ++i) {
    const uint32_t other = table.next_in_turn();
    if (other != StreamTable::kNone && expired(table[other].group, table[other].last_at))
      drop(other);
  }
  std::array<std::string_view, kTextFields> texts;
  size_t size = 0;
  for (const Field field : plan.groups[place.group].dimensions) texts[size++] = event[field];
  return insert(place.key, place.group, {texts.data(), size}, at);
}

uint32_t WatchState::insert(StreamKey key, uint32_t group,
                            std::span<const std::string_view> values_wanted, Time last_at) {
  while (!table.has_room()) {
    drop(table.coldest());
    ++stats.evicted;
  }
  const uint32_t stream = table.insert(key, group, values_wanted);
  table[stream].last_at = last_at;
  active[group].enter(plan.series[plan.groups[group].longest].shape.slot_of(second_of(last_at)));
  return stream;
}

RuleMask WatchState::count_in_series(EventKind kind, Time at, uint32_t index, Slots& slots) {
  const Series& series = plan.series[index];
  const SeriesNow& present = now[index];
  const int64_t slot = at >= present.begins ? present.slot : series.shape.slot_of(second_of(at));
  if (slot <= present.slot - series.shape.slots) return 0;
  slots.add(present.slot, slot, static_cast<uint8_t>(kind), series.columns, table.memory());
  RuleMask rules = series.plain_rules[static_cast<size_t>(kind)];
  for (const uint8_t place : series.of_kind[static_cast<size_t>(kind)]) {
    const ConditionedColumn& column = series.conditioned[place];
    if (condition_holds[column.condition] == 0) continue;
    slots.add(present.slot, slot, column.column, series.columns, table.memory());
    rules |= column.rules;
  }
  return rules;
}

void WatchState::touched(StreamRecord& record, Time at) {
  if (at <= record.last_at) return;
  const uint32_t longest = plan.groups[record.group].longest;
  const WindowShape& shape = plan.series[longest].shape;
  if (record.last_at < now[longest].begins) {
    const int64_t before = shape.slot_of(second_of(record.last_at));
    if (before > now[longest].slot - shape.slots) active[record.group].leave(before);
    active[record.group].enter(shape.slot_of(second_of(at)));
  }
  record.last_at = at;
}

bool WatchState::expired(uint32_t group, Time last_at) const {
  const uint32_t longest = plan.groups[group].longest;
  const WindowShape& shape = plan.series[longest].shape;
  return last_at < start_of(now[longest].slot - shape.slots + 1, shape);
}

void WatchState::drop(uint32_t stream) {
  const StreamRecord& record = table[stream];
  const Group& group = plan.groups[record.group];
  if (!expired(record.group, record.last_at)) {
    active[record.group].leave(plan.series[group.longest].shape.slot_of(second_of(record.last_at)));
  }
  if (record.noted) {
    for (const uint32_t rule : group.rules) notes.remove(stream, rule);
  }
  table.remove(stream);
}

void WatchState::make_room() {
  while (table.over_limit() && table.size() > 0) {
    drop(table.coldest());
    ++stats.evicted;
  }
}

void WatchState::advance_to(Time to) {
  clock.advance_to(to);
  time_has_passed();
  for (int i = 0; i < kLookedAfterIdle; ++i) {
    const uint32_t stream = table.next_in_turn();
    if (stream != StreamTable::kNone && expired(table[stream].group, table[stream].last_at))
      drop(stream);
  }
  update_stats();
}

uint32_t WatchState::find(uint32_t group, const Stream& stream) const {
  std::vector<Hash128> named;
  for (const Field field : plan.groups[group].dimensions) {
    named.push_back(table.hash_of(stream[field]));
  }
  return table.find(StreamTable::key_of(group, named));
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
    known.firing = false;
    known.before.copy_from(slots, plan.series[rule.series].columns, table.memory());
    known.since = clock.newest();
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
