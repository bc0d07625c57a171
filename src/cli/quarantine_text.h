#pragma once
#include "cli/answer.h"
#include "cli/terminal.h"

#include <string>
#include <vector>

namespace watchpost::cli {

// Held mail for people. Every text from outside is escaped; what is missing is left out.
void print_held_list(const Session& session, const Object& answer);
// One message without its body, line by line.
std::vector<std::string> held_lines(const Object& held, const Terminal& terminal);
// Its body, as it is safe to look at: of the answer of .../view.
std::vector<std::string> view_lines(const Object& answer, const Terminal& terminal);
void print_exceptions(const Session& session, const Object& answer);
void print_usage(const Session& session, const Object& answer);

}  // namespace watchpost::cli
