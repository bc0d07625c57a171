#pragma once
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost {

// All times are UTC with microseconds; all spans are whole microseconds.
using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

using namespace std::chrono_literals;

// Where "now" comes from. Pure code never asks: time comes in with events.
//   Threads: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};
class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// "2026-11-24T02:45:21.123456Z"; the fraction is left out where it is zero. Years outside 0..9999
// are clamped.
std::string format_time(Time at);

// RFC 3339 section 5.6, with any offset; 'T' or one space between date and time; up to 9 fraction
// digits (cut to microseconds). The whole text must be the time. Allocates nothing.
std::optional<Time> parse_time(std::string_view text);

// "90s", "10m", "2h", "1d", "1h30m", "250ms". No sign, no bare numbers.
Result<Duration> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back: "1h30m", "0s".
std::string format_duration(Duration span);

}  // namespace watchpost
