#include "cli/doctor_milter.h"

#include "base/time.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watchpost::cli {
namespace {

using border::MilterSettings;

constexpr Duration kShortPatience = std::chrono::seconds(5);

// Where a service of Postfix asks one of our milters.
struct Asking {
  const PostfixService* service = nullptr;
  MilterEntry entry;
};

bool is_meant_for(const MilterSettings& milter, const PostfixService& service) {
  return milter.role == "inbound" ? service.for_strangers() : service.for_submission();
}

std::vector<Asking> who_asks(const PostfixSettings& postfix, const MilterSettings& milter) {
  std::vector<Asking> found;
  const std::string_view folder = postfix.value("queue_directory", nullptr);
  for (const PostfixService& service : postfix.services) {
    if (service.command != "smtpd") continue;
    for (MilterEntry& entry : read_milters(postfix.value("smtpd_milters", &service))) {
      const bool ours = std::ranges::any_of(milter.listen, [&](const std::string& listen) {
        return is_same_place(entry.address, listen, folder, service.chroot);
      });
      if (ours) found.push_back({&service, std::move(entry)});
    }
  }
  return found;
}

// As it is for this milter at this service: its entry's own word goes first.
std::string_view value_for(const PostfixSettings& postfix, const Asking& asking,
                           const std::string& name) {
  const auto own = asking.entry.overrides.find(name);
  if (own != asking.entry.overrides.end()) return own->second;
  return postfix.value("milter_" + name, asking.service);
}

std::string subject_of(const MilterSettings& milter, const Asking& asking, std::string_view what) {
  return fmt::format("milter {} {} {}", milter.name, asking.service->shown(), what);
}

void check_default_action(const PostfixSettings& postfix, const MilterSettings& milter,
                          const Asking& asking, Checks& checks) {
  const std::string_view action = value_for(postfix, asking, "default_action");
  std::string subject = subject_of(milter, asking, "default_action");
  constexpr std::string_view kAdvice = "set milter_default_action = tempfail";
  if (action == "tempfail" || action == "shutdown") {
    checks.good(std::move(subject), fmt::format("{}: mail waits while Watchpost is away", action));
  } else if (action == "accept") {
    checks.warning(std::move(subject), "accept: mail passes unjudged while Watchpost is away",
                   std::string(kAdvice));
  } else if (action == "quarantine") {
    checks.warning(std::move(subject),
                   "quarantine: mail that comes while Watchpost is away waits for a person",
                   std::string(kAdvice));
  } else {
    checks.fault(std::move(subject),
                 fmt::format("`{}`: mail is lost to its senders while Watchpost is away", action),
                 std::string(kAdvice));
  }
}

void check_patience(const PostfixSettings& postfix, const MilterSettings& milter,
                    const Asking& asking, const std::string& name, Duration needed,
                    Checks& checks) {
  const std::string_view value = value_for(postfix, asking, name);
  std::string subject = subject_of(milter, asking, name);
  const auto patience = read_postfix_time(value);
  if (!patience) {
    return checks.warning(std::move(subject), fmt::format("`{}` is no time", value),
                          fmt::format("see milter_{} in postconf(5)", name));
  }
  if (*patience > needed) {
    return checks.good(std::move(subject),
                       fmt::format("{} is longer than ours, {}", value, format_duration(needed)));
  }
  checks.fault(std::move(subject),
               fmt::format("{} is not longer than ours, {}: Postfix gives up before it is answered",
                           value, format_duration(needed)),
               fmt::format("raise milter_{}, or lower the milter's deadline", name));
}

void check_asking(const PostfixSettings& postfix, const MilterSettings& milter,
                  const Asking& asking, Checks& checks) {
  check_default_action(postfix, milter, asking, checks);
  check_patience(postfix, milter, asking, "content_timeout", milter.deadline, checks);
  check_patience(postfix, milter, asking, "command_timeout", kShortPatience, checks);
  check_patience(postfix, milter, asking, "connect_timeout", std::chrono::seconds(1), checks);
  const std::string_view protocol = postfix.value("milter_protocol", asking.service);
  if (protocol == "6") {
    checks.good(subject_of(milter, asking, "protocol"), "version 6");
  } else {
    checks.fault(subject_of(milter, asking, "protocol"), fmt::format("version `{}`", protocol),
                 "set milter_protocol = 6");
  }
}

std::string names_of(const std::vector<const PostfixService*>& services) {
  std::vector<std::string> names;
  for (const PostfixService* const service : services) names.push_back(service->shown());
  return fmt::format("{}", fmt::join(names, ", "));
}

// Asked where it should be, and nowhere else.
void check_services(const PostfixSettings& postfix, const MilterSettings& milter,
                    const std::vector<Asking>& asking, Checks& checks) {
  const auto asks = [&](const PostfixService& service) {
    return std::ranges::any_of(asking, [&](const Asking& one) { return one.service == &service; });
  };
  std::vector<const PostfixService*> missing, right, other;
  for (const PostfixService& service : postfix.services) {
    const bool meant = is_meant_for(milter, service);
    const bool listed = asks(service);
    if (meant && !listed) missing.push_back(&service);
    if (meant && listed) right.push_back(&service);
    if (!meant && listed && (service.for_strangers() || service.for_submission())) {
      other.push_back(&service);
    }
  }
  const std::string subject = fmt::format("milter {} services", milter.name);
  std::vector<std::string> places;
  for (const std::string& place : milter.listen) {
    places.push_back(place.starts_with("unix:") ? place : "inet:" + place);
  }
  const std::string line = fmt::format("-o smtpd_milters={}", fmt::join(places, " or "));
  if (asking.empty()) {
    return checks.fault(
        subject, fmt::format("no service of Postfix asks it, and its role is {}", milter.role),
        fmt::format("add `{}` to the service in master.cf, or smtpd_milters to "
                    "main.cf",
                    line));
  }
  if (!right.empty()) checks.good(subject, fmt::format("asked by {}", names_of(right)));
  if (!missing.empty()) {
    checks.warning(subject, fmt::format("not asked by {}", names_of(missing)),
                   "mail that comes in there passes unseen: list it there as well");
  }
  if (!other.empty()) {
    checks.warning(subject,
                   fmt::format("its role is {}, and {} asks it", milter.role, names_of(other)),
                   "give that service an smtpd_milters of its own with `-o` in master.cf");
  }
}

// CVE-2023-51764: mail that a client smuggles in behind another.
void check_bare_newlines(const PostfixSettings& postfix, Checks& checks) {
  const std::string subject = "postfix smtpd_forbid_bare_newline";
  for (const PostfixService& service : postfix.services) {
    if (!service.for_strangers()) continue;
    const std::string_view value = postfix.value("smtpd_forbid_bare_newline", &service);
    if (value == "yes" || value == "normalize" || value == "reject") {
      checks.good(subject, fmt::format("{} at {}", value, service.shown()));
    } else {
      checks.warning(subject,
                     fmt::format("`{}` at {}: mail can be smuggled in behind other mail",
                                 value.empty() ? "unknown" : value, service.shown()),
                     "set smtpd_forbid_bare_newline = yes (Postfix 3.7.9 and later have it)");
    }
  }
}

}  // namespace

void check_postfix(const PostfixSettings& postfix, std::span<const MilterSettings> milters,
                   Checks& checks) {
  checks.good("postfix", fmt::format("version {}", postfix.value("mail_version", nullptr)));
  check_bare_newlines(postfix, checks);
  const std::string_view maps = postfix.value("smtpd_milter_maps", nullptr);
  if (!maps.empty()) {
    checks.warning("postfix smtpd_milter_maps",
                   "chooses filters by client: some clients may pass unseen",
                   "see that it names our milters too");
  }
  for (const MilterSettings& milter : milters) {
    if (milter.mode == "off") continue;
    const std::vector<Asking> asking = who_asks(postfix, milter);
    check_services(postfix, milter, asking, checks);
    for (const Asking& one : asking) check_asking(postfix, milter, one, checks);
  }
}

}  // namespace watchpost::cli
