#include "feedback/formats/postfix_reply.h"

#include "base/ascii.h"
#include "feedback/formats/postfix_text.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace watchpost::feedback {
namespace {

constexpr size_t npos = std::string_view::npos;

struct Stage {
  std::string_view words;
  std::string_view name;
};

// The command in "(in reply to X command)", and what follows "while " in the smtp client's own
// words.
std::string_view stage_of(std::string_view words) {
  constexpr std::array kStages{
      Stage{"RCPT TO", "RCPT"},
      Stage{"MAIL FROM", "MAIL"},
      Stage{"end of DATA", "END-OF-MESSAGE"},
      Stage{"DATA", "DATA"},
      Stage{"EHLO", "EHLO"},
      Stage{"HELO", "HELO"},
      Stage{"LHLO", "LHLO"},
      Stage{"STARTTLS", "STARTTLS"},
      Stage{"AUTH", "AUTH"},
      Stage{"BDAT", "BDAT"},
      Stage{"receiving the initial server greeting", "CONNECT"},
      Stage{"performing the EHLO handshake", "EHLO"},
      Stage{"performing the HELO handshake", "HELO"},
      Stage{"performing the LHLO handshake", "LHLO"},
      Stage{"sending MAIL FROM", "MAIL"},
      Stage{"sending RCPT TO", "RCPT"},
      Stage{"sending DATA command", "DATA"},
      Stage{"sending end of data", "END-OF-MESSAGE"},
      Stage{"sending message body", "END-OF-MESSAGE"},
  };
  for (const Stage& stage : kStages) {
    if (words.starts_with(stage.words)) return stage.name;
  }
  return {};
}

// "(in reply to RCPT TO command)" off the end.
std::string_view take_stage(std::string_view& text) {
  constexpr std::string_view kOpen = " (in reply to ";
  constexpr std::string_view kClose = " command)";
  if (!text.ends_with(kClose)) return {};
  const size_t at = text.rfind(kOpen);
  if (at == npos) return {};
  const std::string_view stage = stage_of(text.substr(at + kOpen.size()));
  text = text.substr(0, at);
  return stage;
}

// `text` begins behind '<'. The address up to the first '>' with one of `followers` (or nothing)
// behind it.
std::string_view bracketed(std::string_view text,
                           std::initializer_list<std::string_view> followers) {
  for (size_t at = behind_quoted(text, 0);; ++at) {
    at = text.find('>', at);
    if (at == npos) return {};
    const std::string_view behind = text.substr(at + 1);
    const auto follows = [&](std::string_view word) { return behind.starts_with(word); };
    if (behind.empty() || std::ranges::any_of(followers, follows)) return text.substr(0, at);
  }
}

// Where the attributes ("; from=<> to=<> ...") begin behind the reply.
size_t attributes_at(std::string_view reply) {
  // "550 5.1.1 <"quoted"@example.com>: ...": a quoted local part may hold anything.
  constexpr size_t kEchoAt = 16;
  const size_t echo = reply.find("<\"");
  const size_t begin = echo < kEchoAt ? behind_quoted(reply, echo + 1) : 0;
  for (const std::string_view first : {"; from=<", "; to=<", "; proto="}) {
    if (const size_t at = reply.find(first, begin); at != npos) return at;
  }
  return npos;
}

// " sasl_username=<login>" at the very end. What stands before it is the HELO name, out of which
// smtpd has taken brackets and blanks; addresses, which can hold anything, stand before that and so
// can never come last.
std::string_view login_at_end(std::string_view attributes) {
  constexpr std::string_view kLogin = " sasl_username=<";
  constexpr std::string_view kHelo = " helo=<";
  const size_t at = attributes.rfind(kLogin);
  if (at == npos || !attributes.ends_with('>')) return {};
  std::string_view login = attributes.substr(at + kLogin.size());
  login.remove_suffix(1);
  std::string_view helo = attributes.substr(0, at);
  const size_t helo_at = helo.rfind(kHelo);
  if (helo_at == npos || !helo.ends_with('>')) return {};
  helo = helo.substr(helo_at + kHelo.size());
  helo.remove_suffix(1);
  if (login.find_first_of("<>") != npos || helo.find_first_of("<> ") != npos) return {};
  return login;
}

void read_attributes(std::string_view attributes, RejectLine& line) {
  if (take_prefix(attributes, "from=<")) {
    line.sender = bracketed(attributes, {" to=<", ", to=<", " proto=", ", proto="});
    line.has_sender = true;
    const size_t behind = std::min(line.sender.size() + 1, attributes.size());
    attributes.remove_prefix(behind);
    if (!take_prefix(attributes, " ")) take_prefix(attributes, ", ");
  }
  if (take_prefix(attributes, "to=<")) {
    line.recipient = bracketed(attributes, {" proto=", ", proto=", " helo=", ", helo="});
  }
  line.credential = login_at_end(attributes);
}

bool is_stage(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '.'; };
  return !text.empty() && std::ranges::all_of(text, fits);
}

// RFC 3463 2: class "." subject "." detail, the last two of one to three digits.
std::string_view enhanced_status(std::string_view text) {
  const std::string_view status = text.substr(0, text.find(' '));
  const auto fits = [](char c) { return is_digit(c) || c == '.'; };
  const bool is_status = status.size() >= 5 && status.size() <= 9 && status[1] == '.' &&
                         is_digit(status[0]) && is_digit(status[2]) && is_digit(status.back()) &&
                         std::ranges::count(status, '.') == 2 && std::ranges::all_of(status, fits);
  return is_status ? status : std::string_view();
}

size_t count_of(std::string_view text, std::string_view word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

SmtpReply read_smtp_reply(std::string_view text) {
  // RFC 5321 4.2.1: three digits, the first 2 to 5. A milter's words may lack them.
  if (text.size() < 3 || text[0] < '2' || text[0] > '5' || !is_digit(text[1]) ||
      !is_digit(text[2]) || (text.size() > 3 && text[3] != ' ' && text[3] != '-')) {
    return {0, enhanced_status(text)};
  }
  SmtpReply reply{
      static_cast<uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'))};
  reply.status = enhanced_status(text.substr(std::min<size_t>(4, text.size())));
  return reply;
}

FailureText read_failure(std::string_view text) {
  FailureText failure{.reply = text};
  std::string_view said = text;
  failure.stage = take_stage(said);
  take_prefix(said, "delivery temporarily suspended: ");
  take_prefix(said, "SASL authentication failed; server ") || take_prefix(said, "host ");
  const size_t open = said.find('[');
  const size_t close = said.find(']', std::min(open, said.size()));
  if (close == npos || said.find(' ') < open) {
    // "connect to H[ip]:25: ...", "lost connection with H[ip] while ...", "conversation with ..."
    for (const std::string_view first :
         {"connect to ", "lost connection with ", "conversation with "}) {
      std::string_view rest = said;
      if (!take_prefix(rest, first)) continue;
      failure.peer = read_peer(rest.substr(0, rest.find(' ')));
      const size_t during = rest.find(" while ");
      if (first == "connect to ") {
        failure.stage = "CONNECT";
      } else if (during != npos) {
        failure.stage = stage_of(rest.substr(during + 7));
      }
    }
    return failure;
  }
  std::string_view words = said.substr(close + 1);
  if (take_prefix(words, " refused to talk to me: ")) {
    failure.stage = "CONNECT";
  } else if (!take_prefix(words, " said: ")) {
    return failure;
  }
  failure.peer = read_peer(said.substr(0, close + 1));
  failure.reply = words;
  return failure;
}

std::optional<RejectLine> read_reject(std::string_view text) {
  RejectLine line;
  const size_t stage_end = std::min(text.find_first_of(" :"), text.size());
  line.stage = text.substr(0, stage_end);
  if (!is_stage(line.stage)) return std::nullopt;
  text.remove_prefix(stage_end);
  if (take_prefix(text, " from ")) {
    const size_t close = text.find("]:");
    const size_t blank = text.find(' ');
    if (close == npos || blank < close) return std::nullopt;
    line.client = read_peer(text.substr(0, close + 1));
    text.remove_prefix(std::min(blank, text.size()));  // behind a port there is another colon
    if (!take_prefix(text, " ")) return std::nullopt;
  } else if (!take_prefix(text, ": ")) {
    return std::nullopt;
  }
  const size_t attributes = attributes_at(text);
  line.reply = text.substr(0, attributes);
  if (attributes != npos) read_attributes(text.substr(attributes + 2), line);
  return line;
}

std::optional<RejectLine> read_content_reject(std::string_view text) {
  if (!text.starts_with("header ") && !text.starts_with("body ") &&
      !text.starts_with("mime-header ") && !text.starts_with("nested-header ")) {
    return std::nullopt;
  }
  RejectLine line{.stage = "END-OF-MESSAGE"};
  const size_t attributes = text.rfind("; from=<");
  if (attributes == npos) return line;
  const std::string_view before = text.substr(0, attributes);
  if (const size_t from = before.rfind(" from "); from != npos) {
    line.client = read_peer(before.substr(from + 6));
  }
  std::string_view rest = text.substr(attributes + 2);
  if (const size_t reply = rest.rfind(">: "); reply != npos) {
    line.reply = rest.substr(reply + 3);
    rest = rest.substr(0, reply + 1);
  }
  read_attributes(rest, line);
  line.credential = {};  // cleanup does not log it
  return line;
}

namespace {

// What stands in the mark: a decision, that the recipient is suppressed (with a code over it, which
// only the pipeline can check, or without one), or the border's own rules.
bool is_our_mark(std::string_view what) {
  if (what == "suppression" || what == "border") return true;
  if (take_prefix(what, "suppression ")) {
    const auto fits = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
    return what.size() == 16 && std::ranges::all_of(what, fits);
  }
  if (!what.starts_with("d-") || what.size() < 3 || what.size() > 22) return false;
  return std::ranges::all_of(what.substr(2), is_digit);
}

constexpr std::string_view kMarker = " (watchpost ";

// The reply without our mark at its end; nothing where there is none that can be believed.
// Recipients, senders and login names can hold any words, and smtpd repeats them in its reply. So
// both the marker and what follows it must stand in the line once only, next to each other: an
// address with either of them in it would bring it in a second time (in the reply and in to=<> or
// from=<>), and then nothing is believed.
std::optional<std::string_view> before_mark(const RejectLine& line, std::string_view text) {
  constexpr std::string_view kBehind = "; from=<";
  if (!line.has_sender || !line.reply.ends_with(')')) return std::nullopt;
  const size_t marker = line.reply.rfind(kMarker);
  if (marker == npos) return std::nullopt;
  std::string_view what = line.reply.substr(marker + kMarker.size());
  what.remove_suffix(1);
  if (!is_our_mark(what)) return std::nullopt;
  if (count_of(text, kMarker) != 1 || count_of(text, kBehind) != 1) return std::nullopt;
  return line.reply.substr(0, marker);
}

}  // namespace

bool is_our_own_reply(const RejectLine& line, std::string_view text) {
  const auto before = before_mark(line, text);
  // smtpd: "554 5.7.1 <name>: Recipient address rejected: " and then what the policy server
  // answered. Two other replies of that shape end in words of others: a login name, and what a
  // remote server said when the address was probed.
  return before && read_smtp_reply(line.reply).code >= 400 && before->find(" rejected: ") != npos &&
         before->find(" not owned by user ") == npos && before->find(" said: ") == npos &&
         before->find(" refused to talk to me: ") == npos;
}

bool is_our_milters_reply(const RejectLine& line, std::string_view text) {
  const auto before = before_mark(line, text);
  // Ours repeats nothing of the session, and so has no brackets. cleanup leaves out the code.
  const std::string_view status = read_smtp_reply(line.reply).status;
  return before && before->find_first_of("<>") == npos &&
         (status.starts_with('4') || status.starts_with('5'));
}

}  // namespace watchpost::feedback
