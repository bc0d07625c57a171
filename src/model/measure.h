#pragma once
#include "base/result.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost {

// Of detectors and filter rules alike.
enum class Mode : uint8_t { off, shadow, notify, enforce };
std::string_view name_of(Mode mode);
Result<Mode> mode_from(std::string_view name);

// Weakest first: of two measures on one scope the later in this list is the stricter.
enum class MeasureKind : uint8_t {
  notify,    // tell somebody
  throttle,  // let through so many an hour, or a share of all
  hold,      // refuse for now: the sender keeps the mail and tries again
  suspend,   // refuse
  block,     // refuse, by an investigator's choice rather than a detector's
};
std::string_view name_of(MeasureKind kind);
Result<MeasureKind> measure_kind_from(std::string_view name);

// What to do, as written in `then`: "suspend 1h", "throttle 100/1h for 2h", "throttle 1% for 15m",
// "notify abuse-desk".
struct Measure {
  MeasureKind kind = MeasureKind::notify;
  Duration span{0};      // how long; zero for notify
  uint32_t allowed = 0;  // throttle: so many messages ...
  Duration per{0};       // ... in this time
  double share = 0;      // throttle: or this share of all messages, from 0 to 1; 0: by the rate
  std::string target;    // notify: the name of the [[notify]] to use

  std::string text() const;
  bool operator==(const Measure&) const = default;
};
Result<Measure> parse_measure(std::string_view text);

}  // namespace watchpost
