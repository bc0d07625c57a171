#pragma once
#include "expr/program.h"

#include <span>
#include <string>
#include <string_view>

namespace watchpost::expr {

// A node as canonical text: single blanks, no needless parentheses. Reading it gives the same
// again.
std::string text_of(const Program& program, NodeIndex node);
// The same with the number of each count in place of its name.
std::string text_with(const Program& program, NodeIndex node, std::span<const double> counts);

// The evidence of a climb as text: "bounced / attempted climbs from 2% to 20%".
std::string climb_text(const CountTerm& climb, std::string_view verb);

// For people: whole numbers whole, others with four digits; "unknown" where it is not a number.
std::string number_text(double number);
std::string percent_text(double share);

}  // namespace watchpost::expr
