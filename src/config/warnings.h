#pragma once
#include "base/result.h"
#include "config/configuration.h"

#include <vector>

namespace watchpost::config {

// What is allowed and yet does not do what it says; `about` names the table.
using Warnings = std::vector<Error>;

// Measures that are enforced and that nobody who is configured could carry out, whatever they are
// decided for; mail that nobody would keep or release; feedback that nobody would believe or act
// on; folders that are not there. Opens nothing; looks whether files are there.
Warnings warnings_of(const Configuration& configuration, Time now = SystemClock().now());

}  // namespace watchpost::config
