#pragma once
#include "base/result.h"
#include "base/settings.h"
#include "base/time.h"

#include <cstdint>
#include <string>
#include <vector>

namespace watchpost::border {

// [[milter]]: where mail servers ask, and about which mail.
struct MilterSettings {
  std::string name;                  // empty: "inbound" or "outbound", as `role`
  std::vector<std::string> listen;   // "127.0.0.1:8892", "unix:/run/watchpost/milter.sock"
  std::string socket_mode = "0660";  // of UNIX sockets
  std::string role = "inbound";      // inbound: mail for us; outbound: mail of our logins
  std::string mode = "enforce";      // off, shadow, notify, enforce
  int64_t connections = 512;
  Duration idle = std::chrono::seconds(660);     // between two commands of a mail server
  Duration deadline = std::chrono::seconds(25);  // from the end of a message to its answer
  Duration progress = std::chrono::seconds(8);   // "still at it" so often until then
  int64_t message_bytes = 64 << 20;  // of one message: what is longer is not looked at whole
  int64_t memory_bytes = 512 << 20;  // of all messages being received or judged
};
void fields(SettingsVisitor& visit, MilterSettings& settings);
// What is wrong with them, as far as can be told without opening anything; `about` is the setting.
Result<Done> check(const MilterSettings& settings);

// Bounds that no setting changes. What a mail server sends past them is counted and left out, or
// ends the session where it cannot be the protocol.
struct MilterLimits {
  size_t frame_bytes = 256 << 10;  // Postfix sends fields of up to 100 KiB, bodies in 64 KiB
  size_t recipients = 10'000;      // remembered
  size_t header_fields = 1'000;    // reliability S-19
  size_t header_bytes = 256 << 10;
  size_t text_bytes = 8 << 10;  // of an address with its arguments, of a name
  size_t macros = 100;
  size_t macro_bytes = 16 << 10;  // of all of them
};

}  // namespace watchpost::border
