#pragma once
#include "enforce/notifier.h"

#include <memory>
#include <string>

namespace watchpost::enforce {

// One for each kind of [[notify]]; the table is in notifier.cc.
Result<std::unique_ptr<Notifier>> make_mail(const NotifySettings& settings);
Result<std::unique_ptr<Notifier>> make_slack(const NotifySettings& settings);
Result<std::unique_ptr<Notifier>> make_syslog(const NotifySettings& settings);

// The whole message (RFC 5322), CRLF line ends, nothing in it that a subject or text could break.
std::string mail_message(const NotifySettings& settings, const Notice& notice);
// {"text": "..."} with Slack's three characters escaped, so that no text makes a link or mention.
std::string slack_body(const Notice& notice);
// One line of printable text.
std::string syslog_line(const Notice& notice);

}  // namespace watchpost::enforce
