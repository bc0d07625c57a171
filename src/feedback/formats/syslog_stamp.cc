#include "feedback/formats/syslog_stamp.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace watchpost::feedback {

// Date and time as written, without seconds.
struct SyslogStamps::Minute {
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
};

namespace {

// Clocks and guesses at the zone may be wrong by this much before a stamp means another year.
constexpr Duration kSlack = std::chrono::hours(26);
// Lines of one log are out of order by less than this.
constexpr Duration kDisorder = std::chrono::minutes(5);

// Two digits at `at`; -1 where there are none.
int two_digits(std::string_view text, size_t at) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

unsigned month_from(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::ranges::find(kMonths, name);
  return found == kMonths.end() ? 0 : unsigned(found - kMonths.begin()) + 1;
}

// ".123456" at `at`; moves `at` behind it.
std::optional<Duration> take_fraction(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] != '.') return Duration{0};
  int64_t value = 0;
  int64_t scale = 1'000'000;
  const size_t first = ++at;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    if (at - first >= 9) return std::nullopt;
    if (scale == 1) continue;
    value = value * 10 + (text[at] - '0');
    scale /= 10;
  }
  if (at == first) return std::nullopt;
  return Duration{value * scale};
}

// "Z", "+01:00" or, as journalctl writes it, "+0100"; moves `at` behind it.
std::optional<Duration> take_zone(std::string_view text, size_t& at) {
  if (at >= text.size()) return std::nullopt;
  const char sign = text[at++];
  if (sign == 'Z' || sign == 'z') return Duration{0};
  if (sign != '+' && sign != '-') return std::nullopt;
  const int hours = two_digits(text, at);
  at += 2;
  if (at < text.size() && text[at] == ':') ++at;
  const int minutes = two_digits(text, at);
  at += 2;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const Duration span = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return sign == '-' ? -span : span;
}

// What the clocks of this machine show at that time, less UTC.
Duration offset_at(Time at) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return std::chrono::seconds(parts.tm_gmtoff);
}

// "SS" at the front of what follows the minute; 60 is a leap second.
std::optional<Duration> seconds_at(std::string_view text, size_t at) {
  const int seconds = two_digits(text, at);
  if (seconds < 0 || seconds > 60) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

void SyslogStamps::set_reference(Time now) {
  reference_ = now;
  minute_text_.clear();
}

void SyslogStamps::remember(std::string_view prefix, Time minute) {
  minute_text_ = prefix;
  minute_ = minute;
}

std::optional<Time> SyslogStamps::take(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const auto at = is_digit(text[0]) ? take_rfc3339(text) : take_traditional(text);
  if (at) last_ = *at;
  return at;
}

std::optional<Time> SyslogStamps::take_traditional(std::string_view& text) {
  size_t at = minute_text_.size();
  Time minute = minute_;
  if (at == 0 || !text.starts_with(minute_text_)) {
    if (text.size() < 15) return std::nullopt;
    Minute written;
    written.month = month_from(text.substr(0, 3));
    at = 4;
    if (text[at] == ' ') ++at;  // RFC 3164 4.1.2: a single digit has a blank before it
    int day = two_digits(text, at);
    if (day < 0 && is_digit(text[at])) day = text[at] - '0';
    at += text[at + 1] == ' ' ? 1 : 2;
    written.day = unsigned(std::max(day, 0));
    if (written.month == 0 || text[3] != ' ' || at + 9 > text.size() || text[at] != ' ' ||
        text[at + 3] != ':' || text[at + 6] != ':') {
      return std::nullopt;
    }
    written.hour = two_digits(text, at + 1);
    written.minute = two_digits(text, at + 4);
    at += 7;
    const auto found = with_year(written);
    if (!found) return std::nullopt;
    minute = *found;
    remember(text.substr(0, at), minute);
  }
  const auto seconds = seconds_at(text, at);
  if (!seconds || at + 2 >= text.size() || text[at + 2] != ' ') return std::nullopt;
  text.remove_prefix(at + 3);
  return minute + *seconds;
}

std::optional<Time> SyslogStamps::take_rfc3339(std::string_view& text) {
  constexpr size_t kPrefix = 17;  // "2026-11-24T03:00:"
  if (text.size() < kPrefix + 4) return std::nullopt;
  if (minute_text_.size() != kPrefix || !text.starts_with(minute_text_)) {
    const auto minute = parse_time(std::string(text.substr(0, kPrefix)) + "00Z");
    if (!minute) return std::nullopt;
    remember(text.substr(0, kPrefix), *minute);
  }
  const auto seconds = seconds_at(text, kPrefix);
  size_t at = kPrefix + 2;
  const auto fraction = take_fraction(text, at);
  if (!seconds || !fraction) return std::nullopt;
  const auto zone = take_zone(text, at);
  if (!zone || at >= text.size() || text[at] != ' ') return std::nullopt;
  text.remove_prefix(at + 1);
  return minute_ + *seconds + *fraction - *zone;
}

// The latest year in which the stamp is not after the reference.
std::optional<Time> SyslogStamps::with_year(const Minute& minute) const {
  using namespace std::chrono;
  const int newest = int(year_month_day(floor<days>(reference_)).year()) + 1;
  for (int year = newest; year > newest - 10; --year) {  // 29 February: eight years at most
    const auto at = to_utc(year, minute);
    if (at && *at <= reference_ + kSlack) return at;
  }
  return std::nullopt;
}

std::optional<Time> SyslogStamps::to_utc(int year, const Minute& minute) const {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), month(minute.month), day(minute.day)};
  if (!date.ok() || minute.hour < 0 || minute.hour > 23 || minute.minute < 0 ||
      minute.minute > 59) {
    return std::nullopt;
  }
  const Time written = Time(sys_days(date)) + hours(minute.hour) + minutes(minute.minute);
  if (utc_offset_) return written - *utc_offset_;
  // Clocks are changed at most once in two days. mktime() would find this too, but it looks through
  // a year of them for each minute.
  tzset();
  const Duration before = offset_at(written - days(1));
  const Duration after = offset_at(written + days(1));
  const Time first = written - std::max(before, after);
  const Time second = written - std::min(before, after);
  const bool in_first = first + offset_at(first) == written;
  const bool in_second = second + offset_at(second) == written;
  // The hour that exists twice: the first pass, unless the log is past it.
  if (in_first && in_second) return last_ > first + kDisorder ? second : first;
  if (in_first) return first;
  if (in_second) return second;
  return written - before;  // the hour that does not exist
}

}  // namespace watchpost::feedback
