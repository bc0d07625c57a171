#pragma once
#include <functional>
#include <string>

namespace watchpost::cli {

inline constexpr const char* kVersion = WATCHPOST_VERSION;

// Exit codes of `watchpost`, the same for all commands.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,       // the question was answered, and the answer is bad: a faulty configuration
  kUsage = 2,        // the command line is wrong
  kUnavailable = 3,  // the daemon does not answer
  kRefused = 4,      // the daemon said no, or there is no such thing
};

// What the program can do that the command line itself cannot: given by app/.
struct Program {
  // Runs the daemon until it is told to stop; gives the exit code.
  std::function<int(const std::string& config_path)> serve;
};

// Reads the command line and carries it out.
int run(int argc, char** argv, const Program& program);

}  // namespace watchpost::cli
