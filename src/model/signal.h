#pragma once
#include "base/time.h"
#include "model/measure.h"
#include "model/stream.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace watchpost {

// A detector's condition became true for a stream, with the numbers that made it so.
struct Signal {
  Time at;  // of the event that made it true
  std::string detector;
  uint64_t detector_version = 0;  // hash of the detector's text
  Mode mode = Mode::shadow;
  Stream stream;
  Time since;            // start of the window it looked at
  double value = 0;      // what the condition's left side came to
  double threshold = 0;  // what it was held against
  // Of this stream in the window, the one of this event included: those that were accepted, or,
  // where none was (a source that tells only of results), tries: delivered, deferred and bounced.
  uint64_t messages = 0;
  std::string because;  // "bounced(class == unknown_user) / attempted = 18/60 = 30% exceeds 2%"
  std::vector<std::pair<std::string, double>> counts;  // each count of the condition and guard
  std::vector<Measure> then;
};

}  // namespace watchpost
