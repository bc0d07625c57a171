#include "feedback/formats/syslog_stamp.h"

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

// This machine's zone, for one test.
class Zone {
 public:
  explicit Zone(const char* zone) {
    if (const char* const now = std::getenv("TZ")) before_ = now;
    setenv("TZ", zone, 1);
    tzset();
  }
  ~Zone() {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
  }

 private:
  std::optional<std::string> before_;
};
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::string taken(SyslogStamps& stamps, std::string_view text) {
  const auto at = stamps.take(text);
  if (!at) return "none";
  EXPECT_EQ(text, "rest");
  return format_time(*at);
}

TEST(SyslogStamps, StampsWithoutAZoneAreInThatOfTheMachine) {
  const Zone zone(kBerlin);
  SyslogStamps stamps(parse_time("2026-11-24T12:00:00Z").value(), std::nullopt);
  EXPECT_EQ(taken(stamps, "Nov 24 03:00:01 rest"), "2026-11-24T02:00:01Z");
  EXPECT_EQ(taken(stamps, "Jul  4 03:00:01 rest"), "2026-07-04T01:00:01Z");
  EXPECT_EQ(taken(stamps, "2026-11-24T03:00:01Z rest"), "2026-11-24T03:00:01Z");
}

TEST(SyslogStamps, TheHourThatComesTwiceDoesNotGoBack) {
  const Zone zone(kBerlin);  // clocks go back on 25 October 2026 at 01:00 UTC
  SyslogStamps stamps(parse_time("2026-11-24T12:00:00Z").value(), std::nullopt);
  EXPECT_EQ(taken(stamps, "Oct 25 02:30:00 rest"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(taken(stamps, "Oct 25 02:59:59 rest"), "2026-10-25T00:59:59Z");
  EXPECT_EQ(taken(stamps, "Oct 25 02:00:00 rest"), "2026-10-25T01:00:00Z");
  EXPECT_EQ(taken(stamps, "Oct 25 02:30:00 rest"), "2026-10-25T01:30:00Z");
  EXPECT_EQ(taken(stamps, "Oct 25 03:00:00 rest"), "2026-10-25T02:00:00Z");
}

TEST(SyslogStamps, TheHourThatIsLeftOutIsStillATime) {
  const Zone zone(kBerlin);
  SyslogStamps stamps(parse_time("2026-11-24T12:00:00Z").value(), std::nullopt);
  EXPECT_EQ(taken(stamps, "Mar 29 01:59:59 rest"), "2026-03-29T00:59:59Z");
  EXPECT_EQ(taken(stamps, "Mar 29 02:30:00 rest"), "2026-03-29T01:30:00Z");
  EXPECT_EQ(taken(stamps, "Mar 29 03:00:00 rest"), "2026-03-29T01:00:00Z");
}

TEST(SyslogStamps, FarZonesAndThoseOfTheSouth) {
  const Time reference = parse_time("2026-11-24T12:00:00Z").value();
  {
    const Zone zone("NZST-12NZDT,M9.5.0,M4.1.0/3");
    SyslogStamps stamps(reference, std::nullopt);
    EXPECT_EQ(taken(stamps, "Apr  5 02:30:00 rest"), "2026-04-04T13:30:00Z");
    EXPECT_EQ(taken(stamps, "Apr  5 02:30:00 rest"), "2026-04-04T13:30:00Z");
    EXPECT_EQ(taken(stamps, "Apr  5 03:00:00 rest"), "2026-04-04T15:00:00Z");
    EXPECT_EQ(taken(stamps, "Nov 24 03:00:01 rest"), "2026-11-23T14:00:01Z");
  }
  const Zone zone("HST10");
  SyslogStamps stamps(reference, std::nullopt);
  EXPECT_EQ(taken(stamps, "Nov 23 20:00:00 rest"), "2026-11-24T06:00:00Z");
}

TEST(SyslogStamps, NewYearIsThatOfTheZone) {
  const Zone zone(kBerlin);
  SyslogStamps stamps(parse_time("2026-12-31T23:30:00Z").value(), std::nullopt);
  EXPECT_EQ(taken(stamps, "Dec 31 23:59:59 rest"), "2026-12-31T22:59:59Z");
  EXPECT_EQ(taken(stamps, "Jan  1 00:00:01 rest"), "2026-12-31T23:00:01Z");
}

TEST(SyslogStamps, KeepsTheMinuteApartFromTheSeconds) {
  SyslogStamps stamps(parse_time("2026-11-24T12:00:00Z").value(), std::chrono::minutes(0));
  EXPECT_EQ(taken(stamps, "Nov 24 03:00:01 rest"), "2026-11-24T03:00:01Z");
  EXPECT_EQ(taken(stamps, "Nov 24 03:00:59 rest"), "2026-11-24T03:00:59Z");
  EXPECT_EQ(taken(stamps, "Nov 24 03:01:00 rest"), "2026-11-24T03:01:00Z");
  EXPECT_EQ(taken(stamps, "2026-11-24T03:01:07.5+01:00 rest"), "2026-11-24T02:01:07.500000Z");
  EXPECT_EQ(taken(stamps, "2026-11-24T03:01:08.25+02:00 rest"), "2026-11-24T01:01:08.250000Z");
  EXPECT_EQ(taken(stamps, "Nov 24 03:01:01 rest"), "2026-11-24T03:01:01Z");
}

TEST(SyslogStamps, LeavesTheTextWhereThereIsNoStamp) {
  SyslogStamps stamps(parse_time("2026-11-24T12:00:00Z").value(), std::chrono::minutes(0));
  for (const std::string_view text :
       {"", "N", "Nov 24 03:00:0", "Nov 24 03:00:011 x", "Nov 24 03-00:01 rest",
        "Nov  x 03:00:01 rest", "Nov 00 03:00:01 rest", "2026-11-24T03:00:01+1 rest",
        "2026-13-24T03:00:01Z rest", "2026-11-24T03:00:01.Z rest", "2026-11-24T03:00:01Zrest",
        "2026-11-24T03:00:01.1234567890Z rest", "2026-11-24T03:00:01+24:00 rest"}) {
    std::string_view rest = text;
    EXPECT_FALSE(stamps.take(rest)) << text;
    EXPECT_EQ(rest, text);
  }
}

}  // namespace
}  // namespace watchpost::feedback
