#pragma once
#include "cli/command.h"

namespace watchpost::cli {

// The parts of `watchpost feedback` that ask the daemon.
void add_feedback_status(CLI::App& line, Session& session);
void add_feedback_unread(CLI::App& line, Session& session);

}  // namespace watchpost::cli
