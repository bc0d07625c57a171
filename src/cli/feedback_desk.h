#pragma once
#include "cli/answer.h"
#include "cli/command.h"

namespace watchpost::cli {

// The parts of `watchpost feedback` that ask the daemon.
void add_feedback_status(CLI::App& line, Session& session);
void add_feedback_unread(CLI::App& line, Session& session);
// What an answer's `removed` says of kept mail; nothing where none went.
void print_removed_mail(const Terminal& terminal, const Object& answer);

}  // namespace watchpost::cli
