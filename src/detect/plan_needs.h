#pragma once
#include "detect/plan.h"

#include <optional>
#include <vector>

namespace watchpost::detect {

// What must be so before a rule can hold, cheapest first; its terms are placed already.
std::vector<NeedPlace> needs_of(const Detector& detector, const Rule& rule);

// The first that is a threshold (Rule::threshold).
std::optional<NeedPlace> threshold_of(const std::vector<NeedPlace>& needs);

}  // namespace watchpost::detect
