#pragma once
#include "decide/past.h"
#include "model/measure.h"
#include "model/signal.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace watchpost::decide {

// How a detector's `then` is read.
struct LadderRules {
  double repeat_factor = 2;
  Duration longest = std::chrono::hours(24 * 7);
};

// What a signal asks for, before anything stands against it.
struct Wanted {
  std::optional<Measure> measure;
  bool warning = false;  // the ladder's step is to tell people
  std::string note;      // why this step, or why no measure; may be empty
};

// The evidence is strong: the value is three times what it was held against, or more.
bool is_strong(const Signal& signal);

// Of a ladder one step: as many were taken before, and one further where the evidence is strong;
// past the end the last one stays. A `notify` that stands before all measures is a step of its own,
// a warning. Without a ladder the strictest of all, and the longest of equally strict ones.
//   Spans: twice as long (`repeat_factor`) for each earlier measure that was at least as strict, up
//          to `longest`, and never shorter than the detector says.
//   Of all senders' mail (a receiver's, or of one address of ours), and where a receiver is at
//   fault, nothing is stopped: throttles are the only measures there.
Wanted wanted_of(const Signal& signal, std::span<const PastMeasure> earlier,
                 const LadderRules& rules);

}  // namespace watchpost::decide
