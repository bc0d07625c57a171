#include "net/smtp_content.h"

#include "base/ascii.h"

namespace watchpost::net {

SmtpContent::Taken SmtpContent::take(std::string_view bytes, std::string& out) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (at_ == At::line) {
      const size_t run = find_any<'\r', '\n'>(bytes, at);
      out.append(bytes, at, run - at);
      at = run;
      if (at == bytes.size()) break;
    }
    const bool ends = at_ == At::dot_cr && bytes[at] == '\n';
    if (!step(bytes[at], out)) return {at, State::bad};
    ++at;
    if (ends) return {at, State::ended};
  }
  return {at, State::more};
}

// One byte; false where it cannot stand there.
bool SmtpContent::step(char c, std::string& out) {
  switch (at_) {
    case At::cr:
      if (c != '\n') return false;
      out += "\r\n";
      at_ = At::line_start;
      return true;
    case At::dot_cr: return c == '\n';
    case At::line_start:
      if (c == '.' && framing_ == Framing::dots) {
        at_ = At::dot;
        return true;
      }
      break;
    case At::dot:
      if (c == '\r') {
        at_ = At::dot_cr;
        return true;
      }
      break;
    case At::line: break;
  }
  if (c == '\n') return false;
  at_ = c == '\r' ? At::cr : At::line;
  if (c != '\r') out += c;
  return true;
}

}  // namespace watchpost::net
