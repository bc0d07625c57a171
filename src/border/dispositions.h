#pragma once
#include "model/mail_verdict.h"
#include "model/measure.h"

#include <cstdint>
#include <string_view>

namespace watchpost::border {

// What both gates make of settings and of decisions. Pure.

// A disposition of the settings; `otherwise` where it is none.
Disposition disposition_of(std::string_view setting, Disposition otherwise);
// What a measure in force wants of a message that it holds for.
Disposition disposition_of(const Measure& measure);

// Whether a message can be kept here.
enum class Keeping : uint8_t {
  never,    // there is no quarantine
  not_now,  // there is one, and it does not take this message
  taken,
};

// What is done of what was decided.
struct CarryingOut {
  Mode mode = Mode::enforce;
  // [border] quarantine: in place of one that there is not.
  Disposition in_place_of_quarantine = Disposition::tempfail;
  // Of the same: false: what should be kept waits at its sender instead.
  bool storing = true;
  Keeping keeping = Keeping::never;
};
Disposition carried_out(Disposition decided, const CarryingOut& how);

// Ends the reply by which one of our rules refuses: by it the log's reader knows that it was our
// doing.
inline constexpr std::string_view kMark = "(watchpost border)";

}  // namespace watchpost::border
