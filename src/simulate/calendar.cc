#include "simulate/calendar.h"

#include <array>

namespace watchpost::simulate {
namespace {

using Day = std::array<double, 24>;

constexpr Day kOfficeDay{0.02, 0.01, 0.01, 0.01, 0.02, 0.08, 0.3, 0.9, 2.1, 2.8, 2.9, 2.6,
                         1.6,  2.0,  2.6,  2.6,  2.3,  1.5,  0.7, 0.4, 0.3, 0.2, 0.1, 0.05};
constexpr Day kShopDay{0.35, 0.2, 0.12, 0.1, 0.1, 0.2, 0.5, 0.8, 1.0, 1.3, 1.4, 1.4,
                       1.3,  1.2, 1.1,  1.1, 1.2, 1.3, 1.5, 1.8, 2.1, 2.1, 1.4, 0.7};
constexpr Day kMachineDay{0.8, 0.8, 0.9, 0.8, 0.8, 0.8, 0.9, 1.0, 1.1, 1.2, 1.2, 1.2,
                          1.1, 1.1, 1.2, 1.2, 1.1, 1.1, 1.0, 1.0, 0.9, 0.9, 0.8, 0.8};
// Monday to Sunday.
constexpr std::array<double, 7> kOfficeWeek{1.3, 1.35, 1.3, 1.3, 1.1, 0.12, 0.08};
constexpr std::array<double, 7> kShopWeek{1.0, 0.95, 0.95, 1.0, 0.95, 1.0, 1.15};
constexpr std::array<double, 7> kMachineWeek{1.05, 1.05, 1.05, 1.05, 1.0, 0.9, 0.9};

constexpr auto kWeek = std::chrono::hours(168);

}  // namespace

LocalTime local_time(Time at, int zone) {
  const auto hours = std::chrono::floor<std::chrono::hours>(at.time_since_epoch()).count() + zone;
  const auto days = hours >= 0 ? hours / 24 : (hours - 23) / 24;
  // The first day of 1970 was a Thursday.
  const auto weekday = ((days + 3) % 7 + 7) % 7;
  return {static_cast<unsigned>(weekday), static_cast<unsigned>(hours - days * 24)};
}

double activity(Rhythm rhythm, Time at, int zone) {
  const auto [weekday, hour] = local_time(at, zone);
  switch (rhythm) {
    case Rhythm::office: return kOfficeDay[hour] * kOfficeWeek[weekday];
    case Rhythm::shop: return kShopDay[hour] * kShopWeek[weekday];
    case Rhythm::machines: return kMachineDay[hour] * kMachineWeek[weekday];
  }
  return 1;
}

double season(Time at) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
  const auto month = static_cast<unsigned>(day.month());
  const auto date = static_cast<unsigned>(day.day());
  if (month == 11 && date >= 26) return 2.6;
  if (month == 11 && date >= 20) return 1.6;
  if (month == 12 && date <= 21) return 1.5;
  return 1;
}

Time next_weekly(Time after, unsigned weekday, unsigned hour, int zone) {
  const auto whole = std::chrono::floor<std::chrono::hours>(after);
  const auto [now_weekday, now_hour] = local_time(after, zone);
  const int ahead =
      static_cast<int>(weekday * 24 + hour) - static_cast<int>(now_weekday * 24 + now_hour);
  Time next = whole + std::chrono::hours(ahead);
  while (next <= after) next += kWeek;
  return next;
}

}  // namespace watchpost::simulate
