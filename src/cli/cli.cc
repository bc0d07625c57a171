#include "cli/cli.h"

#include "cli/command.h"
#include "cli/completion.h"
#include "config/configuration.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <CLI/CLI.hpp>

namespace watchpost::cli {
namespace {

// All commands, in the order in which `watchpost --help` shows them.
constexpr std::array kCommands{&kServe,      &kStatus,    &kSources,  &kEvents,    &kStreams,
                               &kExplain,    &kIncidents, &kIncident, &kDecisions, &kDecision,
                               &kSuspend,    &kHold,      &kThrottle, &kRelease,   &kAutomation,
                               &kNotices,    &kAudit,     &kReplay,   &kConfig,    &kReload,
                               &kCompletion, &kReference};

void add_shared_options(CLI::App& line, Session& session) {
  line.add_option("-c,--config", session.config, "Configuration file")
      ->envname("WATCHPOST_CONFIG")
      ->capture_default_str();
  line.add_option("--socket", session.daemon.socket,
                  "UNIX socket of the daemon (default: as the configuration says)")
      ->envname("WATCHPOST_SOCKET");
  line.add_option("--url", session.daemon.url, "Reach the daemon over TCP: http://host:port")
      ->envname("WATCHPOST_URL");
  line.add_option("--token-file", session.daemon.token_file, "File with the token for --url")
      ->envname("WATCHPOST_TOKEN_FILE");
  line.add_option("-o,--output", session.output, "table for people, json for programs")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

// Options of the whole program may stand anywhere on the line.
void build(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  line.fallthrough();
  line.set_help_all_flag("--help-all", "Show the help of all commands");
  line.set_version_flag("--version", std::string(kVersion));
  add_shared_options(line, session);
  for (const Command* const command : kCommands) {
    CLI::App* const sub =
        line.add_subcommand(std::string(command->name), std::string(command->summary));
    sub->fallthrough();
    command->add(*sub, session);
  }
}

// Where nobody said which socket, the configuration does.
void find_daemon(const CLI::App& line, Session& session) {
  if (line.count("--socket") > 0 || !session.daemon.url.empty()) return;
  if (const auto configuration = config::load(session.config)) {
    session.daemon.socket = configuration->listen.socket;
  }
}

}  // namespace

int run(int argc, char** argv, const Program& program) {
  Session session;
  session.program = &program;
  CLI::App line(
      "Watches the mail an organisation sends, and acts within seconds when it turns hostile.",
      "watchpost");
  build(line, session);
  if (const auto candidates = completion_asked(line, argc, argv)) {
    for (const std::string& candidate : *candidates) std::puts(candidate.c_str());
    return kOk;
  }
  try {
    line.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = line.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  find_daemon(line, session);
  return session.action();
}

}  // namespace watchpost::cli
