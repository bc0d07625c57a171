#include "net/smtp_reply.h"

#include "base/ascii.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace watchpost::net {

std::string SmtpReply::line() const {
  std::string out = fmt::format("{} {}", code, text);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

void SmtpReplies::put(std::string_view bytes) {
  if (broken_) return;
  bytes_ += bytes;
  if (bytes_.size() > kMostBytes) broken_ = true;
}

std::optional<SmtpReply> SmtpReplies::take() {
  while (!broken_) {
    const size_t end = bytes_.find('\n');
    if (end == std::string::npos ? bytes_.size() > kLongestLine : end > kLongestLine) break;
    if (end == std::string::npos) return std::nullopt;
    const bool good = take_line(std::string_view(bytes_).substr(0, end));
    bytes_.erase(0, end + 1);
    if (!good) break;
    if (!std::exchange(whole_, false)) continue;
    lines_ = 0;
    return std::exchange(reply_, {});
  }
  broken_ = true;
  return std::nullopt;
}

// "250-text", "250 text" or "250"; all lines of a reply have the same code (RFC 5321 4.2.1).
bool SmtpReplies::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) {
    return false;
  }
  if (line[0] < '2' || line[0] > '5') return false;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  const bool last = line.size() == 3 || line[3] == ' ';
  if (!last && line[3] != '-') return false;
  if (lines_ > 0 && code != reply_.code) return false;
  const std::string_view text = line.size() > 4 ? line.substr(4) : std::string_view();
  if (lines_ > 0) reply_.text += '\n';
  reply_.text += text;
  reply_.code = code;
  whole_ = last;
  return ++lines_ <= kMostLines && reply_.text.size() <= kMostBytes;
}

}  // namespace watchpost::net
