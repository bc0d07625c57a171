#include "enforce/notifier.h"

#include "base/text.h"
#include "enforce/notifiers/kinds.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace watchpost::enforce {
namespace {

struct Kind {
  std::string_view name;
  Result<std::unique_ptr<Notifier>> (*make)(const NotifySettings&);
};
constexpr std::array<Kind, 3> kKinds{{
    {"mail", make_mail},
    {"slack", make_slack},
    {"syslog", make_syslog},
}};

}  // namespace

void fields(SettingsVisitor& visit, NotifySettings& settings) {
  visit.setting(
      {.name = "name", .help = "as in `then = [\"notify NAME\"]` of a detector", .required = true},
      &settings.name);
  visit.setting({.name = "kind",
                 .help = "mail: by an SMTP relay; slack: a Slack-compatible incoming webhook; "
                         "syslog: one line to the local syslog",
                 .choices = {"mail", "slack", "syslog"}},
                &settings.kind);
  visit.setting({.name = "relay", .help = "mail: the SMTP relay, host:port"}, &settings.relay);
  visit.setting({.name = "from", .help = "mail: the sender's address"}, &settings.from);
  visit.setting({.name = "to", .help = "mail: the recipients' addresses"}, &settings.to);
  visit.setting({.name = "url", .help = "slack: the webhook's address; https", .secret = true},
                &settings.url);
  visit.setting({.name = "allow_private",
                 .help = "slack: may go to private and loopback addresses, and over plain http"},
                &settings.allow_private);
  visit.setting({.name = "facility",
                 .help = "syslog: the facility",
                 .choices = {"mail", "daemon", "user", "auth", "local0", "local1", "local2",
                             "local3", "local4", "local5", "local6", "local7"}},
                &settings.facility);
}

Result<NamedNotifier> make_notifier(const NotifySettings& settings) {
  const auto kind = std::ranges::find(kKinds, settings.kind, &Kind::name);
  if (kind == kKinds.end()) {
    return fail(Code::bad_input,
                fmt::format("`{}` is not a kind of notify", escaped(settings.kind, 64)), "kind");
  }
  auto made = kind->make(settings);
  if (!made) return fail(made.error());
  return NamedNotifier{settings.name, std::move(*made)};
}

}  // namespace watchpost::enforce
