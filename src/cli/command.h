#pragma once
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/terminal.h"

#include <functional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace watchpost::cli {

inline constexpr const char* kUsualConfiguration = "/etc/watchpost/watchpost.toml";

// What all commands share: the options before the command's own, and where they speak.
struct Session {
  std::string config = kUsualConfiguration;
  std::string output = "table";  // table, json, csv
  bool takes_csv = false;        // the command that was chosen does
  DaemonAddress daemon;
  Terminal terminal;
  const Program* program = nullptr;
  // The command that the command line chose; gives the exit code.
  std::function<int()> action;

  bool json() const { return output == "json"; }
  bool csv() const { return output == "csv"; }
};

// One command, or a group of them. `add` puts its options and its action into the command line.
struct Command {
  std::string_view name;
  std::string_view summary;
  void (*add)(CLI::App& line, Session& session);
};

// One for each file of this folder that holds commands; the table of all is in cli.cc.
extern const Command kServe, kStatus, kSources, kEvents, kStreams, kIncidents, kIncident,
    kDecisions, kDecision, kSuspend, kThrottle, kHold, kRelease, kExplain, kConfig, kReplay,
    kAutomation, kAudit, kNotices, kReload, kCompletion, kReference, kBacktest, kShadow, kSimulate,
    kLog, kSuppressions, kFeedback, kMessage, kClassify, kUnknownReplies, kCampaign, kToken, kCheck,
    kSpf, kDmarc, kDkim, kDoctor, kMilter, kVerdict, kReputation, kQuarantine;

}  // namespace watchpost::cli
