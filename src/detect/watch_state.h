#pragma once
#include "detect/active_streams.h"
#include "detect/effects.h"
#include "detect/event_clock.h"
#include "detect/lag_curves.h"
#include "detect/sketch_cells.h"
#include "detect/watch.h"
#include "detect/watch_values.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace watchpost::detect {

// All that Watch holds. Its functions stand in watch.cc (counting), watch_streams.cc,
// watch_sketches.cc, watch_cohorts.cc, judge.cc, fold.cc, views.cc, saved_state.cc and
// restored_state.cc.
//   Rules: a rule stops firing as soon as its window has slid so far that its condition no longer
//          holds. Nothing happens to a stream between two of its events but that slots leave its
//          windows, so these steps are made up for when it is touched next: time passes at no cost.
struct WatchState {
  WatchState(std::vector<Detector> detectors, WatchLimits limits);
  WatchState(const WatchState&) = delete;
  WatchState& operator=(const WatchState&) = delete;
  ~WatchState();
  // watch.cc
  void on(const Event& event, std::vector<Signal>& out);
  void advance_to(Time now);
  void rearm(std::string_view detector, const Stream& stream);
  void forget_all();
  void time_has_passed();
  void hash_dimensions(const Event& event);
  void find_effect(const Event& event);
  void find_streams(const Event& event, Time at);
  // A failure that may be a receiver's: where it is, only streams of that receiver count it.
  void count_failure(const Event& event, const Moment& moment, std::vector<Signal>& out);
  uint32_t count(const Event& event, const Moment& moment, const Place& place,
                 std::vector<Signal>& out);
  uint32_t found_or_inserted(const Event& event, Time at, const Place& place);
  TouchedRules count_in_series(Time at, uint32_t series, Slots& slots);
  // A new stream whose newest event is at `last_at`; others are dropped for it where need be.
  uint32_t insert(StreamKey key, uint32_t group, std::span<const std::string_view> values,
                  Time last_at);
  void touched(StreamRecord& record, Time at);
  void drop(uint32_t stream);
  void make_room();
  bool expired(uint32_t group, Time last_at) const;  // nothing left of it in any window
  bool forgettable(uint32_t stream) const;           // nor is anything else of it worth keeping
  bool may_be_quiet(uint32_t group, Time last_at) const;
  void look_after_next();
  uint32_t find(uint32_t group, const Stream& stream) const;
  void update_stats();
  // watch_sketches.cc
  std::span<const Sketch> sketches_of(const Group& group) const {
    return std::span(plan.sketches).subspan(group.sketches.first, group.sketches.size);
  }
  std::byte* made_sketches(StreamRecord& record);
  void drop_sketches(StreamRecord& record);
  void count_in_sketches(const Event& event, Time at, StreamRecord& record);
  // Adds to one; false where nothing came of it, or not what its column counts.
  bool count_in_sketch(const Event& event, Time at, const Effect::InSketch& some,
                       StreamRecord& record);
  bool count_in_past(const Sketch& sketch, Time at, StreamRecord& record);
  void forget_expectations(uint32_t group, uint32_t baseline, std::byte* block) const;
  bool count_in_climb(const Sketch& sketch, Time at, bool bad, StreamRecord& record);
  uint64_t value_hash(const Event& event, Field field);
  std::optional<int64_t> slot_in(uint32_t series, Time at) const;
  void slide_sketches(StreamRecord& record, uint32_t series, int64_t last);
  void restart_sketches(StreamRecord& record, uint32_t series);  // the window has been empty
  void restart_sketches_of(uint32_t rule, StreamRecord& record, Noted& known);
  // While a rule fires the stream teaches its past nothing, for three days at most.
  void skip_hours_of_incident(uint32_t stream);
  Expectation expectation_of(const Sketch& sketch, const std::byte* block, int64_t hour) const;
  double value_of(const TermPlace& term, const Evidence& evidence) const;
  // watch_cohorts.cc
  void learn_lag(const Event& event, const Moment& moment);
  void judge_cohorts(const Moment& moment, uint32_t stream, uint32_t series, RuleMask rules,
                     std::vector<Signal>& out);
  Evidence evidence_of(const Cohorts& cohorts);
  bool fires(const Moment& moment, const Cohorts& cohorts, std::vector<Signal>& out);
  void use_up(uint32_t stream, uint32_t rule, int64_t first, int64_t last);
  // judge.cc
  void judge(Time at, uint32_t stream, uint32_t series, RuleMask rules, std::vector<Signal>& out);
  void put(Signal signal, uint32_t rule, std::vector<Signal>& out);
  void slide(uint32_t stream, uint32_t series, Slots& slots);
  std::vector<NotedRule> noted_of(uint32_t stream, uint32_t series);
  // Slides slot by slot, so that rules re-arm where they would have.
  void slide_noted(const Sliding& from, Slots& slots, std::span<const NotedRule> rules,
                   Memory& memory);
  bool still_holds(uint32_t rule, const Slots& slots, const Noted* known, Evidence evidence);
  const uint64_t* plain_sums(const Slots& slots, size_t columns);
  // As the rule sees them when `newest` is the newest slot of the window. Valid until the next
  // call.
  const uint64_t* sums_for(uint32_t rule, const Slots& slots, const uint64_t* all,
                           const Noted* noted, int64_t newest);
  std::span<const double> values_of(const std::vector<TermPlace>& terms, const Evidence& evidence);
  bool may_hold(uint32_t rule, const Evidence& evidence) const;  // found without its conditions
  bool is_met(const NeedPlace& need, const Evidence& evidence) const;
  bool guard_holds(uint32_t rule, const Evidence& evidence);
  bool conditions_hold(uint32_t rule, const Evidence& evidence);
  bool holds(uint32_t rule, const Evidence& evidence);  // both
  Signal signal_of(Time at, uint32_t stream, uint32_t rule, const Evidence& evidence);
  std::vector<std::pair<std::string, double>> counts_of(uint32_t rule, const Evidence& evidence);
  Stream stream_of(const Rule& rule, const StreamRecord& record) const;
  Noted& note(uint32_t stream, uint32_t rule);
  // views.cc
  size_t active_streams(std::span<const Field> dimensions) const;
  std::vector<DetectorView> explain(const Stream& stream);
  DetectorView view_of(uint32_t rule, const Stream& stream);
  void fill(DetectorView& view, uint32_t rule, const Evidence& evidence);
  StreamView stream_view(uint32_t stream) const;
  std::vector<StreamView> movers(std::span<const Field> dimensions, size_t most) const;
  // fold.cc
  void fold(std::span<const Increments> increments, std::vector<Signal>& out);
  // saved_state.cc, restored_state.cc
  std::string save() const;
  void save_plan(SavedWriter& out) const;
  void save_sketches(SavedWriter& out, const Group& group) const;
  void save_stream(SavedWriter& out, uint32_t stream) const;
  Result<Done> restore(std::string_view saved);

  const WatchLimits limits;
  Plan plan;  // stays as it is once counting has begun
  EventClock clock;
  StreamTable table;
  Notes notes;
  LagCurves lags;
  std::vector<GroupWeek> weeks;       // of the baselines
  std::vector<SeriesNow> now;         // for each series
  Time next_slot;                     // the nearest end of a slot
  std::vector<ActiveStreams> active;  // for each group
  // For each column of each series, and for each rule: the first slot that is whole. Older ones
  // lack what had not been asked for when they were counted (see restore()).
  std::vector<std::vector<int64_t>> column_from;
  std::vector<int64_t> sketch_from;  // the same for each sketch
  std::vector<int64_t> counts_from;
  uint64_t value_seed;  // of what sketches know values by
  WatchStats stats;

  // Of the event being counted, and room to work in.
  Effects effects{plan};
  const Effect* effect = nullptr;
  uint32_t hashed = 0;  // bit of each dimension that has a value
  std::array<Hash128, kTextFields> hashes{};
  std::vector<Place> places;
  std::vector<TouchedRules> touched_rules;  // for each series of its group
  std::vector<uint32_t> fired;  // the rules whose signals are the last in `out`, in order
  uint32_t value_hashed = 0;    // bit of each field whose hash is known
  std::array<uint64_t, kTextFields> value_hashes{};
  std::vector<double> values;
  std::array<uint64_t, kMostColumns> plain{};
  std::array<uint64_t, kMostColumns> own{};
  std::array<double, kMostColumns> tries{};
};

}  // namespace watchpost::detect
