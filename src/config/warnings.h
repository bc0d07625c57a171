#pragma once
#include "base/result.h"
#include "config/configuration.h"

#include <vector>

namespace watchpost::config {

// What is allowed and yet does not do what it says; `about` names the table.
using Warnings = std::vector<Error>;

// Measures that are enforced and that nobody who is configured could carry out, whatever they are
// decided for. Opens nothing.
Warnings warnings_of(const Configuration& configuration);

}  // namespace watchpost::config
