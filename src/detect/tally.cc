#include "detect/tally.h"

#include "detect/tally_state.h"

#include <algorithm>

namespace watchpost::detect {
namespace {

constexpr size_t kToldCost = 96;  // bytes of one thing told and its place, about

// A quarter is for what is told.
WatchLimits limits_of_counts(WatchLimits limits) {
  limits.memory -= limits.memory / 4;
  return limits;
}

// With no rule asking for a number, none is judged.
void judge_nothing(Plan& plan) {
  for (Series& series : plan.series) {
    series.plain_rules = {};
    for (ConditionedColumn& column : series.conditioned) column.rules = 0;
  }
  for (Sketch& sketch : plan.sketches) {
    for (Sketch::Feed& feed : sketch.feeds) feed.rules = 0;
  }
}

}  // namespace

void Told::merge(const Told& other) {
  for (const auto& [key, tries] : other.climbs) {
    Climbed& all = climbs[key];
    all.bad += tries.bad;
    all.good += tries.good;
  }
  for (const auto& [key, events] : other.hours) hours[key] += events;
  for (const auto& [key, at] : other.sightings) {
    const auto [found, added] = sightings.try_emplace(key, at);
    if (!added) found->second = std::min(found->second, at);
  }
  walks.insert(other.walks.begin(), other.walks.end());
}

std::vector<Hash128> hashes_of(const StreamTable& table,
                               const std::vector<std::string_view>& values) {
  std::vector<Hash128> hashes;
  for (const std::string_view value : values) hashes.push_back(table.hash_of(value));
  return hashes;
}

TallyState::TallyState(std::vector<Detector> detectors, WatchLimits limits)
    : counted(std::move(detectors), limits_of_counts(limits)) {
  judge_nothing(counted.plan);
}

bool TallyState::full() const {
  const auto most = static_cast<uint64_t>(std::max<int64_t>(0, counted.limits.memory));
  return counted.stats.bytes >= most / 4 * 3 || told_size * kToldCost >= most / 4;
}

bool TallyState::one_more() {
  const auto most = static_cast<uint64_t>(std::max<int64_t>(0, counted.limits.memory)) / 3;
  if ((told_size + 1) * kToldCost > most) return false;
  ++told_size;
  return true;
}

void TallyState::on(const Event& event) {
  std::vector<Signal> none;
  const WatchStats before = counted.stats;
  const Time newest = counted.clock.newest();
  counted.on(event, none);
  if (counted.clock.newest() < newest) {  // time began anew
    told.clear();
    told_size = 0;
  }
  if (counted.stats.events == before.events) return;
  const bool ahead = counted.stats.ahead != before.ahead;
  const Time at = ahead ? counted.clock.newest() : bounded(event.at);
  for (const Place& place : counted.places) {
    const SketchLayout& sketches = counted.plan.groups[place.group].sketches;
    if ((sketches.kinds >> static_cast<size_t>(event.kind) & 1) != 0) tell(event, at, place);
  }
}

void TallyState::tell(const Event& event, Time at, const Place& place) {
  const SketchLayout& sketches = counted.plan.groups[place.group].sketches;
  for (uint32_t i = sketches.first; i < sketches.first + sketches.size; ++i) {
    const Sketch& sketch = counted.plan.sketches[i];
    const bool bad =
        sketch.kind == SketchKind::climb && counted.effect->counts_for(sketch.bad, event.kind);
    if (bad || counted.effect->counts_for(sketch.rows, event.kind)) tell(event, at, i, place);
  }
}

void TallyState::tell(const Event& event, Time at, uint32_t index, const Place& place) {
  const Sketch& sketch = counted.plan.sketches[index];
  const std::string_view value = event[sketch.field];
  const bool has_value = !value.empty() && value.size() <= kLongestValue;
  const auto tally = [&](auto& from, auto number) {
    const auto key = std::pair(index, number);
    auto found = from.find(key);
    if (found == from.end() && one_more()) found = from.try_emplace(key).first;
    return found == from.end() ? nullptr : &found->second;
  };
  switch (sketch.kind) {
    case SketchKind::climb: {
      const std::optional<int64_t> slot = counted.slot_in(sketch.series, at);
      if (!slot) return;
      Climbed* const tries = tally(told[place.key].climbs, *slot);
      if (tries == nullptr) return;
      ++(counted.effect->counts_for(sketch.bad, event.kind) ? tries->bad : tries->good);
      return;
    }
    case SketchKind::baseline:
      if (uint64_t* const events = tally(told[place.key].hours, hour_of(at))) ++*events;
      return;
    case SketchKind::known: {
      if (!has_value) return;
      const std::pair key(index, counted.value_hash(event, sketch.field));
      auto& sightings = told[place.key].sightings;
      const auto found = sightings.find(key);
      if (found != sightings.end()) {
        found->second = std::min(found->second, at);
      } else if (one_more()) {
        sightings.try_emplace(key, at);
      }
      return;
    }
    case SketchKind::walk: {
      const uint32_t stream = has_value ? counted.table.find(place.key) : StreamTable::kNone;
      if (stream == StreamTable::kNone) return;
      const std::byte* const block = counted.table.sketches(std::as_const(counted).table[stream]);
      if (block == nullptr) return;
      const auto& walk = cell_at<AlphabetWalk>(block, sketch);
      auto& walks = told[place.key].walks;
      auto found = walks.find(index);
      if (found == walks.end()) {
        if (!one_more()) return;
        found = walks.emplace(index, Walked{walk.last(), walk.domain(), at, 0, 0});
      }
      found->second.last = walk.last();
      found->second.last_domain = walk.domain();
      return;
    }
    case SketchKind::distinct:
    case SketchKind::expectation: return;
  }
}

void TallyState::finish() {
  StreamTable& table = counted.table;
  for (uint32_t stream = 0; stream < table.end(); ++stream) {
    StreamRecord& record = table[stream];
    if (record.body == nullptr) continue;
    const Group& group = counted.plan.groups[record.group];
    std::byte* const block = group.sketches.bytes == 0 ? nullptr : table.sketches(record);
    if (block == nullptr) continue;
    for (const Sketch& sketch : counted.sketches_of(group)) {
      if (sketch.kind != SketchKind::known && sketch.kind != SketchKind::baseline) continue;
      clear_cell(block, sketch, table.memory());
      if (sketch.kind == SketchKind::baseline) cell_at<HourlyPast>(block, sketch) = {};
    }
  }
  counted.update_stats();
}

Increments::Increments(std::unique_ptr<TallyState> state) : state_(std::move(state)) {}
Increments::Increments(Increments&&) noexcept = default;
Increments& Increments::operator=(Increments&&) noexcept = default;
Increments::~Increments() = default;

const WatchStats& Increments::stats() const { return state_->counted.stats; }

Tally::Tally(std::vector<Detector> detectors, WatchLimits limits)
    : limits_(limits), state_(std::make_unique<TallyState>(std::move(detectors), limits)) {}
Tally::Tally(Tally&&) noexcept = default;
Tally& Tally::operator=(Tally&&) noexcept = default;
Tally::~Tally() = default;

void Tally::on(const Event& event) { state_->on(event); }
bool Tally::full() const { return state_->full(); }
const WatchStats& Tally::stats() const { return state_->counted.stats; }

Increments Tally::take() {
  auto next = std::make_unique<TallyState>(state_->counted.plan.detectors, limits_);
  next->counted.clock.restore(state_->counted.clock.save());
  next->counted.time_has_passed();
  state_->finish();
  std::swap(next, state_);
  return Increments(std::move(next));
}

}  // namespace watchpost::detect
