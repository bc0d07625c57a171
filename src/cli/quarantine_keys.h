#pragma once
#include "cli/command.h"

namespace watchpost::cli {

// The commands for the keys of held mail, which need no daemon.
void add_quarantine_keys(CLI::App& line, Session& session);

}  // namespace watchpost::cli
