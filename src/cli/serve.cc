#include "cli/command.h"

#include <CLI/CLI.hpp>

namespace watchpost::cli {
namespace {

void add_serve(CLI::App& line, Session& session) {
  line.footer("Stops on SIGTERM or Ctrl-C; reads the configuration again on SIGHUP.");
  line.callback([&session] {
    session.action = [&session] { return session.program->serve(session.config); };
  });
}

}  // namespace

constexpr Command kServe{"serve", "Run the daemon", add_serve};

}  // namespace watchpost::cli
