#pragma once
#include "detect/plan.h"

#include <vector>

namespace watchpost::detect {

// What must be so before a rule can hold, cheapest first; its terms are placed already.
std::vector<NeedPlace> needs_of(const Detector& detector, const Rule& rule);

}  // namespace watchpost::detect
