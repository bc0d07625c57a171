#include "detect/sketch_cells.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <cstdlib>

namespace watchpost::detect {
namespace {

// Whoever was away for longer begins anew.
constexpr int64_t kLongestGap = 62 * 24;  // hours
constexpr double kMostInAnHour = 1e15;
constexpr int64_t kLongestIncident = 72;  // hours that are left out
// So long without one, and the next is another.
constexpr int64_t kBetweenIncidents = 24;
constexpr int64_t kBetweenMeasures = 24;

bool is_hour(int64_t hour) { return std::abs(hour / 2) < int64_t{1} << 31; }

template <class Cell>
void make(std::byte* block, const Sketch& sketch) {
  static_assert(alignof(Cell) <= alignof(uint64_t) && sizeof(Cell) % sizeof(uint64_t) == 0);
  static_assert(std::is_trivially_destructible_v<Cell>);
  new (block + sketch.offset) Cell();
}

void save_past(SavedWriter& out, const HourlyPast& cell) {
  out.number(cell.hour);
  for (size_t i = 0; i < cell.counts.size(); ++i) {
    out.number(cell.counts[i]);
    out.number(static_cast<uint8_t>(cell.skipped[i]));
  }
  cell.past.save(out);
  for (const int64_t at :
       {cell.incident_from, cell.incident_to, cell.kept_back_from, cell.kept_back_to}) {
    out.number(at);
  }
}

void restore_past(SavedReader& in, HourlyPast& cell, Memory& memory) {
  const auto hour = in.number<int64_t>();
  in.require(is_hour(hour));
  for (size_t i = 0; i < cell.counts.size(); ++i) {
    const auto count = in.number<double>();
    in.require(count >= 0 && count <= kMostInAnHour);
    const auto skipped = in.number<uint8_t>();
    in.require(skipped <= 1);
    if (in.bad()) return;
    cell.counts[i] = count;
    cell.skipped[i] = skipped != 0;
  }
  cell.hour = hour;
  cell.past.restore(in, memory);
  if (in.at_end()) return;  // before version 3
  for (int64_t* const at :
       {&cell.incident_from, &cell.incident_to, &cell.kept_back_from, &cell.kept_back_to}) {
    *at = in.number<int64_t>();
    in.require(is_hour(*at));
  }
}

void restore_climb(SavedReader& in, ClimbEvidence& cell) {
  const auto nats = in.number<float>();
  in.require(nats >= 0 && nats <= kMostEvidence);
  if (!in.bad()) cell.nats = nats;
}

void restore_walk(SavedReader& in, AlphabetWalk& cell) {
  const auto last = in.number<uint64_t>();
  const auto domain = in.number<uint64_t>();
  if (!in.bad()) cell.restore(last, domain);
}

}  // namespace

void GroupWeek::pass_to(int64_t now_hour) {
  if (began_ == 0) began_ = now_hour;
  const int64_t weeks = (now_hour - began_) / kHoursOfWeek;
  if (weeks <= 0) return;
  whole_.merge(begun_);
  begun_ = {};
  began_ += weeks * kHoursOfWeek;
}

void GroupWeek::save(SavedWriter& out) const {
  out.number(began_);
  whole_.save(out);
  begun_.save(out);
}

void GroupWeek::restore(SavedReader& in) {
  began_ = in.number<int64_t>();
  in.require(is_hour(began_));
  whole_.restore(in);
  begun_.restore(in);
  if (in.bad()) *this = {};
}

void HourlyPast::pass_to(int64_t now_hour, GroupWeek& group, Memory& memory) {
  group.pass_to(now_hour);
  if (hour == 0 || now_hour - hour > kLongestGap) {
    past.clear(memory);
    // Both were not seen from their beginning.
    *this = {.past = past, .hour = now_hour, .skipped = {true, true}};
    return;
  }
  for (; hour < now_hour; ++hour) {
    const bool kept_back = hour - 1 >= kept_back_from && hour - 1 <= kept_back_to;
    if (skipped[1] || kept_back) {
      past.skip(hour - 1);
    } else {
      past.learn(hour - 1, counts[1], group.shape(), memory);
      group.learn(hour - 1, counts[1]);
    }
    counts = {0, counts[0]};
    skipped = {false, skipped[0]};
  }
}

void HourlyPast::skip_incident() {
  const bool goes_on = incident_from <= incident_to && hour - incident_to <= kBetweenIncidents;
  if (!goes_on) incident_from = hour;
  incident_to = hour;
  // Its window reaches back: the hour before may have been a part of it.
  if (hour - incident_from < kLongestIncident) skipped = {true, true};
}

bool HourlyPast::measure_goes_on(int64_t from) const {
  const bool pending = kept_back_from <= kept_back_to && kept_back_to >= hour - 1;
  return pending && from <= kept_back_to + kBetweenMeasures;
}

int64_t HourlyPast::begun_by(int64_t from, int64_t now_hour) const {
  if (hour == 0 || measure_goes_on(from)) return hour;
  return std::max(hour, std::min(from, now_hour));
}

void HourlyPast::skip_kept_back(int64_t from, int64_t to) {
  const bool goes_on = measure_goes_on(from);
  kept_back_from = goes_on ? std::min(kept_back_from, from) : from;
  kept_back_to = goes_on ? std::max(kept_back_to, to) : to;
}

size_t cell_size(SketchKind kind) {
  switch (kind) {
    case SketchKind::distinct: return sizeof(DistinctValues);
    case SketchKind::known: return sizeof(KnownValues);
    case SketchKind::walk: return sizeof(AlphabetWalk);
    case SketchKind::baseline: return sizeof(HourlyPast);
    case SketchKind::expectation: return sizeof(KeptExpectation);
    case SketchKind::climb: return sizeof(ClimbEvidence);
  }
  return 0;
}

void make_cell(std::byte* block, const Sketch& sketch) {
  switch (sketch.kind) {
    case SketchKind::distinct: return make<DistinctValues>(block, sketch);
    case SketchKind::known: return make<KnownValues>(block, sketch);
    case SketchKind::walk: return make<AlphabetWalk>(block, sketch);
    case SketchKind::baseline: return make<HourlyPast>(block, sketch);
    case SketchKind::expectation: return make<KeptExpectation>(block, sketch);
    case SketchKind::climb: return make<ClimbEvidence>(block, sketch);
  }
}

void clear_cell(std::byte* block, const Sketch& sketch, Memory& memory) {
  switch (sketch.kind) {
    case SketchKind::distinct: return cell_at<DistinctValues>(block, sketch).clear(memory);
    case SketchKind::known: return cell_at<KnownValues>(block, sketch).clear(memory);
    case SketchKind::baseline: return cell_at<HourlyPast>(block, sketch).past.clear(memory);
    case SketchKind::walk:
    case SketchKind::expectation:
    case SketchKind::climb: return;
  }
}

void save_cell(SavedWriter& out, const std::byte* block, const Sketch& sketch) {
  switch (sketch.kind) {
    case SketchKind::distinct: return cell_at<DistinctValues>(block, sketch).save(out);
    case SketchKind::known: return cell_at<KnownValues>(block, sketch).save(out);
    case SketchKind::baseline: return save_past(out, cell_at<HourlyPast>(block, sketch));
    case SketchKind::walk: {
      const auto& walk = cell_at<AlphabetWalk>(block, sketch);
      out.number(walk.last());
      out.number(walk.domain());
      return;
    }
    case SketchKind::climb: return out.number(cell_at<ClimbEvidence>(block, sketch).nats);
    case SketchKind::expectation: return;
  }
}

void restore_cell(SavedReader& in, std::byte* block, const Sketch& sketch, Memory& memory) {
  switch (sketch.kind) {
    case SketchKind::distinct: return cell_at<DistinctValues>(block, sketch).restore(in, memory);
    case SketchKind::known: return cell_at<KnownValues>(block, sketch).restore(in, memory);
    case SketchKind::baseline: return restore_past(in, cell_at<HourlyPast>(block, sketch), memory);
    case SketchKind::walk: return restore_walk(in, cell_at<AlphabetWalk>(block, sketch));
    case SketchKind::climb: return restore_climb(in, cell_at<ClimbEvidence>(block, sketch));
    case SketchKind::expectation: return;
  }
}

}  // namespace watchpost::detect
