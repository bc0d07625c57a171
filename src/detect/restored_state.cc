// Watch::restore(): reads what saved_state.cc writes. Nothing in the bytes is believed: each number
// is held against what the counters rely on.
#include "base/hash.h"
#include "base/saved_bytes.h"
#include "detect/saved_state.h"
#include "detect/watch_state.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace watchpost::detect {
namespace {

constexpr int64_t kAlways = std::numeric_limits<int64_t>::min();
constexpr int64_t kLongestWindow = 30 * 86400;
constexpr int64_t kLongestCohort = 86400;
constexpr int64_t kMostSlots = 119;

// How many of which column in which slot.
using CellCounts = std::map<std::pair<uint8_t, uint8_t>, uint64_t>;

class Restorer {
 public:
  Restorer(WatchState& state, std::string_view bytes, uint8_t version)
      : state_(state),
        in_(bytes),
        has_sketches_(version > kSavedBeforeSketches),
        has_seed_(version > kSavedBeforeSeed) {}

  bool restore() {
    read_clock();
    state_.value_seed = has_seed_ ? in_.number<uint64_t>() : WatchLimits().value_seed;
    read_groups();
    read_rules();
    if (has_sketches_) {
      read_whole([&](SavedReader& lag) { state_.lags.restore(lag); });
    }
    const auto streams = in_.number<uint32_t>();
    in_.require(streams == 0 || state_.clock.started());
    for (uint32_t i = 0; i < streams && !in_.bad(); ++i) read_stream();
    in_.require(in_.at_end());
    return !in_.bad();
  }

 private:
  Time read_time() {
    const Time at{Duration(in_.number<int64_t>())};
    in_.require(bounded(at) == at);
    return bounded(at);
  }
  std::optional<Time> read_optional_time() {
    const bool there = in_.number<uint8_t>() != 0;
    const Time at = read_time();
    return there ? std::optional(at) : std::nullopt;
  }

  int64_t next_slot(const WindowShape& shape) const {
    return shape.slot_of(second_of(state_.clock.newest())) + 1;
  }

  // Something saved as a text, whole.
  template <class Read>
  void read_whole(Read read) {
    SavedReader own(in_.text());
    read(own);
    in_.require(!own.bad() && own.at_end());
  }

  void read_clock() {
    EventClock::Saved time;
    time.newest = read_optional_time();
    time.leap = read_optional_time();
    time.agreed = in_.number<uint8_t>() != 0;
    in_.require(time.newest || !time.leap);
    if (in_.bad()) return;
    state_.clock.restore(time);
    state_.time_has_passed();
  }

  void read_groups() {
    const auto groups = in_.number<uint32_t>();
    for (uint32_t i = 0; i < groups && !in_.bad(); ++i) {
      SavedGroup saved;
      const auto direction = in_.number<uint8_t>();
      in_.require(direction < 2);
      saved.direction = static_cast<Direction>(direction % 2);
      saved.dimensions = in_.text();
      const auto dimensions = parse_dimensions(saved.dimensions);
      in_.require(dimensions.has_value());
      if (in_.bad()) return;
      saved.values = dimensions->size();
      for (uint32_t g = 0; g < state_.plan.groups.size(); ++g) {
        const Group& group = state_.plan.groups[g];
        if (group.direction == saved.direction && group.dimensions == *dimensions) saved.group = g;
      }
      const auto series = in_.number<uint32_t>();
      for (uint32_t s = 0; s < series && !in_.bad(); ++s) {
        saved.series.push_back(read_series(saved));
      }
      if (has_sketches_) read_sketches(saved);
      groups_.push_back(std::move(saved));
    }
  }

  SavedSeries read_series(const SavedGroup& group) {
    SavedSeries saved;
    saved.window = in_.number<int64_t>();
    in_.require(saved.window >= 1 && saved.window <= kLongestWindow);
    if (has_sketches_) saved.cohort = in_.number<int64_t>();
    in_.require(saved.cohort >= 0 && saved.cohort <= kLongestCohort);
    const auto conditioned = in_.number<uint32_t>();
    in_.require(conditioned <= kMostColumns - kEventKinds);
    if (in_.bad()) return saved;
    saved.shape = saved.cohort == 0 ? WindowShape::of(saved.window)
                                    : WindowShape::of_slots(saved.window, saved.cohort);
    in_.require(saved.shape.slots <= kMostSlots);
    for (uint32_t i = 0; i < conditioned && !in_.bad(); ++i) {
      std::string text(in_.text());
      const auto from = in_.number<int64_t>();
      in_.require(from == kAlways || from <= next_slot(saved.shape));
      saved.conditioned.emplace_back(std::move(text), from);
    }
    if (group.group != kNone) match(group, saved);
    return saved;
  }

  // Finds who takes over: the series of the same window, the nth where there are several.
  void match(const SavedGroup& group, SavedSeries& saved) {
    auto before = std::ranges::count_if(group.series, [&](const SavedSeries& other) {
      return other.window == saved.window && other.cohort == saved.cohort;
    });
    const Group& present = state_.plan.groups[group.group];
    for (uint32_t s = present.first_series; s < present.first_series + present.series; ++s) {
      const Series& series = state_.plan.series[s];
      if (series.window != std::chrono::seconds(saved.window) ||
          series.cohort != std::chrono::seconds(saved.cohort) || before-- != 0) {
        continue;
      }
      saved.series = s;
      take_over(saved, series);
      return;
    }
  }

  void take_over(SavedSeries& saved, const Series& series) {
    for (size_t kind = 0; kind < kEventKinds; ++kind) {
      saved.column.push_back(static_cast<uint8_t>(kind));
    }
    saved.column.resize(kEventKinds + saved.conditioned.size(), kMostColumns);
    // What is new in a series that has counted for a while is whole only from the next slot on.
    std::vector<int64_t>& from = state_.column_from[saved.series];
    const int64_t next = state_.now[saved.series].slot + 1;
    for (const ConditionedColumn& column : series.conditioned) {
      const auto found = std::ranges::find(saved.conditioned, column.text,
                                           &std::pair<std::string, int64_t>::first);
      const auto place = static_cast<size_t>(found - saved.conditioned.begin());
      if (found != saved.conditioned.end()) saved.column[kEventKinds + place] = column.column;
      from[column.column] = found != saved.conditioned.end() ? found->second
                            : state_.clock.started()         ? next
                                                             : kAlways;
    }
  }

  void read_sketches(SavedGroup& saved) {
    const auto sketches = in_.number<uint32_t>();
    for (uint32_t i = 0; i < sketches && !in_.bad(); ++i) {
      const auto kind = in_.number<uint8_t>();
      const auto place = in_.number<uint32_t>();
      const std::string_view text = in_.text();
      const auto from = has_seed_ ? in_.number<int64_t>() : kAlways;
      in_.require(place < saved.series.size());
      if (in_.bad()) return;
      in_.require(from == kAlways || from <= next_slot(saved.series[place].shape));
      const uint32_t found = find_sketch(saved, kind, saved.series[place].series, text);
      in_.require(found == kNone ||
                  std::ranges::find(saved.sketches, found) == saved.sketches.end());
      if (in_.bad()) return;
      saved.sketches.push_back(found);
      if (found != kNone) taken_over_.insert(found);
      if (found != kNone) state_.sketch_from[found] = from;
      if (kind != static_cast<uint8_t>(SketchKind::baseline)) continue;
      GroupWeek unwanted;
      GroupWeek& week = found == kNone ? unwanted : state_.weeks[state_.plan.sketches[found].week];
      read_whole([&](SavedReader& own) { week.restore(own); });
    }
  }

  uint32_t find_sketch(const SavedGroup& saved, uint8_t kind, uint32_t series,
                       std::string_view text) const {
    if (saved.group == kNone) return kNone;
    const SketchLayout& layout = state_.plan.groups[saved.group].sketches;
    for (uint32_t i = layout.first; i < layout.first + layout.size; ++i) {
      const Sketch& sketch = state_.plan.sketches[i];
      if (static_cast<uint8_t>(sketch.kind) == kind && sketch.is_saved() && sketch.text == text &&
          (!sketch.follows_window() || sketch.series == series)) {
        return i;
      }
    }
    return kNone;
  }

  void read_rules() {
    const auto rules = in_.number<uint32_t>();
    for (uint32_t i = 0; i < rules && !in_.bad(); ++i) {
      SavedRule saved;
      const std::string_view detector = in_.text();
      const auto version = in_.number<uint64_t>();
      saved.group = in_.number<uint32_t>();
      saved.series = in_.number<uint32_t>();
      in_.require(saved.group < groups_.size() &&
                  saved.series < groups_[saved.group].series.size());
      if (in_.bad()) return;
      for (uint32_t r = 0; r < state_.plan.rules.size(); ++r) {
        const Rule& rule = state_.plan.rules[r];
        const Detector& present = state_.plan.detectors[rule.detector];
        if (present.name == detector && present.version == version &&
            rule.group == groups_[saved.group].group &&
            rule.series == groups_[saved.group].series[saved.series].series) {
          saved.rule = r;
        }
      }
      rules_.push_back(saved);
    }
    for (uint32_t r = 0; r < state_.plan.rules.size(); ++r) set_counts_from(r);
  }

  void set_counts_from(uint32_t index) {
    const Rule& rule = state_.plan.rules[index];
    int64_t& from = state_.counts_from[index];
    for (const auto* terms : {&rule.when, &rule.guard}) {
      for (const TermPlace& term : *terms) {
        for (uint8_t i = 0; i < term.size; ++i) {
          from = std::max(from, state_.column_from[rule.series][term.column[i]]);
        }
        if (term.kind != expr::TermKind::distinct) continue;
        // What is new beside counters that have counted for a while.
        int64_t& whole_from = state_.sketch_from[term.sketch];
        if (!taken_over_.contains(term.sketch) && state_.clock.started()) {
          whole_from = state_.now[rule.series].slot + 1;
        }
        from = std::max(from, whole_from);
      }
    }
  }

  // Cells of one saved series, oldest first, appended to `slots` where there is one.
  CellCounts read_cells(const SavedSeries& saved, int64_t last, Slots* slots, Memory& memory) {
    CellCounts counts;
    const auto cells = in_.number<uint32_t>();
    int64_t slot = last - saved.shape.slots + 1;
    for (uint32_t i = 0; i < cells && !in_.bad(); ++i) {
      Cell cell;
      cell.slot = in_.number<uint8_t>();
      cell.column = in_.number<uint8_t>();
      cell.count = in_.number<uint16_t>();
      const int64_t at = slot_of_cell(cell, last);
      in_.require(cell.count != 0 && at >= slot &&
                  cell.column < kEventKinds + saved.conditioned.size());
      if (in_.bad()) break;
      slot = at;
      counts[{cell.slot, cell.column}] += cell.count;
      if (slots == nullptr || saved.column[cell.column] == kMostColumns) continue;
      cell.column = saved.column[cell.column];
      slots->append(cell, state_.plan.series[saved.series].columns, memory);
    }
    return counts;
  }

  uint32_t insert(const SavedGroup& group, Time last_at,
                  const std::vector<std::string_view>& values) {
    std::vector<Hash128> hashes;
    for (const std::string_view value : values) hashes.push_back(state_.table.hash_of(value));
    const StreamKey key = StreamTable::key_of(group.group, hashes);
    in_.require(state_.table.find(key) == StreamTable::kNone);
    if (in_.bad()) return kNone;
    return state_.insert(key, group.group, values, last_at);
  }

  void read_stream() {
    const auto number = in_.number<uint32_t>();
    in_.require(number < groups_.size());
    if (in_.bad()) return;
    const SavedGroup& group = groups_[number];
    const Time last_at = read_time();
    in_.require(last_at <= state_.clock.newest());
    const uint8_t heat = has_sketches_ ? in_.number<uint8_t>() : uint8_t{0};
    in_.require(heat <= StreamRecord::kHottest);
    std::vector<std::string_view> values;
    for (size_t i = 0; i < group.values; ++i) {
      values.push_back(in_.text());
      in_.require(!values.back().empty() && values.back().size() <= kLongestValue);
    }
    uint32_t stream = kNone;
    if (!in_.bad() && group.group != kNone && is_wanted(group.group, last_at)) {
      stream = insert(group, last_at, values);
      if (stream != kNone) state_.table[stream].heat = heat;
    }
    std::vector<CellCounts> counts;
    for (const SavedSeries& saved : group.series) {
      Slots* const slots =
          stream == kNone || saved.series == kNone ? nullptr : slots_of(stream, saved.series);
      counts.push_back(
          read_cells(saved, saved.shape.slot_of(second_of(last_at)), slots, state_.table.memory()));
    }
    if (has_sketches_) read_cells_of_sketches(group, stream);
    const auto notes = in_.number<uint32_t>();
    for (uint32_t i = 0; i < notes && !in_.bad(); ++i) {
      read_note(number, stream, last_at, counts);
    }
    if (stream != kNone && state_.forgettable(stream)) state_.drop(stream);
    state_.make_room();
  }

  bool is_wanted(uint32_t group, Time last_at) const {
    const Group& present = state_.plan.groups[group];
    return !state_.expired(group, last_at) || present.remembers || present.has_cohorts() ||
           state_.may_be_quiet(group, last_at);
  }

  void read_cells_of_sketches(const SavedGroup& group, uint32_t stream) {
    const auto any = in_.number<uint8_t>();
    in_.require(any <= 1);
    if (any == 0) return;
    std::byte* block = nullptr;
    for (const uint32_t index : group.sketches) {
      if (stream == kNone || index == kNone) {
        in_.text();
        continue;
      }
      if (block == nullptr) block = state_.made_sketches(state_.table[stream]);
      read_whole([&](SavedReader& own) {
        restore_cell(own, block, state_.plan.sketches[index], state_.table.memory());
      });
      if (in_.bad()) return;
    }
  }

  Slots* slots_of(uint32_t stream, uint32_t series) {
    StreamRecord& record = state_.table[stream];
    return &record.slots(series - state_.plan.groups[record.group].first_series);
  }

  void read_note(uint32_t group, uint32_t stream, Time last_at,
                 const std::vector<CellCounts>& counts) {
    const auto number = in_.number<uint32_t>();
    in_.require(number < rules_.size() && rules_[number].group == group);
    if (in_.bad()) return;
    const SavedRule& rule = rules_[number];
    const SavedSeries& saved = groups_[group].series[rule.series];
    const bool firing = in_.number<uint8_t>() != 0;
    const Time since = read_time();
    const std::optional<Time> quiet_since = has_seed_ ? read_optional_time() : std::nullopt;
    const auto values_from = has_seed_ ? in_.number<int64_t>() : kAllSlots;
    in_.require(values_from == kAllSlots || values_from <= next_slot(saved.shape));
    in_.require(!quiet_since || (!firing && *quiet_since <= state_.clock.newest()));
    if (in_.bad()) return;
    Noted* known = nullptr;
    if (stream != kNone && rule.rule != kNone) {
      known = &state_.note(stream, rule.rule);
      const bool once = !known->firing && !known->quiet_since && known->before.empty();
      in_.require(once);
      if (in_.bad()) return;
      known->firing = firing;
      known->since = since;
      known->quiet_since = quiet_since;
      known->values_from = values_from;
    }
    const CellCounts before =
        read_cells(saved, saved.shape.slot_of(second_of(last_at)),
                   known == nullptr ? nullptr : &known->before, state_.table.memory());
    if (saved.cohort != 0) return;  // these say which are used up
    // Never more than what was counted: the difference is what the rule sees.
    const CellCounts& all = counts[rule.series];
    in_.require(std::ranges::all_of(before, [&](const auto& cell) {
      const auto found = all.find(cell.first);
      return found != all.end() && found->second >= cell.second;
    }));
  }

  WatchState& state_;
  SavedReader in_;
  std::vector<SavedGroup> groups_;
  std::vector<SavedRule> rules_;
  std::set<uint32_t> taken_over_;  // sketches
  bool has_sketches_;
  bool has_seed_;
};

}  // namespace

Result<Done> WatchState::restore(std::string_view saved) {
  const auto corrupt = [] {
    return fail(Code::corrupt, "the saved counters of the detectors are damaged; counting anew");
  };
  const size_t head = kSavedMark.size() + sizeof kSavedVersion;
  if (saved.size() < head + sizeof(uint64_t) || !saved.starts_with(kSavedMark)) return corrupt();
  const auto version = static_cast<uint8_t>(saved[kSavedMark.size()]);
  if (version != kSavedVersion && version != kSavedBeforeSeed && version != kSavedBeforeSketches) {
    return fail(Code::bad_input,
                "the saved counters of the detectors are of another release; counting anew");
  }
  SavedReader hash(saved.substr(saved.size() - sizeof(uint64_t)));
  saved.remove_suffix(sizeof(uint64_t));
  if (hash.number<uint64_t>() != hash64(saved)) return corrupt();
  saved.remove_prefix(head);
  if (!Restorer(*this, saved, version).restore()) return corrupt();
  update_stats();
  return Done{};
}

}  // namespace watchpost::detect
