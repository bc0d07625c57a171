#pragma once
#include "base/result.h"
#include "base/time.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::store {

// Sequence numbers are stored as signed numbers.
inline constexpr uint64_t kLastSequence = INT64_MAX;

// The place of an event in the history: by time, and of one time by the order of commits.
struct Place {
  Time at;
  uint64_t sequence = 0;
  auto operator<=>(const Place&) const = default;
};

// A place as the text that pages are continued by, and back. Fails with bad_input.
std::string cursor_text(const Place& place);
Result<Place> parse_cursor(std::string_view text);

}  // namespace watchpost::store
