#pragma once
#include "base/text.h"
#include "detect/rules.h"
#include "model/event.h"

#include <charconv>
#include <string_view>
#include <vector>

// For tests and benchmarks: events and detectors with few words.
namespace watchpost::detect {

// 2026-11-24T10:00:00Z
inline constexpr Time kTestStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 10h;

// "bounced credential=alice class=unknown_user delay=3h", `at` that long after kTestStart. All
// views point into `text`. Nothing where a word is not understood.
inline std::optional<Event> read_event(Duration at, std::string_view text) {
  Event event;
  event.at = kTestStart + at;
  bool first = true;
  for (const std::string_view word : words(text)) {
    const size_t equals = word.find('=');
    if (first) {
      const auto kind = event_kind_from(word);
      if (!kind) return std::nullopt;
      event.kind = *kind;
    } else if (word == "inbound") {
      event.direction = Direction::inbound;
    } else if (word == "self_inflicted") {
      event.self_inflicted = true;
    } else if (word == "repeated") {
      event.repeated = true;
    } else if (word == "clock_suspect") {
      event.clock_suspect = true;
    } else if (word.starts_with("delay=")) {
      const auto delay = parse_duration(word.substr(equals + 1));
      if (!delay) return std::nullopt;
      event.delay = std::chrono::duration<double>(*delay).count();
    } else {
      const auto field = field_from(word.substr(0, equals));
      if (!field || equals == std::string_view::npos) return std::nullopt;
      event[*field] = word.substr(equals + 1);
    }
    first = false;
  }
  if (first) return std::nullopt;
  return event;
}

inline Event event_at(Duration at, std::string_view text) {
  const auto event = read_event(at, text);
  WP_CHECK(event.has_value());
  return *event;
}

inline Detector detector_of(const DetectorSettings& settings) {
  auto detector = make_detector(settings);
  WP_CHECK(detector.has_value());
  return *detector;
}

}  // namespace watchpost::detect
