#include "cli/daemon.h"

#include "config/configuration.h"
#include "net/http_client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace watchpost::cli {
namespace {

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Code code_named(std::string_view name) {
  constexpr std::array kCodes{Code::bad_input, Code::not_found, Code::unavailable, Code::timed_out,
                              Code::refused,   Code::exhausted, Code::corrupt,     Code::internal};
  for (const Code code : kCodes) {
    if (name_of(code) == name) return code;
  }
  return Code::internal;
}

// {"error": {"code": ..., "what": ..., "about": ...}}
std::unexpected<Error> error_from(const net::IncomingResponse& response) {
  boost::system::error_code bad;
  const boost::json::value body = boost::json::parse(response.body, bad);
  const auto text = [&](const char* key) -> std::string {
    const auto* const object = bad ? nullptr : body.if_object();
    const auto* const error = object ? object->if_contains("error") : nullptr;
    const auto* const value =
        error && error->is_object() ? error->as_object().if_contains(key) : nullptr;
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  if (text("what").empty()) {
    return fail(Code::unavailable,
                fmt::format("the daemon answered with status {}", response.status));
  }
  return fail(code_named(text("code")), text("what"), text("about"));
}

// Why nobody answers: of a UNIX socket the system knows better than an HTTP client.
std::string reason(const DaemonAddress& daemon, const Error& error) {
  if (!daemon.url.empty()) {
    return error.what + "; is `watchpost serve` running, and listening there?";
  }
  struct stat found{};
  if (stat(daemon.socket.c_str(), &found) != 0) {
    return errno == ENOENT ? "there is no such socket; is `watchpost serve` running?"
                           : std::strerror(errno);
  }
  if (access(daemon.socket.c_str(), W_OK) != 0) {
    return "you may not use this socket; root and the daemon's own user may";
  }
  if (error.code == Code::timed_out) return error.what;
  return "the socket is there and nobody listens; is `watchpost serve` running?";
}

Result<std::string> ask(const DaemonAddress& daemon, net::OutgoingRequest request) {
  request.allow_private = true;  // the administrator's own daemon
  request.deadline = std::chrono::seconds(60);
  request.most_bytes = 256 * 1024 * 1024;
  if (daemon.url.empty()) {
    request.unix_socket = daemon.socket;
    request.url = "http://watchpost" + request.url;
  } else {
    request.url = daemon.url + request.url;
    const auto token = config::secret_of("", daemon.token_file);
    if (!token) return fail(token.error());
    if (!token->empty()) request.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  const auto response = net::fetch(request);
  if (!response) {
    const std::string& where = daemon.url.empty() ? daemon.socket : daemon.url;
    return fail(Code::unavailable, fmt::format("the daemon does not answer at {}: {}", where,
                                               reason(daemon, response.error())));
  }
  if (response->status / 100 != 2) return error_from(*response);
  return response->body;
}

}  // namespace

std::string target_of(std::string_view path, const Query& query) {
  std::string target(path);
  char separator = path.contains('?') ? '&' : '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    target += separator + percent_encoded(name) + '=' + percent_encoded(value);
    separator = '&';
  }
  return target;
}

Result<std::string> get(const DaemonAddress& daemon, std::string_view path, const Query& query) {
  net::OutgoingRequest request;
  request.url = target_of(path, query);
  return ask(daemon, std::move(request));
}

Result<std::string> post(const DaemonAddress& daemon, std::string_view path, std::string body) {
  net::OutgoingRequest request;
  request.method = "POST";
  request.url = path;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  return ask(daemon, std::move(request));
}

ExitCode exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::bad_input: return kUsage;
    case Code::unavailable:
    case Code::timed_out: return kUnavailable;
    case Code::not_found:
    case Code::refused: return kRefused;
    case Code::exhausted:
    case Code::corrupt:
    case Code::internal: return kFailed;
  }
  return kFailed;
}

}  // namespace watchpost::cli
