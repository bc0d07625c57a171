#include "base/time.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost {
namespace {

// A number that is not negative, in exactly so many digits, and what stands behind it.
void append_digits(std::string& text, int64_t number, size_t digits, char behind) {
  const size_t first = text.size();
  text.append(digits, '0');
  for (size_t at = first + digits; at > first; number /= 10) {
    text[--at] = static_cast<char>('0' + number % 10);
  }
  text += behind;
}

// Reads exactly `digits` decimal digits at `at`; -1 where there are none.
int digits_at(std::string_view text, size_t at, size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// ".123456789" at `at` as microseconds; moves `at` behind it. Nothing there is zero.
std::optional<Duration> fraction_at(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] != '.') return Duration{0};
  ++at;
  int64_t value = 0;
  int64_t scale = 1'000'000;
  const size_t first = at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (at - first >= 9) return std::nullopt;
    if (scale > 1) {
      value = value * 10 + (text[at] - '0');
      scale /= 10;
    }
  }
  if (at == first) return std::nullopt;
  return Duration{value * scale};
}

// "Z" or "+01:00" up to the end of the text.
std::optional<Duration> offset_at(std::string_view text, size_t at) {
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) return Duration{0};
  if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') {
    return std::nullopt;
  }
  const int hours = digits_at(text, at + 1, 2);
  const int minutes = digits_at(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const Duration span = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return text[at] == '-' ? -span : span;
}

struct Unit {
  std::string_view name;
  Duration span;
};
constexpr std::array<Unit, 7> kUnits{{{"w", std::chrono::hours(24 * 7)},
                                      {"d", std::chrono::hours(24)},
                                      {"h", std::chrono::hours(1)},
                                      {"m", std::chrono::minutes(1)},
                                      {"s", std::chrono::seconds(1)},
                                      {"ms", std::chrono::milliseconds(1)},
                                      {"us", std::chrono::microseconds(1)}}};

std::unexpected<Error> not_a_duration(std::string_view text) {
  return fail(Code::bad_input,
              fmt::format("`{}` is not a duration; write for example 90s, 10m, 2h or 1d", text));
}

}  // namespace

Time SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string format_time(Time at) {
  using namespace std::chrono;
  constexpr Time kFirst = sys_days(year(0) / 1 / 1);
  constexpr Time kLast = sys_days(year(10000) / 1 / 1) - Duration(1);
  at = std::clamp(at, kFirst, kLast);
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  std::string text;
  text.reserve(sizeof "2026-11-24T12:00:00.000000Z");
  append_digits(text, int(date.year()), 4, '-');
  append_digits(text, unsigned(date.month()), 2, '-');
  append_digits(text, unsigned(date.day()), 2, 'T');
  append_digits(text, clock.hours().count(), 2, ':');
  append_digits(text, clock.minutes().count(), 2, ':');
  const int64_t fraction = clock.subseconds().count();
  append_digits(text, clock.seconds().count(), 2, fraction == 0 ? 'Z' : '.');
  if (fraction != 0) append_digits(text, fraction, 6, 'Z');
  return text;
}

std::optional<Time> parse_time(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  const int y = digits_at(text, 0, 4);
  const int mo = digits_at(text, 5, 2);
  const int d = digits_at(text, 8, 2);
  const int h = digits_at(text, 11, 2);
  const int mi = digits_at(text, 14, 2);
  const int s = digits_at(text, 17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60) {
    return std::nullopt;
  }
  const year_month_day date{year(y), month(unsigned(mo)), day(unsigned(d))};
  if (!date.ok()) return std::nullopt;
  size_t at = 19;
  const auto fraction = fraction_at(text, at);
  if (!fraction || at >= text.size()) return std::nullopt;
  const auto offset = offset_at(text, at);
  if (!offset) return std::nullopt;
  return Time(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + *fraction - *offset;
}

Result<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return not_a_duration(text);
  Duration total{0};
  for (size_t at = 0; at < text.size();) {
    int64_t value = 0;
    const size_t first = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      value = value * 10 + (text[at] - '0');
      if (at - first >= 12) return not_a_duration(text);
    }
    const size_t unit_at = at;
    while (at < text.size() && text[at] >= 'a' && text[at] <= 'z') ++at;
    const std::string_view word = text.substr(unit_at, at - unit_at);
    const auto unit = std::ranges::find(kUnits, word, &Unit::name);
    if (unit_at == first || unit == kUnits.end()) return not_a_duration(text);
    // A century is more than any setting wants, and keeps the sums far from overflow.
    constexpr Duration kMost = std::chrono::hours(24 * 36525);
    if (value > kMost / unit->span) return not_a_duration(text);
    total += value * unit->span;
    if (total > kMost) return not_a_duration(text);
  }
  return total;
}

std::string format_duration(Duration span) {
  if (span <= Duration{0}) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (unit.name == "w") continue;  // "14d" says more than "2w"
    if (const int64_t count = span / unit.span; count > 0) {
      text += fmt::format("{}{}", count, unit.name);
      span -= count * unit.span;
    }
  }
  return text;
}

}  // namespace watchpost
