#pragma once
#include "detect/sketches/climb.h"
#include "model/event.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::detect {

enum class SketchKind : uint8_t {
  distinct,     // DistinctValues; follows a window
  known,        // KnownValues: feeds the column of new ones
  walk,         // AlphabetWalk: feeds the column of those in order
  baseline,     // HourlyPast: the stream's own past
  expectation,  // what a baseline says of one window; worked out once an hour, never saved
  climb,        // ClimbEvidence; follows a window
};

// What a cohort waits for: complaints, or bounces.
enum class LagKind : uint8_t { complaints, bounces };
inline constexpr size_t kLagKinds = 2;

// Events of some kinds, all or those for which a condition holds.
struct Rows {
  static constexpr uint32_t kAll = ~uint32_t{0};
  uint32_t kinds = 0;         // bit of each event kind
  uint32_t condition = kAll;  // which of Plan::conditions
};

// Something that is kept of each stream of a group, once an event has counted for it.
struct Sketch {
  // Where an event that counts leads on to.
  struct Feed {
    uint32_t series = 0;
    uint64_t rules = 0;   // RuleMask: to be judged
    uint64_t raises = 0;  // those of them whose threshold (Rule) it may bring nearer
    uint8_t column = 0;   // known, walk: to be added to
  };

  // What each event needs to know stands together.
  SketchKind kind = SketchKind::distinct;
  Field field{};          // distinct, known, walk
  uint32_t series = 0;    // distinct, climb, expectation: whose window it follows
  uint32_t baseline = 0;  // of an expectation: which of Plan::sketches
  uint32_t offset = 0;    // of its cell among those of a stream, bytes
  uint32_t week = 0;      // of a baseline: which of WatchState::weeks
  ClimbSteps steps{};
  std::vector<Feed> feeds;
  std::string text;        // of the term, or of what a baseline counts: its identity when saved
  std::vector<Rows> rows;  // that count; of a climb: tries
  std::vector<Rows> bad;   // of a climb

  bool follows_window() const {
    return kind == SketchKind::distinct || kind == SketchKind::climb ||
           kind == SketchKind::expectation;
  }
  bool is_saved() const { return kind != SketchKind::expectation; }
};

// The cells of all sketches of a group stand in one block for each stream.
struct SketchLayout {
  uint32_t first = 0;  // of Plan::sketches
  uint32_t size = 0;   // how many
  uint32_t bytes = 0;  // of a block; 0: the group has none
  uint32_t kinds = 0;  // bit of each event kind that one of them looks at
  bool has_baselines = false;
};

}  // namespace watchpost::detect
