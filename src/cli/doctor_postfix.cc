#include "cli/doctor_postfix.h"

#include "base/ascii.h"
#include "base/text.h"
#include "cli/doctor_process.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(20);

// Those that anything is said of.
constexpr std::array<std::string_view, 12> kParameters{
    "mail_version",           "mail_owner",
    "queue_directory",        "smtpd_milters",
    "milter_default_action",  "milter_protocol",
    "milter_connect_timeout", "milter_command_timeout",
    "milter_content_timeout", "smtpd_forbid_bare_newline",
    "smtpd_milter_maps",      "non_smtpd_milters"};

std::vector<std::string> command_of(const PostconfOptions& options,
                                    std::initializer_list<std::string_view> arguments) {
  std::vector<std::string> command{options.program};
  if (!options.folder.empty()) command.insert(command.end(), {"-c", options.folder});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

// "smtp", "25", "127.0.0.1:smtp", "[::1]:25".
bool is_port(std::string_view name, std::initializer_list<std::string_view> ports) {
  const size_t colon = name.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? name : name.substr(colon + 1);
  return std::ranges::find(ports, port) != ports.end();
}

std::pair<std::string_view, std::string_view> at_equals(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {trim(text), {}};
  return {trim(text.substr(0, equals)), trim(text.substr(equals + 1))};
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_any(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

std::pair<std::string_view, std::string_view> host_and_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {"localhost", text};
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, text.substr(colon + 1)};
}

}  // namespace

bool PostfixService::for_strangers() const {
  if (command != "smtpd") return false;
  return (type == "inet" && is_port(name, {"smtp", "25"})) || (type == "pass" && name == "smtpd");
}

bool PostfixService::for_submission() const {
  return command == "smtpd" && type == "inet" &&
         is_port(name, {"submission", "submissions", "smtps", "587", "465"});
}

std::string_view PostfixSettings::value(std::string_view parameter,
                                        const PostfixService* service) const {
  const std::string name(parameter);
  if (service != nullptr) {
    const auto own = service->overrides.find(name);
    if (own != service->overrides.end()) return own->second;
  }
  const auto found = main.find(name);
  return found == main.end() ? std::string_view() : std::string_view(found->second);
}

std::map<std::string, std::string> read_parameters(std::string_view text) {
  std::map<std::string, std::string> read;
  for (const std::string_view line : split(text, '\n')) {
    const size_t equals = line.find(" =");
    if (equals == std::string_view::npos || equals == 0) continue;
    read[std::string(line.substr(0, equals))] = trim(line.substr(equals + 2));
  }
  return read;
}

std::vector<PostfixService> read_services(std::string_view text) {
  // service type private unpriv chroot wakeup maxproc command arguments
  constexpr size_t kChroot = 4, kCommand = 7;
  std::vector<PostfixService> services;
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> columns = words(line);
    if (columns.size() <= kCommand) continue;
    services.push_back({.name = std::string(columns[0]),
                        .type = std::string(columns[1]),
                        .chroot = columns[kChroot] == "y",
                        .command = std::string(columns[kCommand]),
                        .overrides = {}});
  }
  return services;
}

// "submission/inet/smtpd_milters = inet:localhost:8893"; names may have slashes themselves.
void read_overrides(std::string_view text, std::vector<PostfixService>& services) {
  for (const auto& [name, value] : read_parameters(text)) {
    for (PostfixService& service : services) {
      const std::string prefix = service.shown() + "/";
      if (name.starts_with(prefix)) service.overrides[name.substr(prefix.size())] = value;
    }
  }
}

Result<PostfixSettings> read_postfix(const PostconfOptions& options) {
  std::vector<std::string> command = command_of(options, {"-x"});
  command.insert(command.end(), kParameters.begin(), kParameters.end());
  const auto main = output_of(command, kPatience);
  if (!main) return fail(main.error());
  const auto services = output_of(command_of(options, {"-M"}), kPatience);
  if (!services) return fail(services.error());
  const auto overrides = output_of(command_of(options, {"-x", "-P"}), kPatience);
  if (!overrides) return fail(overrides.error());
  PostfixSettings read{.main = read_parameters(*main), .services = read_services(*services)};
  read_overrides(*overrides, read.services);
  if (read.value("mail_version", nullptr).empty()) {
    return fail(Code::bad_input, "does not say which Postfix this is", options.program);
  }
  return read;
}

std::vector<MilterEntry> read_milters(std::string_view value) {
  std::vector<MilterEntry> entries;
  constexpr std::string_view kBetween = ", \t\r\n";
  while (!value.empty()) {
    value.remove_prefix(std::min(value.find_first_not_of(kBetween), value.size()));
    if (value.empty()) break;
    if (value.front() != '{') {
      const size_t end = std::min(value.find_first_of(kBetween), value.size());
      entries.push_back({.address = std::string(value.substr(0, end)), .overrides = {}});
      value.remove_prefix(end);
      continue;
    }
    const size_t end = std::min(value.find('}'), value.size());
    MilterEntry entry;
    for (const std::string_view part : split(value.substr(1, end - 1), ',')) {
      for (const std::string_view word : words(part)) {
        const auto [name, own] = at_equals(word);
        if (entry.address.empty()) {
          entry.address = name;
        } else if (!own.empty()) {
          entry.overrides[std::string(name)] = own;
        }
      }
    }
    if (!entry.address.empty()) entries.push_back(std::move(entry));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return entries;
}

std::optional<Duration> read_postfix_time(std::string_view text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(behind, end);
  const auto seconds = std::chrono::seconds(number);
  if (unit.empty() || unit == "s") return seconds;
  if (unit == "m") return seconds * 60;
  if (unit == "h") return seconds * 3'600;
  if (unit == "d") return seconds * 86'400;
  if (unit == "w") return seconds * 604'800;
  return std::nullopt;
}

bool is_same_place(std::string_view address, std::string_view listen, std::string_view folder,
                   bool chroot) {
  constexpr std::string_view kUnix = "unix:", kInet = "inet:";
  if (listen.starts_with(kUnix)) {
    if (!address.starts_with(kUnix) && !address.starts_with("local:")) return false;
    std::filesystem::path path(address.substr(address.find(':') + 1));
    if (chroot && path.is_absolute()) path = path.relative_path();
    if (path.is_relative()) path = std::filesystem::path(folder) / path;
    return path.lexically_normal() ==
           std::filesystem::path(listen.substr(kUnix.size())).lexically_normal();
  }
  if (!address.starts_with(kInet)) return false;
  const auto [host, port] = host_and_port(address.substr(kInet.size()));
  const auto [our_host, our_port] = host_and_port(listen);
  if (port != our_port) return false;
  return host == our_host || is_any(our_host) || (is_loopback(host) && is_loopback(our_host));
}

}  // namespace watchpost::cli
