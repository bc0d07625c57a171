#pragma once
#include "base/time.h"

#include <cstdint>

namespace watchpost::simulate {

// Whose day it is.
enum class Rhythm : uint8_t {
  office,    // people at work: weekdays from eight to six, a dip at noon, hardly anything at night
  shop,      // buyers: late morning and evening, weekends too
  machines,  // day and night, a little more by day
};

// How busy the hour is in which `at` lies, as a multiple of the mean of the week. `zone` is in
// hours east of Greenwich.
double activity(Rhythm rhythm, Time at, int zone);
// How much more of everything a shop sends on this day: sales in late November, weeks before
// Christmas.
double season(Time at);

struct LocalTime {
  unsigned weekday;  // 0 is Monday
  unsigned hour;
};
LocalTime local_time(Time at, int zone);
// The next time after `after` that it is this hour on this weekday there.
Time next_weekly(Time after, unsigned weekday, unsigned hour, int zone);

}  // namespace watchpost::simulate
