#include "detect/kept_back.h"

#include "detect/watch_state.h"

#include <algorithm>
#include <vector>

namespace watchpost::detect {
namespace {

constexpr Duration kLongestMeasure = std::chrono::days(31);

void skip_hours(WatchState& state, uint32_t stream, Time from, Time to) {
  StreamRecord& record = state.table[stream];
  const Group& group = state.plan.groups[record.group];
  std::byte* const block = group.sketches.has_baselines ? state.table.sketches(record) : nullptr;
  if (block == nullptr) return;
  const int64_t present = hour_of(state.clock.newest());
  for (const Sketch& sketch : state.sketches_of(group)) {
    if (sketch.kind != SketchKind::baseline) continue;
    auto& past = cell_at<HourlyPast>(block, sketch);
    const int64_t begun = past.begun_by(hour_of(from), present);
    if (begun != past.hour) {
      past.pass_to(begun, state.weeks[sketch.week], state.table.memory());
      const auto index = static_cast<uint32_t>(&sketch - state.plan.sketches.data());
      state.forget_expectations(record.group, index, block);
    }
    past.skip_kept_back(hour_of(from), hour_of(to));
  }
}

}  // namespace

void note_kept_back(WatchState& state, const Event& event) {
  if (!state.plan.has_baselines[static_cast<size_t>(event.direction)]) return;
  if (!state.clock.started() || event.clock_suspect) return;
  const Time newest = state.clock.newest();
  if (event.at <= newest - kLongestMeasure || event.at >= newest + kLongestMeasure) return;
  state.hash_dimensions(event);
  state.find_streams(event, newest);
  for (const Place& place : state.places) {
    if (place.stream != StreamTable::kNone) skip_hours(state, place.stream, event.at, event.at);
  }
  state.update_stats();
}

void note_kept_back(WatchState& state, const Stream& stream, Time from) {
  if (!state.clock.started()) return;
  std::vector<Field> dimensions;
  for (const Stream::Part& part : stream.parts) dimensions.push_back(part.dimension);
  const Time to = state.clock.newest();
  for (uint32_t index = 0; index < state.plan.groups.size(); ++index) {
    const Group& group = state.plan.groups[index];
    if (!group.sketches.has_baselines || !group.has(dimensions)) continue;
    const uint32_t found = state.find(index, stream);
    if (found == StreamTable::kNone) continue;
    skip_hours(state, found, std::clamp(from, to - kLongestMeasure, to), to);
  }
  state.update_stats();
}

}  // namespace watchpost::detect
