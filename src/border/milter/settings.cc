#include "border/milter/settings.h"

#include "net/address.h"

namespace watchpost::border {

void fields(SettingsVisitor& visit, MilterSettings& settings) {
  visit.setting({.name = "name", .help = "as it stands in events and metrics; default: its role"},
                &settings.name);
  visit.setting({.name = "listen",
                 .help = "where mail servers ask: `127.0.0.1:8892`, "
                         "`unix:/run/watchpost/milter.sock`",
                 .required = true},
                &settings.listen);
  visit.setting({.name = "socket_mode",
                 .help = "file mode of UNIX sockets; the mail server's user must be able to write"},
                &settings.socket_mode);
  visit.setting({.name = "role",
                 .help = "inbound: mail for us, of strangers; outbound: mail of our logins",
                 .choices = {"inbound", "outbound"}},
                &settings.role);
  visit.setting({.name = "mode",
                 .help = "off looks at nothing; shadow judges and changes nothing; notify adds "
                         "header fields and refuses nothing; enforce does what was decided",
                 .choices = {"off", "shadow", "notify", "enforce"}},
                &settings.mode);
  visit.setting({.name = "connections",
                 .help = "at once; a mail server has one for each client it is talking to",
                 .least = 1,
                 .most = 100'000},
                &settings.connections);
  visit.setting({.name = "idle",
                 .help = "a connection on which nothing comes for so long is closed",
                 .least = 1,
                 .most = 86'400},
                &settings.idle);
  visit.setting({.name = "deadline",
                 .help = "from the end of a message to its answer; then `trouble` of [border] is "
                         "answered. Shorter than milter_content_timeout of the mail server",
                 .least = 1,
                 .most = 280},
                &settings.deadline);
  visit.setting({.name = "progress",
                 .help = "so often until then the mail server is told to wait",
                 .least = 1,
                 .most = 60},
                &settings.progress);
  visit.setting({.name = "message_bytes",
                 .help = "what is longer is not looked at whole: `too_large` of [border]",
                 .least = 64.0 * 1024,
                 .most = 1024.0 * 1024 * 1024},
                &settings.message_bytes);
  visit.setting(
      {.name = "memory_bytes",
       .help = "of all messages being received or judged; past it: `overload` of [border]",
       .least = 1024.0 * 1024,
       .most = 64.0 * 1024 * 1024 * 1024},
      &settings.memory_bytes);
  if (settings.name.empty()) settings.name = settings.role;
}

Result<Done> check(const MilterSettings& settings) {
  if (const auto mode = net::parse_socket_mode(settings.socket_mode); !mode) {
    return fail(mode.error());
  }
  if (settings.listen.empty()) return fail(Code::bad_input, "names no address", "listen");
  for (const std::string& at : settings.listen) {
    if (const auto address = net::parse_listen(at); !address) {
      return fail(Code::bad_input, address.error().what, "listen");
    }
  }
  if (settings.memory_bytes < settings.message_bytes) {
    return fail(Code::bad_input, "is less than `message_bytes`", "memory_bytes");
  }
  return Done{};
}

}  // namespace watchpost::border
