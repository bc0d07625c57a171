#pragma once
#include "cli/command.h"

namespace watchpost::cli {

// `watchpost check domain`.
void add_domain_check(CLI::App& line, Session& session);

}  // namespace watchpost::cli
