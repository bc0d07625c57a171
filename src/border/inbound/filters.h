#pragma once
#include "border/inbound/facts.h"
#include "border/inbound/reason.h"
#include "border/settings.h"

#include <cstddef>
#include <span>
#include <vector>

namespace watchpost::border {

inline constexpr size_t kMostApart = 100;  // recipients

// The filter rules that are true for a message: those that enforce are in force, those of the other
// modes say what they would have done. What has ended or is off is not asked. One that asks for the
// recipient is asked for each alone, and says for whom it is true; past kMostApart of them for all
// in one text, as it is for one whose recipients were too many to remember. Pure.
std::vector<Reason> filter_reasons(const Facts& facts, std::span<const Filter> filters, Time now);

// The mode that a filter's reason was made in: "enforce", "notify", "shadow".
std::string_view filter_mode_of(const Reason& reason);

}  // namespace watchpost::border
