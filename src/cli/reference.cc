#include "cli/command.h"
#include "config/configuration.h"
#include "feedback/class_mapping.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr auto kAll = [](const CLI::App*) { return true; };

void describe(std::string& out, const CLI::App& line, const std::string& path) {
  fmt::format_to(std::back_inserter(out), "\n## `{}`\n\n{}.\n", path, line.get_description());
  std::string rows;
  for (const CLI::Option* const option : line.get_options()) {
    if (option->get_name() == "--help" || option->get_name() == "--help-all") continue;
    const std::string name =
        option->get_positional() ? option->get_name(true) : option->get_name(false, true);
    fmt::format_to(std::back_inserter(rows), "| `{}` | {} |\n", name, option->get_description());
  }
  if (!rows.empty()) out += "\n| argument | what it is |\n|---|---|\n" + rows;
  if (!line.get_footer().empty())
    fmt::format_to(std::back_inserter(out), "\n{}\n", line.get_footer());
  for (const CLI::App* const sub : line.get_subcommands(kAll)) {
    describe(out, *sub, path + " " + sub->get_name());
  }
}

// The whole command line, from its own description.
std::string commands(const CLI::App& root) {
  std::string out =
      "# Commands\n\n"
      "Made by `watchpost reference commands`; do not edit.\n\n"
      "Exit codes: 0 done, 1 the answer is bad news (a faulty configuration), 2 the command line "
      "is\n"
      "wrong, 3 the daemon does not answer, 4 it refused or there is no such thing.\n";
  describe(out, root, "watchpost");
  return out;
}

void add_reference(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  line.add_subcommand("configuration", "Print docs/reference/configuration.md")
      ->callback([&session] {
        session.action = [&session] {
          session.terminal.line(config::reference());
          return kOk;
        };
      });
  line.add_subcommand("classes", "Print docs/reference/class-mapping.md")->callback([&session] {
    session.action = [&session] {
      session.terminal.line(feedback::class_mapping_reference());
      return kOk;
    };
  });
  const CLI::App* const root = line.get_parent();
  line.add_subcommand("commands", "Print docs/reference/commands.md")->callback([&session, root] {
    session.action = [&session, root] {
      session.terminal.line(commands(*root));
      return kOk;
    };
  });
}

}  // namespace

constexpr Command kReference{"reference", "Print the reference pages", add_reference};

}  // namespace watchpost::cli
