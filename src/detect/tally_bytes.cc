// Increments as bytes, and back. Nothing in the bytes is believed: what they say of counters is
// read as Watch::restore() reads, the rest is held against it.
#include "base/hash.h"
#include "detect/saved_bytes.h"
#include "detect/tally_state.h"

#include <algorithm>
#include <array>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr std::string_view kMark = "watchpost tally";
constexpr uint8_t kVersion = 1;
constexpr uint64_t kMostEvents = uint64_t{1} << 40;
constexpr Duration kLongestBatch = std::chrono::days(62);  // what was before is remembered nowhere

auto numbers_of(WatchStats& stats) {
  return std::array{&stats.events, &stats.late, &stats.ahead, &stats.oversized, &stats.evicted};
}

}  // namespace

// What decides which number stands where.
uint64_t TallyState::rules() const {
  SavedWriter all;
  for (const Detector& detector : counted.plan.detectors) {
    all.text(detector.name);
    all.number(detector.version);
  }
  return hash64(all.bytes());
}

std::string TallyState::bytes() const {
  SavedWriter out;
  out.bytes() = kMark;
  out.number(kVersion);
  out.number(rules());
  out.text(counted.save());
  WatchStats stats = counted.stats;
  for (const uint64_t* const number : numbers_of(stats)) out.number(*number);
  write_told(out);
  out.number(hash64(out.bytes()));
  return std::move(out.bytes());
}

void TallyState::write_told(SavedWriter& out) const {
  std::vector<std::pair<uint32_t, const Told*>> some;
  for (const auto& [key, one] : told) {
    const uint32_t stream = counted.table.find(key);
    if (stream != StreamTable::kNone) some.emplace_back(stream, &one);
  }
  std::ranges::sort(some);
  out.number(static_cast<uint32_t>(some.size()));
  for (const auto& [stream, one] : some) write_told(out, counted.table[stream], *one);
}

void TallyState::write_told(SavedWriter& out, const StreamRecord& record, const Told& some) const {
  out.number(uint32_t{record.group});
  for (const std::string_view value : counted.table.values(record)) out.text(value);
  const uint32_t first = counted.plan.groups[record.group].sketches.first;
  out.number(static_cast<uint32_t>(some.climbs.size()));
  for (const auto& [key, tries] : some.climbs) {
    out.number(key.first - first);
    out.number(key.second);
    out.number(tries.bad);
    out.number(tries.good);
  }
  out.number(static_cast<uint32_t>(some.hours.size()));
  for (const auto& [key, events] : some.hours) {
    out.number(key.first - first);
    out.number(key.second);
    out.number(events);
  }
  out.number(static_cast<uint32_t>(some.sightings.size()));
  for (const auto& [key, at] : some.sightings) {
    out.number(key.first - first);
    out.number(key.second);
    out.number(at.time_since_epoch().count());
  }
  out.number(static_cast<uint32_t>(some.walks.size()));
  for (const auto& [sketch, walk] : some.walks) {
    out.number(sketch - first);
    out.number(walk.at.time_since_epoch().count());
    for (const uint64_t number : {walk.first, walk.first_domain, walk.last, walk.last_domain}) {
      out.number(number);
    }
  }
}

Result<Done> TallyState::read(std::string_view bytes) {
  const auto corrupt = [] { return fail(Code::corrupt, "the increments are damaged"); };
  constexpr size_t kHead = kMark.size() + sizeof kVersion + sizeof(uint64_t);
  if (bytes.size() < kHead + sizeof(uint64_t) || !bytes.starts_with(kMark)) return corrupt();
  SavedReader hash(bytes.substr(bytes.size() - sizeof(uint64_t)));
  bytes.remove_suffix(sizeof(uint64_t));
  if (hash.number<uint64_t>() != hash64(bytes)) return corrupt();
  SavedReader in(bytes.substr(kMark.size()));
  if (in.number<uint8_t>() != kVersion) {
    return fail(Code::bad_input, "the increments are of another release");
  }
  if (in.number<uint64_t>() != rules()) {
    return fail(Code::bad_input, "the increments were counted for other detectors");
  }
  if (!counted.restore(in.text())) return corrupt();
  for (uint64_t* const number : numbers_of(counted.stats)) {
    *number = in.number<uint64_t>();
    in.require(*number <= kMostEvents);
  }
  read_told(in);
  if (in.bad() || !in.at_end()) return corrupt();
  finish();
  return Done{};
}

void TallyState::read_told(SavedReader& in) {
  const auto streams = in.number<uint32_t>();
  for (uint32_t i = 0; i < streams && !in.bad(); ++i) {
    const auto group = in.number<uint32_t>();
    in.require(group < counted.plan.groups.size());
    if (in.bad()) return;
    std::vector<std::string_view> values;
    for (size_t v = 0; v < counted.plan.groups[group].dimensions.size(); ++v) {
      values.push_back(in.text());
    }
    Told some;
    read_items(in, group, some);
    const StreamKey key = StreamTable::key_of(group, hashes_of(counted.table, values));
    // It may have been left out for room.
    if (in.bad() || counted.table.find(key) == StreamTable::kNone) continue;
    told[key].merge(some);
    told_size += some.size();
  }
}

uint32_t TallyState::read_sketch(SavedReader& in, uint32_t group, SketchKind kind) const {
  const SketchLayout& sketches = counted.plan.groups[group].sketches;
  const auto place = in.number<uint32_t>();
  in.require(place < sketches.size && counted.plan.sketches[sketches.first + place].kind == kind);
  return in.bad() ? 0 : sketches.first + place;
}

Time TallyState::read_time(SavedReader& in) const {
  const Time at{Duration(in.number<int64_t>())};
  in.require(bounded(at) == at && at <= counted.clock.newest() &&
             counted.clock.newest() - at <= kLongestBatch);
  return in.bad() ? Time{} : at;
}

void TallyState::read_items(SavedReader& in, uint32_t group, Told& some) const {
  const auto read_count = [&] {
    const auto count = in.number<uint64_t>();
    in.require(count <= kMostEvents);
    return count;
  };
  const auto climbs = in.number<uint32_t>();
  for (uint32_t i = 0; i < climbs && !in.bad(); ++i) {
    const uint32_t sketch = read_sketch(in, group, SketchKind::climb);
    const auto slot = in.number<int64_t>();
    const Climbed tries{.bad = read_count(), .good = read_count()};
    if (in.bad()) return;
    in.require(slot <= counted.now[counted.plan.sketches[sketch].series].slot);
    some.climbs[{sketch, slot}] = tries;
  }
  const auto hours = in.number<uint32_t>();
  for (uint32_t i = 0; i < hours && !in.bad(); ++i) {
    const uint32_t sketch = read_sketch(in, group, SketchKind::baseline);
    const auto hour = in.number<int64_t>();
    in.require(hour <= hour_of(counted.clock.newest()) &&
               hour >= hour_of(counted.clock.newest() - kLongestBatch));
    some.hours[{sketch, hour}] = read_count();
  }
  const auto sightings = in.number<uint32_t>();
  for (uint32_t i = 0; i < sightings && !in.bad(); ++i) {
    const uint32_t sketch = read_sketch(in, group, SketchKind::known);
    const auto value = in.number<uint64_t>();
    some.sightings[{sketch, value}] = read_time(in);
  }
  const auto walks = in.number<uint32_t>();
  for (uint32_t i = 0; i < walks && !in.bad(); ++i) {
    const uint32_t sketch = read_sketch(in, group, SketchKind::walk);
    Walked walk{.at = read_time(in)};
    for (uint64_t* const number :
         {&walk.first, &walk.first_domain, &walk.last, &walk.last_domain}) {
      *number = in.number<uint64_t>();
    }
    some.walks.emplace(sketch, walk);
  }
}

}  // namespace watchpost::detect
