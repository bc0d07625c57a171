#pragma once
#include "model/mail_verdict.h"
#include "model/measure.h"

#include <string_view>

namespace watchpost::border {

// What both gates make of settings and of decisions. Pure.

// A disposition of the settings; `otherwise` where it is none.
Disposition disposition_of(std::string_view setting, Disposition otherwise);
// What a measure in force wants of a message that it holds for.
Disposition disposition_of(const Measure& measure);

// Ends the reply by which one of our rules refuses: by it the log's reader knows that it was our
// doing.
inline constexpr std::string_view kMark = "(watchpost border)";

}  // namespace watchpost::border
