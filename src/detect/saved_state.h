#pragma once
#include "detect/slots.h"
#include "model/event.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::detect {

// What Watch::save() writes and Watch::restore() reads begins with these.
inline constexpr std::string_view kSavedMark = "watchpost detect";
inline constexpr uint8_t kSavedVersion = 3;
inline constexpr uint8_t kSavedBeforeSeed = 2;      // still read
inline constexpr uint8_t kSavedBeforeSketches = 1;  // still read

inline constexpr uint32_t kNone = ~uint32_t{0};

// A series as it was saved, and the one that takes over its counters.
struct SavedSeries {
  int64_t window = 0;
  int64_t cohort = 0;
  WindowShape shape;
  std::vector<std::pair<std::string, int64_t>> conditioned;  // text, first whole slot
  uint32_t series = kNone;
  std::vector<uint8_t> column;  // of each saved column; kMostColumns: nobody wants it any more
};
struct SavedGroup {
  Direction direction = Direction::outbound;
  std::string dimensions;
  size_t values = 0;  // of each stream
  uint32_t group = kNone;
  std::vector<SavedSeries> series;
  std::vector<uint32_t> sketches;  // which of the plan's each is now; kNone: nobody's any more
};
struct SavedRule {
  uint32_t rule = kNone;
  uint32_t group = 0;   // saved numbers
  uint32_t series = 0;  // place in its group
};

std::string dimensions_text(std::span<const Field> dimensions);

}  // namespace watchpost::detect
