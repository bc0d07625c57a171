#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::quarantine {

// [quarantine]. There is one where `key_file` is set.
struct QuarantineSettings {
  std::string key_file;               // made by `watchpost quarantine new-key`
  std::string path;                   // its folder; empty: "quarantine" in the data folder
  int64_t space = int64_t{10} << 30;  // bytes of all held messages
  Duration keep = std::chrono::hours(24 * 30);  // then a message is thrown away
  bool holds = true;  // mail under a `hold` is kept here instead of with its sender
  // Where released mail is handed in: an SMTP port of the mail server that asks this milter.
  std::string release_to;           // "127.0.0.1:10026"; empty: nothing can be released
  std::string release_outbound_to;  // for mail of our logins; empty: the same
  Duration exception = std::chrono::hours(24 * 30);  // "accept the like" holds for so long

  // The daily mail to those for whom something is held.
  std::string digest_at;     // "07:30", UTC; empty: none is sent
  std::string digest_relay;  // "127.0.0.1:25"
  std::string digest_from;   // "quarantine@receiver.example"
  std::string digest_link;  // where recipients reach us: "https://mail.receiver.example/quarantine"
  Duration digest_links_hold = std::chrono::hours(24 * 3);
  // Rules whose mail is released as soon as its recipient asks ("listed", "filter newsletters");
  // all other requests wait for a person.
  std::vector<std::string> self_release;

  bool there() const { return !key_file.empty(); }
};
void fields(SettingsVisitor& visit, QuarantineSettings& settings);
// What fields() cannot see.
Result<Done> check(const QuarantineSettings& settings);

}  // namespace watchpost::quarantine
