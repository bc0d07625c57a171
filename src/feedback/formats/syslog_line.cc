#include "feedback/formats/syslog_line.h"

#include "base/ascii.h"

namespace watchpost::feedback {
namespace {

// RFC 3164 4.1.1: one to three digits.
void drop_priority(std::string_view& text) {
  if (text.empty() || text[0] != '<') return;
  const size_t end = text.substr(0, 5).find('>');
  if (end == std::string_view::npos || end < 2) return;
  for (size_t i = 1; i < end; ++i) {
    if (text[i] < '0' || text[i] > '9') return;
  }
  text.remove_prefix(end + 1);
}

}  // namespace

std::optional<SyslogLine> read_syslog_line(std::string_view text, SyslogStamps& stamps) {
  drop_priority(text);
  const auto at = stamps.take(text);
  if (!at) return std::nullopt;
  SyslogLine line{.at = *at};
  const size_t host_end = find_any<' '>(text);
  if (host_end == text.size()) return line;
  line.host = text.substr(0, host_end);
  text.remove_prefix(host_end + 1);

  const size_t end = find_any<'[', ':', ' '>(text);
  size_t behind = end;
  if (behind < text.size() && text[behind] == '[') {
    do ++behind;
    while (behind < text.size() && text[behind] >= '0' && text[behind] <= '9');
    if (behind < text.size() && text[behind] == ']') ++behind;
  }
  if (behind + 1 >= text.size() || text[behind] != ':' || text[behind + 1] != ' ') return line;
  line.program = text.substr(0, end);
  line.body = text.substr(behind + 2);
  return line;
}

}  // namespace watchpost::feedback
