#pragma once
#include "detect/rules.h"
#include "detect/sketch_plan.h"
#include "detect/slots.h"
#include "expr/expression.h"
#include "model/event.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace watchpost::detect {

// What a set of detectors wants counted, each thing once.
//   group     the dimensions that some detectors watch, in one direction; a stream belongs to one
//   series    one window of a group; all detectors with this group and window read its counters
//   column    one number counted in a series: each event kind, then counts with a condition
//   sketch    what a sum of counters cannot say (detect/sketch_plan.h)
//   rule      one detector watching one group

// The most that a series holds; where detectors ask for more, the window is counted twice.
inline constexpr size_t kMostColumns = 255;  // Cell::column
inline constexpr size_t kMostRules = 64;     // bits of a RuleMask
using RuleMask = uint64_t;

// Where the number for one term of a condition comes from.
struct TermPlace {
  expr::TermKind kind = expr::TermKind::count;
  // count, fresh, in_order: the sum of these columns.
  std::array<uint8_t, 3> column{};
  uint8_t size = 0;
  bool tries = false;   // mail, of which a cohort knows in full before its complaints have come
  uint32_t sketch = 0;  // the others: which of Plan::sketches
};

// What must be so before a rule can hold (expr::Need), read as cheaply as can be: nearly all rules
// stop here for nearly all events.
struct NeedPlace {
  static constexpr size_t kMost = 6;
  double least = 0;
  // The sum of the first columns is at least so much; of `term`, where there are none.
  std::array<uint8_t, kMost> column{};
  uint8_t size = 0;
  uint8_t among_size = 0;
  bool of_usual = false;               // at least so often the number of `term`
  std::array<uint8_t, kMost> among{};  // where there are some: at least that share of these
  TermPlace term;

  bool counts(uint8_t some) const {
    return std::find(column.begin(), column.begin() + size, some) != column.begin() + size;
  }
};

struct Rule {
  uint32_t detector = 0;
  uint32_t watch = 0;  // which of the detector's
  uint32_t group = 0;
  uint32_t series = 0;
  std::vector<uint8_t> order;  // place in the group of each dimension of the detector's `watch`
  std::vector<TermPlace> when;
  std::vector<TermPlace> guard;
  std::vector<NeedPlace> needs;  // the cheapest first
  // One of them that is not so until an event comes which adds to its columns, or to its climb as a
  // bad one: nothing else brings a stream nearer to it.
  std::optional<NeedPlace> threshold;
  bool receiver_fault = false;  // while it fires, failures there are held against nobody else
  std::vector<Rows> failures;   // ... of these kinds and conditions: what it counts as failures
  LagKind lag = LagKind::complaints;  // of a cohort: what it waits for
  // So long must its condition not hold before it fires for a stream once more. None for cohorts,
  // each of which is evidence once anyway.
  Duration quiet{0};
};

// A count with a condition, in its own column.
struct ConditionedColumn {
  std::string text;  // the term as written canonically: its identity when saved and restored
  uint32_t condition = 0;
  uint8_t column = 0;
  RuleMask rules = 0;  // that use it
};

struct Series {
  Duration window{};
  Duration cohort{0};  // not 0: events count when their message was sent, in slots so long
  WindowShape shape;
  size_t columns = kEventKinds;
  std::vector<ConditionedColumn> conditioned;
  // Indices into `conditioned` that events of a kind may count for.
  std::array<std::vector<uint8_t>, kEventKinds> of_kind;
  std::array<RuleMask, kEventKinds> plain_rules{};  // that use a plain count of the kind
  std::vector<uint32_t> rules;                      // bit i of a mask is rules[i]
  std::vector<uint32_t> sketches;                   // those that follow its window

  bool is_cohort() const { return cohort != Duration::zero(); }
};

struct Group {
  // What each event needs to know stands together.
  Direction direction = Direction::outbound;
  bool remembers = false;  // has sketches that outlive the windows
  bool has_provider = false;
  bool has_receiver_faults = false;  // one of its rules is Rule::receiver_fault
  bool all_shadow = true;            // its rules are
  uint32_t first_series = 0;
  uint32_t series = 0;
  uint32_t longest = 0;  // the series with the longest window; of cohorts only where all are
  SketchLayout sketches;
  Duration cohorts{0};            // the longest window of cohorts
  uint32_t fields = 0;            // bit of each dimension
  std::vector<Field> dimensions;  // in the order of the enum
  std::vector<uint32_t> rules;

  bool has_cohorts() const { return cohorts != Duration::zero(); }
  bool has(std::span<const Field> some) const;  // exactly these dimensions, in any order
};

struct Plan {
  explicit Plan(std::vector<Detector> rules);

  std::vector<Detector> detectors;  // without those that are off
  std::vector<expr::RowCondition> conditions;
  // Conditions that decide about events of a direction and kind.
  std::array<std::array<std::vector<uint32_t>, kEventKinds>, 2> conditions_of;
  std::vector<Group> groups;
  std::array<std::vector<uint32_t>, 2> groups_of;  // by direction
  std::vector<Series> series;                      // those of a group stand together
  std::vector<Rule> rules;
  std::vector<Sketch> sketches;                     // those of a group stand together
  uint32_t weeks = 0;                               // how many weeks they learn
  std::array<std::vector<Field>, 2> dimensions_of;  // by direction: each once
  std::array<bool, 2> has_cohorts{};                // by direction
  std::array<bool, 2> has_baselines{};              // by direction
  std::array<bool, 2> has_receiver_faults{};        // by direction
};

}  // namespace watchpost::detect
