#include "store/cursor.h"

#include <charconv>

#include <fmt/format.h>

namespace watchpost::store {

std::string cursor_text(const Place& place) {
  return fmt::format("{}.{}", place.at.time_since_epoch().count(), place.sequence);
}

Result<Place> parse_cursor(std::string_view text) {
  int64_t at = 0;
  uint64_t sequence = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, at);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
    const auto second = std::from_chars(first.ptr + 1, end, sequence);
    const Place place{Time(Duration(at)), sequence};
    // Only the one spelling that cursor_text() writes.
    if (second.ec == std::errc() && second.ptr == end && sequence <= kLastSequence &&
        cursor_text(place) == text) {
      return place;
    }
  }
  return fail(Code::bad_input, "this is not a cursor that an earlier page of events gave");
}

}  // namespace watchpost::store
