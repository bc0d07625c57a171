#pragma once
#include "cli/command.h"

#include <boost/json/array.hpp>

namespace watchpost::cli {

// A table of decisions: what is in force, on whom, until when, and what the enforcers say.
void print_decisions(const Session& session, const boost::json::array& decisions);
// The same of decisions that were just changed: asks again for each what the enforcers say, which
// the answer to the change does not hold.
void print_changed(const Session& session, const boost::json::array& decisions);

}  // namespace watchpost::cli
