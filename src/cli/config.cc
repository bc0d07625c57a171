#include "cli/answer.h"
#include "cli/command.h"
#include "config/configuration.h"
#include "config/warnings.h"

#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

boost::json::array json_of(const std::vector<Error>& errors) {
  boost::json::array out;
  for (const Error& error : errors) {
    out.push_back(boost::json::object{{"about", error.about}, {"what", error.what}});
  }
  return out;
}

int bad(const Session& session, const config::Faults& faults) {
  if (!session.json()) return fail_with(session, faults);
  session.terminal.json(boost::json::serialize(boost::json::object{
      {"ok", false}, {"faults", json_of(faults)}, {"warnings", boost::json::array()}}));
  return kFailed;
}

int check(const Session& session) {
  const auto configuration = config::load(session.config);
  if (!configuration) return bad(session, configuration.error());
  if (const config::Faults faults = config::check_files(*configuration); !faults.empty()) {
    return bad(session, faults);
  }
  const config::Warnings warnings = config::warnings_of(*configuration);
  if (session.json()) {
    session.terminal.json(boost::json::serialize(boost::json::object{
        {"ok", true}, {"faults", boost::json::array()}, {"warnings", json_of(warnings)}}));
  } else {
    for (const Error& one : warnings) session.terminal.complain("warning: " + one.text());
    session.terminal.line(
        fmt::format("{} is good: {} sources, {} detectors, {} enforcers, {} milters, {} notify "
                    "targets",
                    session.config, configuration->sources.size(), configuration->detectors.size(),
                    configuration->enforcers.size(), configuration->milters.size(),
                    configuration->notify.size()));
  }
  return kOk;
}

int show(const Session& session) {
  const auto configuration = config::load(session.config);
  if (!configuration) return bad(session, configuration.error());
  if (session.json()) {
    session.terminal.json(
        boost::json::serialize(boost::json::object{{"toml", configuration->shown}}));
  } else {
    session.terminal.line(configuration->shown);
  }
  return kOk;
}

void add_config(CLI::App& line, Session& session) {
  line.require_subcommand(1);
  line.add_subcommand("check", "Say what is wrong with the configuration, and where")
      ->fallthrough()
      ->callback([&session] { session.action = [&session] { return check(session); }; });
  line.add_subcommand("show", "Print all settings in force, defaults included, secrets hidden")
      ->fallthrough()
      ->callback([&session] { session.action = [&session] { return show(session); }; });
}

}  // namespace

constexpr Command kConfig{"config", "Check or show the configuration", add_config};

}  // namespace watchpost::cli
