#include "detect/watch_state.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace watchpost::detect {
namespace {

// A stream on its way into the list of movers.
struct Mover {
  uint32_t stream = 0;
  uint64_t newer = 0;
  uint64_t older = 0;

  auto rank() const {
    const uint64_t moved = newer > older ? newer - older : older - newer;
    return std::tuple(moved, newer + older);
  }
  bool before(const Mover& other) const {
    return rank() != other.rank() ? rank() > other.rank() : stream < other.stream;
  }
};

// Each cell of event kinds in the group's longest window that is still within it.
template <class Visit>
void for_each_live(const WatchState& state, uint32_t stream, Visit visit) {
  const StreamRecord& record = state.table[stream];
  const Group& group = state.plan.groups[record.group];
  const WindowShape& shape = state.plan.series[group.longest].shape;
  const int64_t last = shape.slot_of(second_of(record.last_at));
  for (const Cell& cell : record.slots(group.longest - group.first_series).cells()) {
    const bool live = slot_of_cell(cell, last) > state.now[group.longest].slot - shape.slots;
    if (live && cell.column < kEventKinds) visit(cell);
  }
}

}  // namespace

size_t WatchState::active_streams(std::span<const Field> dimensions) const {
  size_t count = 0;
  for (uint32_t group = 0; group < plan.groups.size(); ++group) {
    if (plan.groups[group].has(dimensions)) count += active[group].count();
  }
  return count;
}

std::vector<DetectorView> WatchState::explain(const Stream& stream) {
  std::vector<DetectorView> views;
  for (uint32_t index = 0; index < plan.rules.size(); ++index) {
    const Group& group = plan.groups[plan.rules[index].group];
    const bool concerns =
        std::ranges::all_of(group.dimensions, [&](Field field) { return !stream[field].empty(); });
    if (concerns) views.push_back(view_of(index, stream));
  }
  return views;
}

DetectorView WatchState::view_of(uint32_t index, const Stream& stream) {
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  DetectorView view{.detector = detector.name,
                    .mode = detector.mode,
                    .window = detector.window,
                    .when = detector.when.text(),
                    .guard = detector.guard.empty() ? "" : detector.guard.front().text()};
  for (const Field field : detector.watch[rule.watch]) {
    view.stream.parts.push_back({field, std::string(stream[field])});
  }
  const Series& series = plan.series[rule.series];
  const uint32_t found = find(rule.group, stream);
  if (found != StreamTable::kNone && series.is_cohort()) {
    const int64_t newest = now[rule.series].slot;
    const Noted* const known = table[found].noted ? notes.find(found, index) : nullptr;
    view.firing =
        known != nullptr && known->firing &&
        newest - series.shape.slot_of(second_of(table[found].last_at)) < series.shape.slots;
    const int64_t first = newest - std::min(kCohortsTogether, series.shape.slots) + 1;
    fill(view, index, evidence_of({index, found, first, newest, nullptr}));
    return view;
  }
  // Looking changes nothing: the window slides in a copy.
  Memory memory;
  Slots slots;
  Noted known;
  Evidence evidence{.newest = now[rule.series].slot};
  if (found != StreamTable::kNone) {
    const StreamRecord& record = table[found];
    const Group& group = plan.groups[rule.group];
    slots.copy_from(record.slots(rule.series - group.first_series), series.columns, memory);
    if (const Noted* const at = notes.find(found, index)) {
      known.firing = at->firing;
      known.values_from = at->values_from;
      known.before.copy_from(at->before, series.columns, memory);
    }
    const NotedRule one{index, &known};
    evidence.sketches = table.sketches(record);
    evidence.last = series.shape.slot_of(second_of(record.last_at));
    slide_noted({rule.series, evidence.last, evidence.sketches}, slots, {&one, 1}, memory);
  }
  evidence.values_from = known.values_from;
  evidence.sums =
      sums_for(index, slots, plain_sums(slots, series.columns), &known, evidence.newest);
  if (slots.empty()) evidence.last = evidence.newest - series.shape.slots;
  view.firing = known.firing;
  fill(view, index, evidence);
  slots.clear(memory);
  known.before.clear(memory);
  return view;
}

void WatchState::fill(DetectorView& view, uint32_t index, const Evidence& evidence) {
  const Rule& rule = plan.rules[index];
  const Detector& detector = plan.detectors[rule.detector];
  view.guard_holds = guard_holds(index, evidence);
  view.counts = counts_of(index, evidence);
  const std::span<const double> numbers = values_of(rule.when, evidence);
  const expr::Judgement judged = detector.when.evaluate(numbers, detector.error_rate);
  view.value = judged.value;
  view.threshold = judged.threshold;
  view.because = detector.when.explain(numbers, detector.error_rate);
}

StreamView WatchState::stream_view(uint32_t stream) const {
  const StreamRecord& record = table[stream];
  const Group& group = plan.groups[record.group];
  const Series& series = plan.series[group.longest];
  const int64_t newest = now[group.longest].slot;
  StreamView view{.window = series.window, .last_at = record.last_at};
  const std::vector<std::string_view> texts = table.values(record);
  for (size_t i = 0; i < texts.size(); ++i) {
    view.stream.parts.push_back({group.dimensions[i], std::string(texts[i])});
  }
  std::array<uint64_t, kEventKinds> kinds{};
  for_each_live(*this, stream, [&](const Cell& cell) {
    kinds[cell.column] += cell.count;
    ((newest - slot_of_cell(cell, newest)) * 2 < series.shape.slots ? view.newer : view.older) +=
        cell.count;
  });
  for (size_t kind = 0; kind < kEventKinds; ++kind) {
    if (kinds[kind] == 0) continue;
    view.counts.emplace_back(name_of(static_cast<EventKind>(kind)),
                             static_cast<double>(kinds[kind]));
  }
  return view;
}

std::vector<StreamView> WatchState::movers(std::span<const Field> dimensions, size_t most) const {
  // Kept to a few times what is wanted while looking through all.
  most = std::min(most, table.size());
  std::vector<Mover> found;
  const auto cut = [&] {
    if (found.size() <= most) return;
    std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(most),
                             [](const Mover& a, const Mover& b) { return a.before(b); });
    found.resize(most);
  };
  for (uint32_t stream = 0; stream < table.end(); ++stream) {
    const StreamRecord& record = table[stream];
    if (record.body == nullptr || expired(record.group, record.last_at)) continue;
    const Group& group = plan.groups[record.group];
    if (!dimensions.empty() && !group.has(dimensions)) continue;
    Mover mover{.stream = stream};
    const int64_t newest = now[group.longest].slot;
    for_each_live(*this, stream, [&](const Cell& cell) {
      const bool is_newer =
          (newest - slot_of_cell(cell, newest)) * 2 < plan.series[group.longest].shape.slots;
      (is_newer ? mover.newer : mover.older) += cell.count;
    });
    found.push_back(mover);
    if (found.size() >= 2 * most + 1024) cut();
  }
  cut();
  std::vector<std::pair<Mover, StreamView>> views;
  for (const Mover& mover : found) views.emplace_back(mover, stream_view(mover.stream));
  std::ranges::sort(views, [](const auto& a, const auto& b) {
    if (a.first.rank() != b.first.rank()) return a.first.rank() > b.first.rank();
    return a.second.stream < b.second.stream;
  });
  std::vector<StreamView> sorted;
  for (auto& [mover, view] : views) sorted.push_back(std::move(view));
  return sorted;
}

}  // namespace watchpost::detect
