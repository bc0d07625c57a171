#pragma once
#include "base/time.h"
#include "model/measure.h"
#include "model/stream.h"
#include "model/verdict.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace watchpost {

// How much of a stream's recent trouble one value of one dimension accounts for: "45 of 48 failures
// were at provider=gmail". Only the largest of each dimension.
struct Share {
  Field dimension = Field::provider;
  std::string value;
  uint64_t count = 0;
  uint64_t of = 0;
};
// "45 of 48 failures at provider=gmail"; on one line, the value escaped and cut.
std::string text_of(const Share& share);

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
  bool escalate = false;             // `then` is a ladder: by repetition and strength, one step
  Verdict suggests = Verdict::none;  // what the detector takes to be the cause
  std::vector<Share> shares;         // of the failures that the stream had lately
};

}  // namespace watchpost
