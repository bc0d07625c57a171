#pragma once
#include "base/time.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// The stamps of syslog lines -> UTC: "Nov 24 03:00:01" (RFC 3164 4.1.2), whose year and zone have
// to be found, and RFC 3339.
//   Use:     one for each log; it keeps the last minute it worked out.
//   Threads: none inside.
class SyslogStamps {
 public:
  // `reference`: the latest time that a line can have. `utc_offset`: of stamps without a zone;
  // without it they are in the zone of this machine.
  SyslogStamps(Time reference, std::optional<std::chrono::minutes> utc_offset)
      : reference_(reference), utc_offset_(utc_offset) {}

  // Takes the stamp and the blank behind it off the front. Nothing where there is none; then `text`
  // is as before.
  std::optional<Time> take(std::string_view& text);

  void set_reference(Time now);
  Time reference() const { return reference_; }
  // The last time taken: tells the two passes through the hour when clocks are set back.
  Time last() const { return last_; }
  void set_last(Time last) { last_ = last; }

 private:
  struct Minute;
  std::optional<Time> take_traditional(std::string_view& text);
  std::optional<Time> take_rfc3339(std::string_view& text);
  std::optional<Time> with_year(const Minute& minute) const;
  std::optional<Time> to_utc(int year, const Minute& minute) const;
  void remember(std::string_view prefix, Time minute);

  Time reference_;
  std::optional<std::chrono::minutes> utc_offset_;
  Time last_{};
  std::string minute_text_;  // a stamp up to its seconds: "Nov 24 03:00:"
  Time minute_{};            // and the time it stands for (RFC 3339: as if it were UTC)
};

}  // namespace watchpost::feedback
