// The life of a stream: found or made, touched, forgotten or dropped for room.
#include "detect/watch_state.h"

#include <utility>

namespace watchpost::detect {
namespace {

constexpr int kLookedAfter = 2;  // streams, with each new one
// What a stream was is worth knowing for so long; where it came only once, for less.
constexpr Duration kRemembered = std::chrono::days(60);
constexpr Duration kRememberedOnce = std::chrono::days(2);

}  // namespace

uint32_t WatchState::found_or_inserted(const Event& event, Time at, const Place& place) {
  // A stream found before may have been dropped to make room for one of another group.
  if (place.stream != StreamTable::kNone && table.is(place.stream, place.key)) {
    // What only nobody looked after yet is gone: signals do not depend on who was looked after.
    StreamRecord& record = table[place.stream];
    const Group& group = plan.groups[place.group];
    const bool gone = record.last_at < now[group.longest].begins && group.sketches.bytes != 0 &&
                      forgettable(place.stream);
    if (!gone) {
      if (record.heat < StreamRecord::kHottest) ++record.heat;
      return place.stream;
    }
    drop(place.stream);
  }
  for (int i = 0; i < kLookedAfter; ++i) look_after_next();
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
  if (!expired(group, last_at)) {
    active[group].enter(plan.series[plan.groups[group].longest].shape.slot_of(second_of(last_at)));
  }
  return stream;
}

void WatchState::touched(StreamRecord& record, Time at) {
  if (at <= record.last_at) return;
  const uint32_t longest = plan.groups[record.group].longest;
  const WindowShape& shape = plan.series[longest].shape;
  if (record.last_at < now[longest].begins) {
    const int64_t before = shape.slot_of(second_of(record.last_at));
    if (before > now[longest].slot - shape.slots) active[record.group].leave(before);
    const int64_t after = shape.slot_of(second_of(at));
    if (after > now[longest].slot - shape.slots) active[record.group].enter(after);
  }
  record.last_at = at;
}

bool WatchState::expired(uint32_t group, Time last_at) const {
  return last_at < now[plan.groups[group].longest].oldest;
}

bool WatchState::forgettable(uint32_t stream) const {
  const StreamRecord& record = table[stream];
  if (!expired(record.group, record.last_at)) return false;
  const Group& group = plan.groups[record.group];
  if (record.noted && may_be_quiet(record.group, record.last_at)) return false;
  const Duration silence = clock.newest() - record.last_at;
  if (silence <= group.cohorts) return false;
  if (!group.remembers || table.sketches(record) == nullptr) return true;
  return silence > (record.heat == 0 ? kRememberedOnce : kRemembered);
}

bool WatchState::may_be_quiet(uint32_t group, Time last_at) const {
  // It stopped firing when its window was empty, at the latest.
  const uint32_t longest = plan.groups[group].longest;
  const Duration slot = std::chrono::seconds(plan.series[longest].shape.width);
  const Duration span = plan.series[longest].window + slot;
  return clock.newest() - last_at <= span + std::max<Duration>(span, std::chrono::hours(1));
}

void WatchState::look_after_next() {
  const uint32_t stream = table.next_in_turn();
  if (stream != StreamTable::kNone && forgettable(stream)) drop(stream);
}

void WatchState::drop(uint32_t stream) {
  StreamRecord& record = table[stream];
  const Group& group = plan.groups[record.group];
  if (!expired(record.group, record.last_at)) {
    active[record.group].leave(plan.series[group.longest].shape.slot_of(second_of(record.last_at)));
  }
  if (record.noted) {
    for (const uint32_t rule : group.rules) notes.remove(stream, rule);
  }
  drop_sketches(record);
  table.remove(stream);
}

void WatchState::make_room() {
  while (table.over_limit() && table.size() > 0) {
    drop(table.coldest());
    ++stats.evicted;
  }
}

uint32_t WatchState::find(uint32_t group, const Stream& stream) const {
  std::vector<Hash128> named;
  for (const Field field : plan.groups[group].dimensions) {
    named.push_back(table.hash_of(stream[field]));
  }
  return table.find(StreamTable::key_of(group, named));
}

void WatchState::forget_all() {
  for (uint32_t stream = 0; stream < table.end(); ++stream) {
    if (table[stream].body != nullptr) drop(stream);
  }
  // What was learned of the week belongs to a time that was none.
  std::ranges::fill(weeks, GroupWeek());
  next_slot = Time::min();
}

}  // namespace watchpost::detect
