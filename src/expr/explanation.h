#pragma once
#include "expr/program.h"

#include <span>
#include <string>
#include <vector>

namespace watchpost::expr {

// See RowCondition::explain and CountCondition::explain.
std::vector<std::string> explanation(const Program& program, const Row& row);
std::vector<std::string> explanation(const Program& program, std::span<const double> counts,
                                     double error_rate);

}  // namespace watchpost::expr
