#pragma once
#include "detect/plan.h"
#include "detect/stream_record.h"
#include "model/event.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace watchpost::detect {

// What an event counts as, in whatever streams: the same for all events of a direction and kind for
// which the same conditions hold.
struct Effect {
  struct InSeries {
    RuleMask rules = 0;   // to be judged
    RuleMask raises = 0;  // those of them whose threshold (Rule) it brings nearer
    uint32_t first = 0;   // of `columns`
    uint32_t size = 0;
  };
  struct InSketch {
    uint32_t sketch = 0;  // of Plan::sketches
    bool bad = false;     // of a climb
  };
  struct InGroup {
    uint32_t first = 0;  // of `sketches`
    uint32_t size = 0;
  };

  std::vector<uint8_t> holds;      // of Plan::conditions; only those that decide about its kind
  std::vector<InSeries> series;    // of Plan::series
  std::vector<uint8_t> columns;    // to be added to, for one series after the other
  std::vector<InGroup> groups;     // of Plan::groups
  std::vector<InSketch> sketches;  // that it counts for, for one group after the other

  std::span<const uint8_t> columns_in(const InSeries& some) const {
    return {columns.data() + some.first, some.size};
  }
  std::span<const InSketch> sketches_in(uint32_t group) const {
    return {sketches.data() + groups[group].first, groups[group].size};
  }
  bool counts_for(std::span<const Rows> rows, EventKind kind) const;
};

// The effects that there are, each worked out when the first event has it.
//   Rules: conditions that ask only for texts of which there are few (classes, providers) are not
//          asked again for texts that came before, known by their hash; those that ask for anything
//          else (a number, a recipient) are asked of each event.
//   Owns:  at most kMost effects; where conditions hold in more ways, all are worked out anew.
//   Why:   a rule set asks the same few questions about each event, and counts the answers in many
//          places. The answers are few, so that all that follows from them is a list.
class Effects {
 public:
  explicit Effects(const Plan& plan);

  // `hash_of(field)`: of the event's text in that field, with a seed that the outside does not
  // know. Good until the next call.
  template <class HashOf>
  const Effect& of(const Event& event, const HashOf& hash_of) {
    Kind& kind = kinds_[static_cast<size_t>(event.direction)][static_cast<size_t>(event.kind)];
    if (kind.asked_anew.size() > kMostAskedAnew) return worked_out(event, kind);
    StreamKeyMaker maker(kind.number);
    for (const Field field : kind.fields) maker.add(hash_of(field));
    if (!kind.asked_anew.empty()) maker.add(Hash128{.high = answers(event, kind), .low = 0});
    const StreamKey key = maker.key();
    Remembered& place = remembered_[key.tag % kRemembered];
    if (place.effect == nullptr || place.key != key) {
      // In this order: to work it out may forget all that is remembered.
      const Effect& found = worked_out(event, kind);
      place = {key, &found};
    }
    return *place.effect;
  }

 private:
  static constexpr size_t kMost = 1024;
  static constexpr size_t kRemembered = 1024;
  static constexpr size_t kMostAskedAnew = 64;
  struct Kind {
    uint32_t number = 0;
    std::vector<Field> fields;         // whose texts say which conditions hold, but for ...
    std::vector<uint32_t> asked_anew;  // ... these
  };
  struct Remembered {
    StreamKey key;
    const Effect* effect = nullptr;
  };
  using Holds = std::vector<uint8_t>;

  // A bit for each condition that is asked anew.
  uint64_t answers(const Event& event, const Kind& kind) const;
  const Effect& worked_out(const Event& event, const Kind& kind);
  Effect effect_of(const Event& event, Holds holds) const;
  void add_series(Effect& effect, EventKind kind) const;
  RuleMask raised_by(const Series& series, std::span<const uint8_t> columns) const;
  void add_sketches(Effect& effect, EventKind kind) const;

  const Plan& plan_;
  std::array<std::array<Kind, kEventKinds>, 2> kinds_;
  std::vector<Remembered> remembered_;
  std::map<std::pair<uint32_t, Holds>, std::unique_ptr<const Effect>> effects_;  // by kind
};

}  // namespace watchpost::detect
