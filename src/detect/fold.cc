// Watch::fold(): what tallies counted is added to the streams, which are then judged once. What is
// added does not depend on the order of the pieces: cells and sketches add up, and what goes by
// time is gathered from all pieces first.
#include "base/hash.h"
#include "detect/tally.h"
#include "detect/tally_state.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace watchpost::detect {
namespace {

constexpr double kMostInAnHour = 1e15;

// A stream that something was added to, and the rules to be judged for it.
struct Touched {
  std::vector<RuleMask> rules;                                     // by series of the group
  std::map<std::pair<uint32_t, int64_t>, RuleMask> rules_of_slot;  // cohorts: by series and slot
  Told told;
};

class Folding {
 public:
  Folding(WatchState& state, std::vector<Signal>& out) : state_(state), out_(out) {
    for (const Series& series : state_.plan.series) rules_of_column_.push_back(columns_of(series));
    for (const Sketch& sketch : state_.plan.sketches) {
      for (const Sketch::Feed& feed : sketch.feeds) {
        if (feed.column == 0) continue;
        Column& column = rules_of_column_[feed.series][feed.column];
        column.rules |= feed.rules;
        column.of_new = sketch.kind == SketchKind::known;
      }
    }
  }

  void pass_time(std::span<const Increments> increments) {
    std::vector<const TallyState*> sorted;
    for (const Increments& some : increments) {
      if (some.state().counted.clock.started()) sorted.push_back(&some.state());
    }
    const auto newest = [](const TallyState* one) { return one->counted.clock.newest(); };
    std::ranges::sort(sorted, {}, newest);
    for (const TallyState* const one : sorted) {
      if (state_.clock.admit(newest(one), false).verdict == EventClock::Verdict::restart) {
        state_.forget_all();
      }
      // Its events agree with each other on the time: that counts as a second one.
      if (one->counted.clock.save().agreed) state_.clock.admit(newest(one), false);
    }
    state_.time_has_passed();
  }

  void add(const TallyState& some) {
    const WatchState& from = some.counted;
    state_.lags.merge(from.lags);
    state_.stats.events += from.stats.events;
    state_.stats.late += from.stats.late;
    state_.stats.ahead += from.stats.ahead;
    state_.stats.oversized += from.stats.oversized;
    state_.stats.evicted += from.stats.evicted;
    for (uint32_t stream = 0; stream < from.table.end(); ++stream) {
      if (from.table[stream].body != nullptr) add_stream(some, stream);
    }
  }

  void judge() {
    state_.fired.clear();
    const auto before = static_cast<std::ptrdiff_t>(out_.size());
    for (const auto& [place, stream, touched] : in_order()) {
      tell(state_.table[stream], *touched);
      judge(stream, *touched);
    }
    state_.make_room();
    state_.update_stats();
    sort(before);
  }

 private:
  struct InOrder {
    uint64_t place;
    uint32_t stream;
    Touched* touched;
  };
  struct Column {
    RuleMask rules = 0;
    bool of_new = false;  // known here only
  };

  static std::vector<Column> columns_of(const Series& series) {
    std::vector<Column> columns(series.columns);
    for (size_t kind = 0; kind < kEventKinds; ++kind) columns[kind] = {series.plain_rules[kind]};
    for (const ConditionedColumn& column : series.conditioned) {
      columns[column.column].rules |= column.rules;
    }
    return columns;
  }

  void add_stream(const TallyState& some, uint32_t stream) {
    const WatchState& from = some.counted;
    const StreamRecord& record = from.table[stream];
    const Group& group = state_.plan.groups[record.group];
    const Time newest = state_.clock.newest();
    const Time at = std::min(record.last_at, newest);
    const bool over = state_.expired(record.group, at) && newest - at >= group.cohorts;
    if (over && !group.remembers) return;
    const std::vector<std::string_view> values = from.table.values(record);
    const StreamKey key = StreamTable::key_of(record.group, hashes_of(state_.table, values));
    state_.look_after_next();
    const uint32_t own = found_or_inserted(key, record, values, at);
    Touched& touched = touched_[key];
    touched.rules.resize(group.series);
    for (uint32_t nth = 0; nth < group.series; ++nth) {
      Slots& slots = state_.table[own].slots(nth);
      const uint32_t series = group.first_series + nth;
      state_.slide(own, series, slots);
      if (group.sketches.bytes != 0 && slots.empty()) {
        state_.restart_sketches(state_.table[own], series);
      }
      add_cells(record, nth, slots, touched);
    }
    if (group.sketches.bytes != 0) add_distinct(from, record, state_.table[own], touched);
    const auto told =
        some.told.find(StreamTable::key_of(record.group, hashes_of(from.table, values)));
    if (told != some.told.end()) touched.told.merge(told->second);
    state_.touched(state_.table[own], at);
    state_.make_room();
  }

  uint32_t found_or_inserted(StreamKey key, const StreamRecord& record,
                             const std::vector<std::string_view>& values, Time at) {
    uint32_t stream = state_.table.find(key);
    const bool has_sketches = state_.plan.groups[record.group].sketches.bytes != 0;
    if (stream != StreamTable::kNone && has_sketches && state_.forgettable(stream)) {
      state_.drop(stream);
      stream = StreamTable::kNone;
    }
    int touches = record.heat;
    if (stream == StreamTable::kNone) {
      stream = state_.insert(key, record.group, values, at);
    } else {
      touches += state_.table[stream].heat + 1;
    }
    state_.table[stream].heat =
        static_cast<uint8_t>(std::min<int>(touches, StreamRecord::kHottest));
    return stream;
  }

  void add_cells(const StreamRecord& record, uint32_t nth, Slots& to, Touched& touched) {
    const uint32_t index = state_.plan.groups[record.group].first_series + nth;
    const Series& series = state_.plan.series[index];
    const int64_t newest = state_.now[index].slot;
    const int64_t last = series.shape.slot_of(second_of(record.last_at));
    for (const Cell& cell : record.slots(nth).cells()) {
      const Column& column = rules_of_column_[index][cell.column];
      const int64_t slot = std::min(slot_of_cell(cell, last), newest);
      if (column.of_new || slot <= newest - series.shape.slots) continue;
      to.add(newest, slot, cell.column, series.columns, state_.table.memory(), cell.count);
      if (series.is_cohort()) {
        touched.rules_of_slot[{nth, slot}] |= column.rules;
      } else {
        touched.rules[nth] |= column.rules;
      }
    }
  }

  void add_distinct(const WatchState& from, const StreamRecord& record, StreamRecord& own,
                    Touched& touched) {
    const std::byte* const block = from.table.sketches(record);
    if (block == nullptr) return;
    const Group& group = state_.plan.groups[record.group];
    for (const Sketch& sketch : state_.sketches_of(group)) {
      if (sketch.kind != SketchKind::distinct) continue;
      const auto& values = cell_at<DistinctValues>(block, sketch);
      const WindowShape& shape = state_.plan.series[sketch.series].shape;
      const int64_t newest = state_.now[sketch.series].slot;
      const int64_t last = shape.slot_of(second_of(record.last_at));
      if (values.empty() || last > newest || last <= newest - shape.slots) continue;
      cell_at<DistinctValues>(state_.made_sketches(own), sketch)
          .merge(values, newest, shape.slots, state_.table.memory());
      touch(sketch, group, touched);
    }
  }

  static void touch(const Sketch& sketch, const Group& group, Touched& touched) {
    for (const Sketch::Feed& feed : sketch.feeds) {
      touched.rules[feed.series - group.first_series] |= feed.rules;
    }
  }

  // Adds to the column of `new` or `in_order`.
  void feed(const Sketch& sketch, Time at, StreamRecord& own, Touched& touched) {
    const Group& group = state_.plan.groups[own.group];
    for (const Sketch::Feed& feed : sketch.feeds) {
      const std::optional<int64_t> slot = state_.slot_in(feed.series, at);
      if (!slot) continue;
      const uint32_t nth = feed.series - group.first_series;
      own.slots(nth).add(state_.now[feed.series].slot, *slot, feed.column,
                         state_.plan.series[feed.series].columns, state_.table.memory());
      touched.rules[nth] |= feed.rules;
    }
  }

  void tell(StreamRecord& own, Touched& touched) {
    if (touched.told.size() == 0) return;
    std::byte* const block = state_.made_sketches(own);
    tell_climbs(own, block, touched);
    tell_hours(own, block, touched);
    tell_sightings(own, block, touched);
    tell_walks(own, block, touched);
  }

  // What stands in one slot has no order: its tries are looked at together.
  void tell_climbs(const StreamRecord& own, std::byte* block, Touched& touched) {
    for (const auto& [key, tries] : touched.told.climbs) {
      const Sketch& sketch = state_.plan.sketches[key.first];
      const SeriesNow& present = state_.now[sketch.series];
      if (key.second <= present.slot - state_.plan.series[sketch.series].shape.slots) continue;
      auto& climb = cell_at<ClimbEvidence>(block, sketch);
      const double sum = static_cast<double>(tries.bad) * sketch.steps.bad +
                         static_cast<double>(tries.good) * sketch.steps.good;
      climb.nats =
          static_cast<float>(std::clamp(climb.nats + sum, 0.0, static_cast<double>(kMostEvidence)));
      touch(sketch, state_.plan.groups[own.group], touched);
    }
  }

  void tell_hours(const StreamRecord& own, std::byte* block, Touched& touched) {
    const int64_t newest = hour_of(state_.clock.newest());
    const Group& group = state_.plan.groups[own.group];
    for (const auto& [key, events] : touched.told.hours) {
      const Sketch& sketch = state_.plan.sketches[key.first];
      auto& past = cell_at<HourlyPast>(block, sketch);
      const int64_t hour = std::min(key.second, newest);
      if (past.hour == 0 || past.hour < hour) {
        past.pass_to(hour, state_.weeks[sketch.week], state_.table.memory());
        state_.forget_expectations(own.group, key.first, block);
      }
      const int64_t age = past.hour - hour;
      if (age < std::ssize(past.counts)) {
        double& all = past.counts[static_cast<size_t>(age)];
        all = std::min(all + static_cast<double>(events), kMostInAnHour);
      }
      touch(sketch, group, touched);
    }
  }

  void tell_sightings(StreamRecord& own, std::byte* block, Touched& touched) {
    std::vector<std::tuple<Time, uint32_t, uint64_t>> sorted;
    for (const auto& [key, at] : touched.told.sightings) {
      sorted.emplace_back(std::min(at, state_.clock.newest()), key.first, key.second);
    }
    std::ranges::sort(sorted);
    for (const auto& [at, index, value] : sorted) {
      const Sketch& sketch = state_.plan.sketches[index];
      auto& known = cell_at<KnownValues>(block, sketch);
      if (known.add(value, at, state_.table.memory()) && known.settled(at)) {
        feed(sketch, at, own, touched);
      }
    }
  }

  // Within a batch they are counted; here, from the one before to the first of it.
  void tell_walks(StreamRecord& own, std::byte* block, Touched& touched) {
    std::vector<std::pair<Walked, uint32_t>> sorted;
    for (const auto& [index, walked] : touched.told.walks) sorted.emplace_back(walked, index);
    std::ranges::sort(sorted, {}, [](const auto& one) {
      return std::tuple(one.first.at, one.first, one.second);
    });
    for (const auto& [walked, index] : sorted) {
      const Sketch& sketch = state_.plan.sketches[index];
      auto& walk = cell_at<AlphabetWalk>(block, sketch);
      if (walked.first_domain == walk.domain() && walked.first > walk.last()) {
        feed(sketch, std::min(walked.at, state_.clock.newest()), own, touched);
      }
      walk.restore(walked.last, walked.last_domain);
    }
  }

  // The same in each process, whatever the seed of the keys: streams of a group learn its week
  // together. Without those that were dropped for room.
  std::vector<InOrder> in_order() {
    std::vector<InOrder> all;
    for (auto& [key, touched] : touched_) {
      const uint32_t stream = state_.table.find(key);
      if (stream == StreamTable::kNone) continue;
      uint64_t place = state_.table[stream].group;
      for (const std::string_view value : state_.table.values(state_.table[stream])) {
        place = hash64(value, place);
      }
      all.push_back({place, stream, &touched});
    }
    std::ranges::sort(all, {}, &InOrder::place);
    return all;
  }

  void judge(uint32_t stream, const Touched& touched) {
    const Group& group = state_.plan.groups[state_.table[stream].group];
    const Time at = state_.table[stream].last_at;
    for (uint32_t nth = 0; nth < group.series; ++nth) {
      if (touched.rules[nth] == 0) continue;
      state_.judge(at, stream, group.first_series + nth, touched.rules[nth], out_);
    }
    for (const auto& [place, rules] : touched.rules_of_slot) {
      const uint32_t series = group.first_series + place.first;
      const Time sent = start_of(place.second, state_.plan.series[series].shape);
      if (rules != 0) state_.judge_cohorts({.at = at, .sent = sent}, stream, series, rules, out_);
    }
    if (group.sketches.has_baselines && state_.table[stream].noted) {
      state_.skip_hours_of_incident(stream);
    }
  }

  // By detector, then stream; those of one stream stay in the order of its cohorts.
  void sort(std::ptrdiff_t first) {
    std::vector<size_t> order(state_.fired.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto signal = [&](size_t nth) -> Signal& {
      return out_[static_cast<size_t>(first) + nth];
    };
    std::ranges::stable_sort(order, [&](size_t a, size_t b) {
      if (state_.fired[a] != state_.fired[b]) return state_.fired[a] < state_.fired[b];
      return signal(a).stream < signal(b).stream;
    });
    std::vector<Signal> sorted;
    for (const size_t nth : order) sorted.push_back(std::move(signal(nth)));
    std::ranges::move(sorted, out_.begin() + first);
  }

  WatchState& state_;
  std::vector<Signal>& out_;
  std::vector<std::vector<Column>> rules_of_column_;  // of each series
  ByStream<Touched> touched_;
};

}  // namespace

void WatchState::fold(std::span<const Increments> increments, std::vector<Signal>& out) {
  Folding folding(*this, out);
  folding.pass_time(increments);
  for (const Increments& some : increments) folding.add(some.state());
  folding.judge();
}

void Watch::fold(std::span<const Increments> increments, std::vector<Signal>& out) {
  state_->fold(increments, out);
}

}  // namespace watchpost::detect
