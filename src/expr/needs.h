#pragma once
#include "expr/expression.h"
#include "expr/program.h"

#include <vector>

namespace watchpost::expr {

// See CountCondition::needs().
std::vector<Need> needs_of(const Program& program, double error_rate);

}  // namespace watchpost::expr
