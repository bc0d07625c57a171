#include "ingest/segment_position.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr std::string_view kVersion = "segments1";
constexpr size_t kLongestName = 200;

bool is_plain(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '-';
}

std::optional<SegmentPlace> place_from(std::string_view text) {
  const auto parts = split(text, ',');
  if (parts.size() != 4 || (parts[3] != "0" && parts[3] != "1")) return std::nullopt;
  auto name = SegmentName::parse(parts[0]);
  if (!name) return std::nullopt;
  SegmentPlace place{
      .name = std::move(*name), .generation = hash128_from_hex(parts[2]), .done = parts[3] == "1"};
  const char* const end = parts[1].data() + parts[1].size();
  const auto [rest, fault] = std::from_chars(parts[1].data(), end, place.offset);
  if (fault != std::errc() || rest != end) return std::nullopt;
  return place;
}

}  // namespace

std::optional<SegmentName> SegmentName::parse(std::string_view text) {
  constexpr size_t kDate = 8;     // 20261124
  constexpr size_t kSecond = 15;  // 20261124-104500
  if (text.size() < kSecond || text.size() > kLongestName || text[kDate] != '-' ||
      !std::ranges::all_of(text, is_plain)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < kSecond; ++i) {
    if (i != kDate && !is_digit(text[i])) return std::nullopt;
  }
  size_t since = kSecond;
  if (text.size() > kSecond + 1 && text[kSecond] == '.' && is_digit(text[kSecond + 1])) {
    for (++since; since < text.size() && is_digit(text[since]); ++since) {
    }
  }
  return SegmentName{std::string(text), since};
}

std::string text_of(const std::vector<SegmentPlace>& places) {
  std::string text(kVersion);
  for (const SegmentPlace& place : places) {
    text += fmt::format(" {},{},{},{}", place.name.text, place.offset, to_hex(place.generation),
                        place.done ? 1 : 0);
  }
  return text;
}

Result<std::vector<SegmentPlace>> segment_places_from(std::string_view text) {
  std::vector<SegmentPlace> places;
  const auto parts = split(text, ' ');
  bool good = parts[0] == kVersion && parts.size() <= kMostSuffixes + 1;
  for (size_t i = 1; good && i < parts.size(); ++i) {
    auto place = place_from(parts[i]);
    good = place.has_value();
    if (good) places.push_back(std::move(*place));
  }
  // One spelling for each position.
  if (good && text_of(places) == text) return places;
  return fail(Code::corrupt, "is not a position in a folder of segments", escaped(text, 200));
}

}  // namespace watchpost::ingest
