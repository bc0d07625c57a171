#pragma once
#include "base/result.h"
#include "cli/cli.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watchpost::cli {

// Where the daemon is: a UNIX socket, or http://host:port with a token.
struct DaemonAddress {
  std::string socket = "/run/watchpost/api.sock";
  std::string url;         // where not empty, used instead of the socket
  std::string token_file;  // whose first line is the token for `url`
};

using Query = std::vector<std::pair<std::string, std::string>>;

// The path with these as its query; empty values are left out.
std::string target_of(std::string_view path, const Query& query);

// Asks the daemon; gives the body of its answer, JSON. What the daemon refuses comes back as the
// error it gave.
Result<std::string> get(const DaemonAddress& daemon, std::string_view path,
                        const Query& query = {});
Result<std::string> post(const DaemonAddress& daemon, std::string_view path, std::string body);

ExitCode exit_code_of(const Error& error);

}  // namespace watchpost::cli
