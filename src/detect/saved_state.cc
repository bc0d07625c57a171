// The saved form, all numbers little-endian:
//   mark, version, clock, seed of the values' hashes
//   groups:  direction, dimensions; series: window, cohort, conditioned columns with their first
//            whole slot; sketches: kind, place of the series that it follows, text, first whole
//            slot, the week of a baseline
//   rules:   detector, its version, the number of its group, its place among the group's series
//   how late complaints come
//   streams: the number of its group, time of the newest event, heat, values; the cells of each
//            series; whether it has sketches, each as a text; notes: the number of the rule,
//            firing, time, since when it is quiet, first slot of values, cells
//   the hash of all before
// Version 2 had no seed, no first slot of sketches and of values, and knew of no quiet; version 1
// had no cohorts, no sketches, no lags and no heat either.
#include "detect/saved_state.h"

#include "base/hash.h"
#include "base/saved_bytes.h"
#include "detect/watch_state.h"

#include <algorithm>

namespace watchpost::detect {
namespace {

void write_cells(SavedWriter& out, const Slots& slots) {
  const std::span<const Cell> cells = slots.cells();
  out.number(static_cast<uint32_t>(cells.size()));
  for (const Cell& cell : cells) {
    out.number(cell.slot);
    out.number(cell.column);
    out.number(cell.count);
  }
}

void write_time(SavedWriter& out, std::optional<Time> at) {
  out.number(static_cast<uint8_t>(at.has_value()));
  out.number(at.value_or(Time{}).time_since_epoch().count());
}

// Something as a text, so that who no longer wants it can pass over it.
template <class Save>
std::string bytes_of(Save save) {
  SavedWriter out;
  save(out);
  return std::move(out.bytes());
}

}  // namespace

std::string dimensions_text(std::span<const Field> dimensions) {
  std::string text;
  for (const Field field : dimensions) text.append(text.empty() ? "" : " ").append(name_of(field));
  return text;
}

void WatchState::save_plan(SavedWriter& out) const {
  out.number(static_cast<uint32_t>(plan.groups.size()));
  for (const Group& group : plan.groups) {
    out.number(static_cast<uint8_t>(group.direction));
    out.text(dimensions_text(group.dimensions));
    out.number(group.series);
    for (uint32_t s = group.first_series; s < group.first_series + group.series; ++s) {
      const Series& series = plan.series[s];
      out.number<int64_t>(std::chrono::floor<std::chrono::seconds>(series.window).count());
      out.number<int64_t>(std::chrono::floor<std::chrono::seconds>(series.cohort).count());
      out.number(static_cast<uint32_t>(series.conditioned.size()));
      for (const ConditionedColumn& column : series.conditioned) {
        out.text(column.text);
        out.number(column_from[s][column.column]);
      }
    }
    save_sketches(out, group);
  }
  out.number(static_cast<uint32_t>(plan.rules.size()));
  for (const Rule& rule : plan.rules) {
    const Detector& detector = plan.detectors[rule.detector];
    out.text(detector.name);
    out.number(detector.version);
    out.number(rule.group);
    out.number(rule.series - plan.groups[rule.group].first_series);
  }
  out.text(bytes_of([&](SavedWriter& lag) { lags.save(lag); }));
}

void WatchState::save_sketches(SavedWriter& out, const Group& group) const {
  const std::span<const Sketch> sketches = sketches_of(group);
  out.number(static_cast<uint32_t>(std::ranges::count_if(sketches, &Sketch::is_saved)));
  for (const Sketch& sketch : sketches) {
    if (!sketch.is_saved()) continue;
    out.number(static_cast<uint8_t>(sketch.kind));
    out.number(sketch.follows_window() ? sketch.series - group.first_series : uint32_t{0});
    out.text(sketch.text);
    out.number(sketch_from[static_cast<size_t>(&sketch - plan.sketches.data())]);
    if (sketch.kind != SketchKind::baseline) continue;
    out.text(bytes_of([&](SavedWriter& week) { weeks[sketch.week].save(week); }));
  }
}

void WatchState::save_stream(SavedWriter& out, uint32_t stream) const {
  const StreamRecord& record = table[stream];
  const Group& group = plan.groups[record.group];
  out.number(uint32_t{record.group});
  out.number(record.last_at.time_since_epoch().count());
  out.number(record.heat);
  for (const std::string_view value : table.values(record)) out.text(value);
  for (uint32_t i = 0; i < group.series; ++i) write_cells(out, record.slots(i));
  const std::byte* const block = table.sketches(record);
  out.number(static_cast<uint8_t>(block != nullptr));
  for (const Sketch& sketch : sketches_of(group)) {
    if (block == nullptr || !sketch.is_saved()) continue;
    out.text(bytes_of([&](SavedWriter& cell) { save_cell(cell, block, sketch); }));
  }
  std::vector<std::pair<uint32_t, const Noted*>> found;
  if (record.noted) {
    for (const uint32_t rule : group.rules) {
      if (const Noted* const known = notes.find(stream, rule)) found.emplace_back(rule, known);
    }
  }
  out.number(static_cast<uint32_t>(found.size()));
  for (const auto& [rule, known] : found) {
    out.number(rule);
    out.number(static_cast<uint8_t>(known->firing));
    out.number(known->since.time_since_epoch().count());
    write_time(out, known->quiet_since);
    out.number(known->values_from);
    write_cells(out, known->before);
  }
}

std::string WatchState::save() const {
  SavedWriter out;
  out.bytes() = kSavedMark;
  out.number(kSavedVersion);
  const EventClock::Saved time = clock.save();
  write_time(out, time.newest);
  write_time(out, time.leap);
  out.number(static_cast<uint8_t>(time.agreed));
  out.number(value_seed);
  save_plan(out);
  out.number(static_cast<uint32_t>(table.size()));
  for (uint32_t stream = 0; stream < table.end(); ++stream) {
    if (table[stream].body != nullptr) save_stream(out, stream);
  }
  out.number(hash64(out.bytes()));
  return std::move(out.bytes());
}

}  // namespace watchpost::detect
