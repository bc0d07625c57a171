#pragma once
#include "cli/answer.h"
#include "cli/terminal.h"

#include <string>
#include <vector>

namespace watchpost::cli {

// One verdict of /v1/verdicts in words, line by line: what was decided and done, why, and all it
// rested on. What is missing or of another shape is left out. Every text from outside is escaped.
std::vector<std::string> verdict_lines(const Object& kept, const Terminal& terminal);

// The DNS answers it rests on, as the zone file that is kept with it; empty: there are none.
std::string zone_of(const Object& kept);

}  // namespace watchpost::cli
