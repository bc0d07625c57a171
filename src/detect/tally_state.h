#pragma once
#include "detect/watch_state.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace watchpost::detect {

// Of a climb: tries in one slot.
struct Climbed {
  uint64_t bad = 0;
  uint64_t good = 0;
};

// The first and the last value of a batch, as AlphabetWalk knows them, and when the first came.
struct Walked {
  uint64_t first = 0;
  uint64_t first_domain = 0;
  Time at;
  uint64_t last = 0;
  uint64_t last_domain = 0;

  auto operator<=>(const Walked&) const = default;
};

// What a stream's sketches that cannot be added up are told when a batch is folded. The first of
// each pair is which of Plan::sketches.
struct Told {
  std::map<std::pair<uint32_t, int64_t>, Climbed> climbs;   // by slot
  std::map<std::pair<uint32_t, int64_t>, uint64_t> hours;   // of a baseline: events in each hour
  std::map<std::pair<uint32_t, uint64_t>, Time> sightings;  // hash of a value: when it came first
  std::multimap<uint32_t, Walked> walks;                    // of each batch

  size_t size() const { return climbs.size() + hours.size() + sightings.size() + walks.size(); }
  void merge(const Told& other);
};

struct HashOfKey {
  size_t operator()(const StreamKey& key) const { return key.check; }
};
struct SameKey {
  bool operator()(const StreamKey& a, const StreamKey& b) const {
    return a.check == b.check && a.tag == b.tag;
  }
};
template <class Value>
using ByStream = std::unordered_map<StreamKey, Value, HashOfKey, SameKey>;

// All that Tally and Increments hold: a WatchState that never judges, and what its sketches would
// have to know of the past to count.
struct TallyState {
  TallyState(std::vector<Detector> detectors, WatchLimits limits);

  void on(const Event& event);
  bool full() const;
  // Drops what only a stream's whole past can say.
  void finish();

  WatchState counted;
  ByStream<Told> told;  // few have something; by keys of `counted`
  size_t told_size = 0;

 private:
  void tell(const Event& event, Time at, const Place& place);
  void tell(const Event& event, Time at, uint32_t sketch, const Place& place);
  // Room for one more of `told`; false where there is none.
  bool one_more();
};

// The numbers of the keys of `counted`, and what they stand for in a WatchState with other seeds.
std::vector<Hash128> hashes_of(const StreamTable& table,
                               const std::vector<std::string_view>& values);

}  // namespace watchpost::detect
