#include "cli/doctor_self.h"

#include "cli/outside_world.h"
#include "cli/terminal.h"
#include "dns/name_servers.h"
#include "dns/real_resolver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::cli {
namespace {

constexpr uint64_t kLittleSpace = uint64_t{1} << 30;
constexpr uint64_t kNoSpace = uint64_t{100} << 20;
constexpr double kLittleShare = 0.05;
constexpr Duration kDnsPatience = std::chrono::seconds(10);

std::string user_name(uid_t id) {
  const passwd* const entry = getpwuid(id);
  return entry == nullptr ? std::to_string(id) : entry->pw_name;
}

void check_space(const std::string& path, Checks& checks) {
  const std::string subject = "disk " + path;
  struct statvfs disk{};
  if (statvfs(path.c_str(), &disk) != 0) {
    return checks.warning(subject, std::strerror(errno), "see whether the folder can be read");
  }
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  const uint64_t whole = uint64_t{disk.f_blocks} * disk.f_frsize;
  const std::string finding = fmt::format("{} of {} free", bytes_text(free), bytes_text(whole));
  constexpr const char* kAdvice = "make room, or lower [store] keep";
  if (free < kNoSpace) {
    checks.fault(subject, finding, kAdvice);
  } else if (free < kLittleSpace ||
             static_cast<double>(free) < kLittleShare * static_cast<double>(whole)) {
    checks.warning(subject, finding, kAdvice);
  } else {
    checks.good(subject, finding);
  }
}

std::string error_text(int number) { return std::strerror(number); }

}  // namespace

void check_data_folder(const std::string& path, Checks& checks) {
  const std::string subject = "data folder " + path;
  struct stat folder{};
  if (stat(path.c_str(), &folder) != 0) {
    return checks.fault(subject, error_text(errno),
                        fmt::format("install -d -m 0750 -o watchpost {}", path));
  }
  const mode_t mode = folder.st_mode & 07777;
  const std::string finding =
      fmt::format("mode {:04o}, of {}", static_cast<unsigned>(mode), user_name(folder.st_uid));
  if (!S_ISDIR(folder.st_mode)) {
    checks.fault(subject, "is no folder", "see [store] path");
  } else if ((mode & 007) != 0) {
    checks.fault(subject, finding + ": everybody can look into it",
                 fmt::format("chmod 0750 {}", path));
  } else if ((mode & 020) != 0) {
    checks.warning(subject, finding + ": its group can write into it",
                   fmt::format("chmod 0750 {}", path));
  } else if (folder.st_uid == 0 && getuid() != 0) {
    checks.warning(subject, finding, "give it to the daemon's own user");
  } else {
    checks.good(subject, finding);
  }
  check_space(path, checks);
}

void check_secret_file(const std::string& what, const std::string& path, Checks& checks) {
  const std::string subject = fmt::format("secret {}", what);
  struct stat file{};
  if (stat(path.c_str(), &file) != 0) {
    return checks.fault(subject, fmt::format("{}: {}", path, error_text(errno)),
                        "name another file, or make it");
  }
  const auto mode = static_cast<unsigned>(file.st_mode & 07777);
  const std::string finding = fmt::format("{}: mode {:04o}", path, mode);
  if ((mode & 007) != 0) {
    checks.fault(subject, finding + ": everybody can read or write it",
                 fmt::format("chmod 0640 {}", shell_word(path)));
  } else if ((mode & 020) != 0) {
    checks.warning(subject, finding + ": its group can write it",
                   fmt::format("chmod 0640 {}", shell_word(path)));
  } else {
    checks.good(subject, finding);
  }
}

void check_secrets(const config::Configuration& configuration, Checks& checks) {
  for (const config::TokenSettings& token : configuration.listen.tokens) {
    if (!token.token_file.empty()) check_secret_file(token.name, token.token_file, checks);
  }
  for (const auto& key : configuration.feedback.keys) {
    if (!key.secret_file.empty())
      check_secret_file(fmt::format("key {}", key.id), key.secret_file, checks);
  }
}

void check_clock(Checks& checks) {
  timex asked{};
  const int state = ntp_adjtime(&asked);
  if (state < 0) {
    return checks.warning("clock", fmt::format("the kernel does not say: {}", error_text(errno)),
                          "see that chrony or systemd-timesyncd runs");
  }
  if (state == TIME_ERROR || (asked.status & STA_UNSYNC) != 0) {
    return checks.warning("clock", "is not synchronised: windows, signatures and tokens go wrong",
                          "run chrony or systemd-timesyncd");
  }
  checks.good("clock", "is synchronised");
}

void check_resolver(const dns::ResolverSettings& given, const std::string& name, Checks& checks) {
  dns::ResolverSettings settings = given;
  settings.trust_ad = true;  // to see what they say; whether it is believed is another setting
  if (settings.servers.empty()) {
    const auto found = dns::system_servers();
    if (!found) return checks.warning("dns servers", found.error().text(), "name some in [dns]");
    for (const auto& server : *found) settings.servers.push_back(server.text());
  }
  const std::string servers = fmt::format("{}", fmt::join(settings.servers, ", "));
  const bool local = std::ranges::all_of(settings.servers, [](const std::string& text) {
    const auto server = dns::parse_server(text);
    return server && server->is_loopback();
  });
  if (local) {
    checks.good("dns servers", servers + ": on this machine");
  } else {
    checks.warning("dns servers", servers + ": not all on this machine",
                   "run a resolver that validates here (unbound): block lists refuse those of "
                   "others, and on the way anybody can forge answers");
  }
  Metrics metrics;
  const SystemClock clock;
  const auto resolver = dns::RealResolver::open(settings, clock, metrics);
  if (!resolver) return checks.fault("dns answers", resolver.error().text(), "see [dns] servers");
  dns::Budget budget{.queries = 10, .until = clock.now() + kDnsPatience, .made = 0};
  const dns::AnswerPtr answer = waited_for((*resolver)->look_up(name, dns::RecordType::ns, budget));
  if (answer->outcome != dns::Outcome::found) {
    const std::string said =
        answer->why.empty() ? std::string(dns::name_of(answer->outcome)) : answer->why;
    return checks.warning("dns answers", fmt::format("nothing about {} NS: {}", name, said),
                          "is this machine on the Internet? Mail waits while DNS is silent");
  }
  checks.good("dns answers", fmt::format("{} NS: found", name));
  if (answer->authentic) {
    checks.good("dns validates", "answers are marked as validated (AD)");
  } else {
    checks.warning("dns validates", "answers are not marked as validated (AD)",
                   "let the resolver validate DNSSEC");
  }
}

}  // namespace watchpost::cli
