#pragma once
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace watchpost::cli {

// Where the shell asks (`watchpost __complete WORDS...`): the words that may stand in the place of
// the last one. Nothing where the command line is an ordinary one.
std::optional<std::vector<std::string>> completion_asked(const CLI::App& line, int argc,
                                                         const char* const* argv);

}  // namespace watchpost::cli
