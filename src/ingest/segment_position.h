#pragma once
#include "base/hash.h"
#include "base/result.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::ingest {

// The name of a segment of a log: when it was begun, to the second or finer, and what the writer
// puts behind that: segments with the same suffix follow each other.
//   "20261124-104500.123456789_recv": since "20261124-104500.123456789", suffix "_recv"
struct SegmentName {
  std::string text;
  size_t since_size = 0;

  std::string_view since() const { return std::string_view(text).substr(0, since_size); }
  std::string_view suffix() const { return std::string_view(text).substr(since_size); }
  // Nothing for all other names, and for those with bytes other than letters, digits, `.`, `_`,
  // `-`.
  static std::optional<SegmentName> parse(std::string_view text);
};

// Where reading the segments of one suffix stopped.
struct SegmentPlace {
  SegmentName name;
  uint64_t offset = 0;  // behind the last line that was used, unpacked
  Hash128 generation;   // of the lines before that; zero at the beginning
  bool done = false;    // read to its end
};

// Of all suffixes, on one line: "segments1 NAME,OFFSET,GENERATION,DONE NAME,..." Reads back what it
// writes and nothing else; anything else is corrupt.
inline constexpr size_t kMostSuffixes = 64;
std::string text_of(const std::vector<SegmentPlace>& places);
Result<std::vector<SegmentPlace>> segment_places_from(std::string_view text);

}  // namespace watchpost::ingest
