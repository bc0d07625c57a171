#pragma once
#include "cli/command.h"
#include "suppress/reply.h"

#include <string>

namespace watchpost::cli {

struct ImportListOptions {
  std::string file;  // "-": standard input
  std::string customer, reason;
  bool dry_run = false;
  bool again = false;  // also those that a person has removed
};
// Sends a list some whole records at a time. Gives the exit code.
int import_list(const Session& session, const ImportListOptions& options);

struct ExportListOptions {
  std::string customer, since;
  std::string format = "csv";  // postfix, json
  std::string reply{suppress::kUsualReply};
  bool everybody = false;  // only those for everybody
  bool all = false;        // also those that were lifted or have ended
};
// Writes them to standard output. Gives the exit code.
int export_list(const Session& session, const ExportListOptions& options);

}  // namespace watchpost::cli
