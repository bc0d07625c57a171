#include "quarantine/settings.h"

#include "base/text.h"
#include "net/address.h"

#include <algorithm>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

constexpr double kDay = 86'400;

bool is_time_of_day(std::string_view text) {
  const auto two = [&](size_t at) {
    const char tens = text[at];
    const char ones = text[at + 1];
    if (tens < '0' || tens > '9' || ones < '0' || ones > '9') return 100;
    return (tens - '0') * 10 + (ones - '0');
  };
  return text.size() == 5 && text[2] == ':' && two(0) < 24 && two(3) < 60;
}

Result<Done> check_endpoint(const std::string& text, std::string_view setting) {
  if (text.empty()) return Done{};
  const auto read = net::parse_host_port(text);
  if (!read) return fail(Code::bad_input, read.error().what, std::string(setting));
  return Done{};
}

Result<Done> check_digest(const QuarantineSettings& settings) {
  if (settings.digest_at.empty()) return Done{};
  if (!is_time_of_day(settings.digest_at)) {
    return fail(Code::bad_input, "must be a time of the day, `07:30`", "digest_at");
  }
  if (settings.digest_relay.empty()) {
    return fail(Code::bad_input, "is needed where `digest_at` is set", "digest_relay");
  }
  const std::string_view from = settings.digest_from;
  if (from.find('@') == std::string_view::npos || from.starts_with('@') ||
      domain_of(from).empty() || from.find_first_of(" \t\r\n<>\",") != std::string_view::npos) {
    return fail(Code::bad_input, "must be an address where `digest_at` is set", "digest_from");
  }
  const std::string_view link = settings.digest_link;
  if ((!link.starts_with("https://") && !link.starts_with("http://")) ||
      link.find_first_of(" \t\r\n<>\"?#") != std::string_view::npos) {
    return fail(Code::bad_input,
                "must be a URL without a query where `digest_at` is set: "
                "`https://mail.receiver.example/quarantine`",
                "digest_link");
  }
  return Done{};
}

}  // namespace

void fields(SettingsVisitor& visit, QuarantineSettings& settings) {
  visit.setting({.name = "key_file",
                 .help = "the keys by which held mail is encrypted; `watchpost quarantine new-key` "
                         "makes it; empty: there is no quarantine"},
                &settings.key_file);
  visit.setting(
      {.name = "path", .help = "folder of the held mail; empty: `quarantine` in the data folder"},
      &settings.path);
  visit.setting({.name = "space",
                 .help = "bytes that all held mail may take; when they are used up, mail to be "
                         "held is refused for now",
                 .least = 1 << 20,
                 .most = 1e15},
                &settings.space);
  visit.setting({.name = "keep",
                 .help = "held mail that nobody has released is discarded after so long",
                 .least = kDay,
                 .most = kDay * 3650},
                &settings.keep);
  visit.setting({.name = "holds",
                 .help = "mail under a `hold` is held here; false: the mail server is told to try "
                         "again later"},
                &settings.holds);
  visit.setting({.name = "release_to",
                 .help = "where released mail is handed in: an SMTP port of the mail server that "
                         "asks this milter, `127.0.0.1:10026`; empty: nothing can be released"},
                &settings.release_to);
  visit.setting({.name = "release_outbound_to",
                 .help = "the same for mail of our logins; empty: the same port"},
                &settings.release_outbound_to);
  visit.setting({.name = "exception",
                 .help = "\"accept the like from now on\" holds for so long",
                 .least = 3600,
                 .most = kDay * 3650},
                &settings.exception);
  visit.setting({.name = "digest_at",
                 .help = "when those for whom mail is held are told so, each day, in UTC: `07:30`; "
                         "empty: never"},
                &settings.digest_at);
  visit.setting({.name = "digest_relay", .help = "the mail server that sends it: `127.0.0.1:25`"},
                &settings.digest_relay);
  visit.setting({.name = "digest_from", .help = "its sender: `quarantine@receiver.example`"},
                &settings.digest_from);
  visit.setting({.name = "digest_link",
                 .help = "where recipients reach us, to ask for a message: "
                         "`https://mail.receiver.example/quarantine`"},
                &settings.digest_link);
  visit.setting({.name = "digest_links_hold",
                 .help = "the links in it hold for so long",
                 .least = 3600,
                 .most = kDay * 90},
                &settings.digest_links_hold);
  visit.setting({.name = "self_release",
                 .help = "rules whose mail is released as soon as its recipient asks: `listed`, "
                         "`filter newsletters`; all other requests wait for a person"},
                &settings.self_release);
}

Result<Done> check(const QuarantineSettings& settings) {
  if (!settings.there()) return Done{};
  for (const auto& [text, setting] :
       {std::pair{&settings.release_to, "release_to"},
        std::pair{&settings.release_outbound_to, "release_outbound_to"},
        std::pair{&settings.digest_relay, "digest_relay"}}) {
    if (const auto fine = check_endpoint(*text, setting); !fine) return fine;
  }
  return check_digest(settings);
}

}  // namespace watchpost::quarantine
