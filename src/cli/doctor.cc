#include "base/text.h"
#include "cli/command.h"
#include "cli/doctor_check.h"
#include "cli/doctor_milter.h"
#include "cli/doctor_postfix.h"
#include "cli/doctor_self.h"
#include "cli/identity_json.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {

std::string_view name_of(Health health) {
  switch (health) {
    case Health::good: return "good";
    case Health::warning: return "warning";
    case Health::fault: break;
  }
  return "fault";
}

namespace {

struct DoctorOptions {
  PostconfOptions postfix;
  bool no_postfix = false;
  std::string dns_name = "org";
  std::vector<std::string> milters;  // "inbound=127.0.0.1:8892"
};

Result<border::MilterSettings> milter_named(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view role = text.substr(0, equals);
  if (equals == std::string_view::npos || (role != "inbound" && role != "outbound")) {
    return fail(
        Code::bad_input,
        fmt::format("`{}` is neither inbound=ADDRESS nor outbound=ADDRESS", escaped(text, 64)),
        "--milter");
  }
  border::MilterSettings made;
  made.role = role;
  made.name = role;
  made.listen = {std::string(text.substr(equals + 1))};
  if (const auto fine = border::check(made); !fine) {
    return fail(Code::bad_input, fine.error().text(), "--milter");
  }
  return made;
}

void check_configuration(const Session& session,
                         const std::expected<config::Configuration, config::Faults>& loaded,
                         Checks& checks) {
  const std::string subject = "configuration " + session.config;
  config::Faults faults = loaded ? config::check_files(*loaded) : loaded.error();
  for (const Error& one : faults) checks.fault(subject, one.text(), "watchpost config check");
  if (faults.empty()) checks.good(subject, "loads");
}

void check_neighbour(const DoctorOptions& given, const std::vector<border::MilterSettings>& milters,
                     Checks& checks) {
  std::string owner = "postfix";
  if (!given.no_postfix) {
    const auto postfix = read_postfix(given.postfix);
    if (postfix) {
      check_postfix(*postfix, milters, checks);
      if (const auto named = postfix->value("mail_owner", nullptr); !named.empty()) owner = named;
    } else {
      checks.fault("postfix", postfix.error().text(),
                   "name its program with --postconf, or leave it out with --no-postfix");
    }
  }
  constexpr std::string_view kUnix = "unix:";
  for (const border::MilterSettings& milter : milters) {
    check_reachable(milter, checks);
    for (const std::string& listen : milter.listen) {
      if (given.no_postfix || milter.mode == "off" || !listen.starts_with(kUnix)) continue;
      check_socket_access(listen.substr(kUnix.size()), owner, checks);
    }
  }
}

Colour colour_of(Health health) {
  switch (health) {
    case Health::good: return Colour::green;
    case Health::warning: return Colour::yellow;
    case Health::fault: break;
  }
  return Colour::red;
}

void print(const Terminal& terminal, const Checks& checks) {
  constexpr size_t kIndent = 9;
  for (const Check& one : checks.all()) {
    terminal.line(fmt::format(
        "{} {}: {}",
        terminal.paint(fmt::format("{:<8}", name_of(one.health)), colour_of(one.health)),
        escaped(one.subject), escaped(one.finding)));
    if (!one.advice.empty()) {
      terminal.line(fmt::format("{:{}}{}", "", kIndent, escaped(one.advice)));
    }
  }
}

void print_json(const Terminal& terminal, const Checks& checks) {
  boost::json::array all;
  for (const Check& one : checks.all()) {
    all.emplace_back(Object{{"subject", utf8(one.subject)},
                            {"health", name_of(one.health)},
                            {"finding", utf8(one.finding)},
                            {"advice", utf8(one.advice)}});
  }
  terminal.json(boost::json::serialize(
      Object{{"worst", name_of(checks.worst())}, {"checks", std::move(all)}}));
}

int doctor(const Session& session, const DoctorOptions& given) {
  std::vector<border::MilterSettings> milters;
  for (const std::string& text : given.milters) {
    auto milter = milter_named(text);
    if (!milter) {
      session.terminal.complain(milter.error().text());
      return kUsage;
    }
    milters.push_back(std::move(*milter));
  }
  Checks checks;
  const auto loaded = config::load(session.config);
  check_configuration(session, loaded, checks);
  if (loaded) {
    milters.insert(milters.begin(), loaded->milters.begin(), loaded->milters.end());
    check_data_folder(loaded->store.path, checks);
    check_secrets(*loaded, checks);
  }
  check_clock(checks);
  check_resolver(loaded ? loaded->dns : dns::ResolverSettings{}, given.dns_name, checks);
  check_neighbour(given, milters, checks);
  if (session.json()) {
    print_json(session.terminal, checks);
  } else {
    print(session.terminal, checks);
  }
  return checks.worst() == Health::fault ? kFailed : kOk;
}

void add_doctor(CLI::App& line, Session& session) {
  const auto options = std::make_shared<DoctorOptions>();
  line.add_option("--postconf", options->postfix.program, "Postfix's program of that name")
      ->capture_default_str();
  line.add_option("--postfix-config", options->postfix.folder,
                  "Folder with its main.cf and master.cf (default: as it is built)");
  line.add_flag("--no-postfix", options->no_postfix, "Leave Postfix out");
  line.add_option("--milter", options->milters,
                  "Role and address of a milter to look at, besides those of the configuration: "
                  "outbound=127.0.0.1:8893; may be given again");
  line.add_option("--dns-name", options->dns_name, "Domain whose name servers DNS is asked for")
      ->capture_default_str();
  line.footer("Nothing is changed. Exit code 1 where there is a fault.");
  line.callback([&session, options] {
    session.action = [&session, options] { return doctor(session, *options); };
  });
}

}  // namespace

constexpr Command kDoctor{"doctor", "Look at Watchpost and its neighbours, with advice",
                          add_doctor};

}  // namespace watchpost::cli
