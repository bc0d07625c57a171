#pragma once
#include "cli/command.h"

namespace watchpost::cli {

// The commands for the files of the quarantine and their keys, which need no daemon.
void add_quarantine_files(CLI::App& line, Session& session);

}  // namespace watchpost::cli
