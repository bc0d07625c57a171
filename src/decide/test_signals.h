#pragma once
#include "model/signal.h"

#include <string_view>

// What the tests of the decider share.
namespace watchpost::decide {

inline const Time kStart = parse_time("2026-11-24T02:00:00Z").value();

inline Signal signal_on(std::string_view stream, Time at, std::string_view measure = "suspend 1h") {
  Signal signal;
  signal.at = at;
  signal.since = at - std::chrono::minutes(10);
  signal.detector = "unknown users";
  signal.mode = Mode::enforce;
  signal.stream = parse_stream(stream).value();
  signal.messages = 60;
  signal.because = "18/60 = 30% exceeds 2%";
  signal.then.push_back(parse_measure(measure).value());
  signal.then.push_back(parse_measure("notify desk").value());
  return signal;
}

}  // namespace watchpost::decide
