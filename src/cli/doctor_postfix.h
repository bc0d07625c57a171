#pragma once
#include "base/result.h"
#include "base/time.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::cli {

// How Postfix is asked what it is told.
struct PostconfOptions {
  std::string program = "postconf";
  std::string folder;  // with main.cf and master.cf; empty: its own
};

// A line of master.cf.
struct PostfixService {
  std::string name;  // "smtp", "127.0.0.1:25"
  std::string type;  // inet, pass
  bool chroot = false;
  std::string command;                           // "smtpd"
  std::map<std::string, std::string> overrides;  // by `-o`

  bool for_strangers() const;   // mail comes in here: port 25, or what postscreen hands on
  bool for_submission() const;  // mail of logins: submission, smtps, 587, 465
  std::string shown() const { return name + "/" + type; }
};

// One entry of smtpd_milters: "inet:127.0.0.1:8892", "{ unix:/run/x, default_action=accept }".
struct MilterEntry {
  std::string address;
  std::map<std::string, std::string> overrides;
};

struct PostfixSettings {
  std::map<std::string, std::string> main;
  std::vector<PostfixService> services;

  // As it is for one of them; null: for all that say nothing else. Empty where it is not known.
  std::string_view value(std::string_view parameter, const PostfixService* service) const;
};

// Asks postconf. Fails where it cannot be run, or says nothing of Postfix.
Result<PostfixSettings> read_postfix(const PostconfOptions& options);

// What postconf says, read; pure and total. "name = value" lines; `-M` lines; `-P` lines.
std::map<std::string, std::string> read_parameters(std::string_view text);
std::vector<PostfixService> read_services(std::string_view text);
void read_overrides(std::string_view text, std::vector<PostfixService>& services);

std::vector<MilterEntry> read_milters(std::string_view value);
// "30s", "5m", "30" of seconds.
std::optional<Duration> read_postfix_time(std::string_view text);

// Whether Postfix, asking at `address`, reaches who listens at `listen` (as settings have it).
// `folder` is what paths of chrooted services are below: queue_directory.
bool is_same_place(std::string_view address, std::string_view listen, std::string_view folder,
                   bool chroot);

}  // namespace watchpost::cli
