#include "feedback/reports/reply_in_text.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/phrase_search.h"
#include "feedback/reply_words.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace watchpost::feedback {
namespace {

constexpr size_t kMost = 2048;

// One of a set of bytes.
class Bytes {
 public:
  constexpr explicit Bytes(std::string_view bytes) {
    for (const char c : bytes) in_[static_cast<unsigned char>(c)] = true;
  }
  constexpr bool has(char c) const { return in_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> in_{};
};
// What may stand before a code or a status that is one, and behind a code.
constexpr Bytes kBefore(" \t\n\r#('\"[:;<>.,!?=-");
constexpr Bytes kBehind(" \t\n\r-:;,'\")]>");

bool opens(std::string_view text, size_t at) { return at == 0 || kBefore.has(text[at - 1]); }

uint16_t code_at(std::string_view text, size_t at) {
  if (at + 3 > text.size() || (text[at] != '4' && text[at] != '5') || text[at + 1] > '9' ||
      !is_digit(text[at + 1]) || !is_digit(text[at + 2])) {
    return 0;
  }
  if (at + 3 < text.size() && !kBehind.has(text[at + 3])) return 0;
  // "1.2.550" and "192.0.2.1:550" are none; nor is "-550" of a signed number or a range.
  if (at >= 2 && std::string_view(".:-,").find(text[at - 1]) != std::string_view::npos &&
      (is_digit(text[at - 2]) || text[at - 2] == ']')) {
    return 0;
  }
  return static_cast<uint16_t>((text[at] - '0') * 100 + (text[at + 1] - '0') * 10 +
                               (text[at + 2] - '0'));
}

// Codes that SMTP has (RFC 5321, 4954, 7504 and what receivers add): "512 kB" is mostly a size.
bool is_likely(uint16_t code) {
  const int tens = code / 10 % 10;
  return tens <= 9 && (code < 460 || code == 471 || code == 499 || (code >= 500 && code < 580));
}

// A number of something: "550 messages", "500 kB", "450 bytes".
bool counts_something(std::string_view behind) {
  constexpr std::string_view kUnits[] = {"bytes",      "kb",      "mb",        "messages",
                                         "recipients", "seconds", "hours",     "days",
                                         "lines",      "minutes", "characters"};
  behind = trim(behind.substr(0, 20));
  const std::string word = lower_ascii(behind.substr(0, behind.find_first_of(" .,;)")));
  return std::ranges::find(kUnits, word) != std::end(kUnits);
}

struct Stage {
  std::string_view words;  // lower case
  std::string_view name;
};
// In the order in which they are asked: the more particular ones first.
constexpr Stage kStages[] = {
    {"in reply to rcpt to", "RCPT"},
    {"in reply to mail from", "MAIL"},
    {"in reply to end of data", "END-OF-MESSAGE"},
    {"in reply to data", "DATA"},
    {"in reply to helo", "EHLO"},
    {"in reply to ehlo", "EHLO"},
    {"in reply to starttls", "STARTTLS"},
    {"after rcpt to", "RCPT"},
    {"after pipelined rcpt", "RCPT"},
    {"after rcpt", "RCPT"},
    {"after mail from", "MAIL"},
    {"after pipelined mail", "MAIL"},
    {"after end of data", "END-OF-MESSAGE"},
    {"after end of pipelined data", "END-OF-MESSAGE"},
    {"after sending data", "END-OF-MESSAGE"},
    {"failed after i sent the message", "END-OF-MESSAGE"},
    {"did not like our final data", "END-OF-MESSAGE"},
    {"for text command", "END-OF-MESSAGE"},
    {"after data", "DATA"},
    {"after pipelined data", "DATA"},
    {"after initial connection", "CONNECT"},
    {"after helo", "EHLO"},
    {"after ehlo", "EHLO"},
    {"our rcpt to", "RCPT"},
    {"our mail from", "MAIL"},
    {"our data", "DATA"},
    {"our ehlo", "EHLO"},
    {"our helo", "EHLO"},
    {"does not like recipient", "RCPT"},
    {"rcpt to generated following response", "RCPT"},
    {"mail from generated following response", "MAIL"},
    {"data generated following response", "DATA"},
    {"[rcpt_to]", "RCPT"},
    {"[mail_from]", "MAIL"},
    {"[data]", "DATA"},
    {"[helo]", "EHLO"},
    {"smtp:rcpt", "RCPT"},
    {"smtp:mail", "MAIL"},
    {"smtp:data", "DATA"},
    {"sender was rejected", "MAIL"},
    {"my name was rejected", "EHLO"},
    {"refused to talk to me", "CONNECT"},
    {"does not like our mail from", "MAIL"},
    {"while sending rcpt", "RCPT"},
    {"while sending mail from", "MAIL"},
    {"while sending end of data", "END-OF-MESSAGE"},
    {">>> rcpt to", "RCPT"},
    {">>> mail from", "MAIL"},
    {">>> data", "DATA"},
    {">>> ehlo", "EHLO"},
    {">>> helo", "EHLO"},
    {"rcpt to:<", "RCPT"},
};

}  // namespace

ReplyInText reply_in(std::string_view text) {
  text = text.substr(0, kMost);
  ReplyInText reply;
  bool generic = true;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '4' && text[at] != '5') continue;
    if (at > 0 && is_digit(text[at - 1])) continue;
    if (!opens(text, at)) continue;
    if (at + 1 < text.size() && text[at + 1] == '.') {
      if (!generic) continue;
      size_t end = at + 1;
      while (end < text.size() && end - at < 9 && (is_digit(text[end]) || text[end] == '.')) ++end;
      if (end > at && text[end - 1] == '.') --end;
      // A part of an address or a version number ("7.5.1.2") is none.
      if (at >= 2 && text[at - 1] == '.' && is_digit(text[at - 2])) continue;
      const std::string_view status = text.substr(at, end - at);
      const StatusCode parsed = parse_status(status);
      if (parsed.kind < 0) continue;
      const bool says_more = parsed.subject != 0 || parsed.detail != 0;
      if (reply.status.empty() || (generic && says_more)) reply.status = status;
      generic = !says_more;
      at = end - 1;
    } else if (reply.code == 0) {
      const uint16_t code = code_at(text, at);
      if (code != 0 && is_likely(code) &&
          !counts_something(text.substr(std::min(at + 3, text.size())))) {
        reply.code = code;
      }
    }
  }
  return reply;
}

std::string_view stage_in(std::string_view text) {
  static const PhraseSearch search = [] {
    std::vector<std::pair<std::string, uint16_t>> phrases;
    for (const Stage& stage : kStages) {
      phrases.emplace_back(std::string(stage.words), static_cast<uint16_t>(phrases.size()));
    }
    return PhraseSearch(phrases);
  }();
  const uint16_t first = search.first_owner(lower_ascii(text.substr(0, kMost)),
                                            PhraseSearch::kNobody, [](uint16_t) { return true; });
  return first == PhraseSearch::kNobody ? std::string_view() : kStages[first].name;
}

}  // namespace watchpost::feedback
