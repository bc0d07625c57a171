#pragma once
#include <string>

namespace watchpost::app {

// Runs the daemon until SIGTERM or SIGINT; SIGHUP reloads. A second SIGINT ends it at once: what
// was acknowledged is on disk all the same. Gives the exit code.
int serve(const std::string& config_path);

}  // namespace watchpost::app
