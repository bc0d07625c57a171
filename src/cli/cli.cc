#include "cli/cli.h"

#include "base/text.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "config/configuration.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

// All commands, in the order in which `watchpost --help` shows them.
constexpr std::array kCommands{
    &kServe,      &kStatus,     &kSources,  &kEvents,   &kStreams,  &kExplain,        &kIncidents,
    &kIncident,   &kDecisions,  &kDecision, &kSuspend,  &kHold,     &kSuppressions,   &kThrottle,
    &kRelease,    &kAutomation, &kNotices,  &kAudit,    &kReplay,   &kBacktest,       &kShadow,
    &kSimulate,   &kMessage,    &kLog,      &kFeedback, &kClassify, &kUnknownReplies, &kCampaign,
    &kToken,      &kCheck,      &kSpf,      &kDmarc,    &kDkim,     &kMilter,         &kVerdict,
    &kReputation, &kQuarantine, &kConfig,   &kDoctor,   &kReload,   &kCompletion,     &kReference};

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
  line.add_option("-o,--output", session.output,
                  "table for people, json for programs; csv where the command says so")
      ->check(CLI::IsMember({"table", "json", "csv"}))
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

// Where nobody said which socket, the configuration does. Gives what to say where that failed and
// the daemon is then not found: a broken file must not look like a dead daemon.
std::string find_daemon(const CLI::App& line, Session& session) {
  if (line.count("--socket") > 0 || !session.daemon.url.empty()) return "";
  const auto configuration = config::load(session.config);
  if (!configuration) {
    return fmt::format(
        "the configuration does not say where the socket is ({}), so the default was tried; "
        "`--socket PATH` names another",
        configuration.error().front().text());
  }
  session.daemon.socket = configuration->listen.socket;
  return "";
}

const auto kEvery = [](const CLI::App*) { return true; };

// The command that was reached before the command line went wrong, and its whole name.
std::pair<const CLI::App*, std::string> reached(const CLI::App& line) {
  const CLI::App* at = &line;
  std::string path = line.get_name();
  for (auto below = at->get_subcommands(); !below.empty(); below = at->get_subcommands()) {
    at = below.front();
    path += " " + at->get_name();
  }
  return {at, path};
}

std::string words_of(const CLI::App& line, const CLI::ParseError& error) {
  const auto [at, path] = reached(line);
  const std::vector<const CLI::App*> below = at->get_subcommands(kEvery);
  if (below.empty() || error.get_name() != "RequiredError") return error.what();
  std::vector<std::string_view> names;
  for (const CLI::App* const sub : below) names.emplace_back(sub->get_name());
  const std::vector<std::string> rest = line.remaining(true);
  if (rest.empty() && at == &line) return "a command is missing, for example `watchpost status`";
  if (rest.empty()) return fmt::format("`{}` needs one of: {}", path, fmt::join(names, ", "));
  std::string meant = suggestion(rest.front(), names);
  if (meant.empty() && at != &line) meant = fmt::format("; it has {}", fmt::join(names, ", "));
  return fmt::format("there is no `{} {}`{}", path, rest.front(), meant);
}

int complain(const CLI::App& line, const Session& session, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return line.exit(error);
  session.terminal.complain(words_of(line, error));
  session.terminal.complain(fmt::format("`{} --help` says more", reached(line).second));
  return kUsage;
}

}  // namespace

int run(int argc, char** argv, const Program& program) {
  Session session;
  session.program = &program;
  CLI::App line(
      "Watches the mail an organisation sends and receives, and acts within seconds when it turns "
      "hostile",
      "watchpost");
  build(line, session);
  if (const auto candidates = completion_asked(line, argc, argv)) {
    for (const std::string& candidate : *candidates) std::puts(candidate.c_str());
    return kOk;
  }
  try {
    line.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return complain(line, session, error);
  }
  if (session.csv() && !session.takes_csv) {
    session.terminal.complain("this command has no CSV: it takes -o table and -o json");
    return kUsage;
  }
  const std::string no_socket = find_daemon(line, session);
  const int code = session.action();
  if (code == kUnavailable && !no_socket.empty()) session.terminal.complain(no_socket);
  // A full disk behind `>` is no success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    session.terminal.complain("standard output could not be written");
    return kFailed;
  }
  return code;
}

}  // namespace watchpost::cli
