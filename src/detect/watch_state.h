#pragma once
#include "detect/active_streams.h"
#include "detect/event_clock.h"
#include "detect/notes.h"
#include "detect/plan.h"
#include "detect/slots.h"
#include "detect/stream_table.h"
#include "detect/watch.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace watchpost::detect {

class SavedWriter;

// Longer values are no addresses, names or domains.
inline constexpr size_t kLongestValue = 1024;

// Where event time stands in a series.
struct SeriesNow {
  int64_t slot = 0;
  Time begins;  // of that slot
  Time ends;
};

// A group that an event counts in, and its stream there, where it was found.
struct Place {
  uint32_t group = 0;
  uint32_t stream = StreamTable::kNone;
  StreamKey key;
};

inline int64_t second_of(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

// All that Watch holds. Its functions stand in watch.cc (counting), judge.cc, views.cc,
// saved_state.cc and restored_state.cc.
//   Rules: a firing rule re-arms as soon as its window has slid so far that its condition no longer
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
  void decide_conditions(const Event& event);
  void hash_dimensions(const Event& event);
  void find_streams(const Event& event, Time at);
  void count(const Event& event, Time at, const Place& place, std::vector<Signal>& out);
  uint32_t found_or_inserted(const Event& event, Time at, const Place& place);
  RuleMask count_in_series(EventKind kind, Time at, uint32_t series, Slots& slots);
  // A new stream whose newest event is at `last_at`; others are dropped for it where need be.
  uint32_t insert(StreamKey key, uint32_t group, std::span<const std::string_view> values,
                  Time last_at);
  void touched(StreamRecord& record, Time at);
  void drop(uint32_t stream);
  void make_room();
  // A stream of the group with its newest event then has nothing left in any window.
  bool expired(uint32_t group, Time last_at) const;
  uint32_t find(uint32_t group, const Stream& stream) const;
  void update_stats();

  // judge.cc
  void judge(Time at, uint32_t stream, uint32_t series, RuleMask rules, std::vector<Signal>& out);
  void slide(uint32_t stream, uint32_t series, Slots& slots);
  struct NotedRule {
    uint32_t rule;
    Noted* noted;
  };
  std::vector<NotedRule> noted_of(uint32_t stream, uint32_t series);
  // Slides slot by slot, so that rules re-arm where they would have.
  void slide_noted(uint32_t series, int64_t last, Slots& slots, std::span<const NotedRule> rules,
                   Memory& memory);
  const uint64_t* plain_sums(const Slots& slots, size_t columns);
  // The sums as the rule sees them when `newest` is the newest slot of the window. Valid until the
  // next call.
  const uint64_t* sums_for(uint32_t rule, const Slots& slots, const uint64_t* plain,
                           const Noted* noted, int64_t newest);
  std::span<const double> values_of(const std::vector<TermColumns>& terms, const uint64_t* from);
  bool guard_holds(uint32_t rule, const uint64_t* from);
  bool holds(uint32_t rule, const uint64_t* from);
  Signal signal_of(Time at, uint32_t stream, uint32_t rule, const uint64_t* from);
  std::vector<std::pair<std::string, double>> counts_of(uint32_t rule, const uint64_t* from);
  Stream stream_of(const Rule& rule, const StreamRecord& record) const;

  Noted& note(uint32_t stream, uint32_t rule);

  // views.cc
  size_t active_streams(std::span<const Field> dimensions) const;
  std::vector<DetectorView> explain(const Stream& stream);
  DetectorView view_of(uint32_t rule, const Stream& stream);
  StreamView stream_view(uint32_t stream) const;
  // Each cell of event kinds in the group's longest window that is still within it.
  template <class Visit>
  void for_each_live(uint32_t stream, Visit visit) const {
    const StreamRecord& record = table[stream];
    const Group& group = plan.groups[record.group];
    const WindowShape& shape = plan.series[group.longest].shape;
    const int64_t last = shape.slot_of(second_of(record.last_at));
    for (const Cell& cell : record.slots(group.longest - group.first_series).cells()) {
      const bool live = slot_of_cell(cell, last) > now[group.longest].slot - shape.slots;
      if (live && cell.column < kEventKinds) visit(cell);
    }
  }
  std::vector<StreamView> movers(std::span<const Field> dimensions, size_t most) const;

  // saved_state.cc, restored_state.cc
  std::string save() const;
  void save_plan(SavedWriter& out) const;
  void save_stream(SavedWriter& out, uint32_t stream) const;
  Result<Done> restore(std::string_view saved);

  const WatchLimits limits;
  const Plan plan;
  EventClock clock;
  StreamTable table;
  Notes notes;
  std::vector<SeriesNow> now;         // for each series
  Time next_slot;                     // the nearest end of a slot
  std::vector<ActiveStreams> active;  // for each group
  // For each column of each series, and for each rule: the first slot that is whole. Older ones
  // lack what had not been asked for when they were counted (see restore()).
  std::vector<std::vector<int64_t>> column_from;
  std::vector<int64_t> counts_from;
  WatchStats stats;

  // Of the event being counted, and room to work in.
  std::vector<uint8_t> condition_holds;
  std::array<Hash128, kTextFields> hashes{};
  std::array<bool, kTextFields> hashed{};
  std::array<Hash128, kTextFields> parts{};
  std::vector<Place> places;
  std::vector<RuleMask> touched_rules;
  std::vector<uint32_t> fired;  // the rules whose signals are the last in `out`, in order
  std::vector<double> values;
  std::array<uint64_t, kMostColumns> plain{};
  std::array<uint64_t, kMostColumns> own{};
};

}  // namespace watchpost::detect
