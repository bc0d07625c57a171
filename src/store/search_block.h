#pragma once
#include "base/result.h"
#include "base/time.h"
#include "store/cursor.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::store {

// One entry of a partition's index: an event that has the key. Ordered by key, and of one key
// newest first.
struct SearchEntry {
  uint64_t key = 0;
  int64_t age = 0;   // time and sequence number with all bits turned over: that turns the order
  int64_t back = 0;  // round and has no overflow
  auto operator<=>(const SearchEntry&) const = default;

  static SearchEntry of(uint64_t key, const Place& place) {
    return {key, ~place.at.time_since_epoch().count(), ~static_cast<int64_t>(place.sequence)};
  }
  Place place() const { return {Time(Duration(~age)), static_cast<uint64_t>(~back)}; }
};

// Sorted entries packed as differences, about 12 bytes each.
inline constexpr size_t kEntriesInBlock = 512;
std::string pack(std::span<const SearchEntry> sorted);
// Fails with corrupt where the bytes are not such a block: too many, out of order, cut short.
Result<std::vector<SearchEntry>> unpack(std::string_view block);

}  // namespace watchpost::store
