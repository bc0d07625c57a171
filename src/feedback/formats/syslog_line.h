#pragma once
#include "base/time.h"
#include "feedback/formats/syslog_stamp.h"

#include <optional>
#include <string_view>

namespace watchpost::feedback {

// One line of a syslog file, taken apart. Views into the line.
struct SyslogLine {
  Time at;
  std::string_view host;
  std::string_view program;  // "postfix/smtpd"; empty where the line names none
  std::string_view body;     // behind "program[pid]: "
};

// "<22>Nov 24 03:00:01 host program[pid]: body", the <PRI> optional. Nothing where there is no
// stamp.
std::optional<SyslogLine> read_syslog_line(std::string_view text, SyslogStamps& stamps);

}  // namespace watchpost::feedback
