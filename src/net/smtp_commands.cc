// What each command does; the rest of the session stands in smtp_session.cc.
#include "base/ascii.h"
#include "base/text.h"
#include "net/smtp_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

constexpr SmtpRefusal kUnknown{500, "5.5.1", "the command is not known"};
constexpr SmtpRefusal kNotOffered{502, "5.5.1", "the command is not offered"};
constexpr SmtpRefusal kControlBytes{500, "5.5.2", "a command is printable text"};
constexpr SmtpRefusal kNoArgument{501, "5.5.4", "the command takes no argument"};
constexpr SmtpRefusal kNotMail{521, "5.5.1", "this server takes mail only"};
constexpr SmtpRefusal kTooManyCommands{421, "4.7.0", "too many commands without a message"};

// A web browser that was talked into sending a request here, whose body would hold commands: a
// request line, or a header field that was taken for a command.
bool is_of_the_web(std::string_view verb) {
  constexpr std::array<std::string_view, 7> kMethods{"GET",    "POST",  "PUT",    "HEAD",
                                                     "DELETE", "PATCH", "OPTIONS"};
  return verb.ends_with(':') || equal_nocase(verb, "CONNECT") ||
         std::ranges::any_of(kMethods,
                             [&](std::string_view one) { return equal_nocase(verb, one); });
}

// They are bounded by other means: recipients by the time of a transaction, the others by messages.
bool belongs_to_a_message(std::string_view verb) {
  return equal_nocase(verb, "RCPT") || equal_nocase(verb, "DATA") || equal_nocase(verb, "BDAT");
}

struct ChunkArguments {
  uint64_t size = 0;
  bool last = false;
};
// RFC 3030 section 2: "1000", "86 LAST".
std::optional<ChunkArguments> chunk_in(std::string_view text) {
  const auto parts = words(text);
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  ChunkArguments out{.size = 0, .last = parts.size() == 2};
  const auto read = std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), out.size);
  const bool whole = read.ec == std::errc{} && read.ptr == parts[0].data() + parts[0].size();
  if (!whole || (out.last && !equal_nocase(parts[1], "LAST"))) return std::nullopt;
  return out;
}

}  // namespace

void SmtpSession::obey(std::string_view line) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  const std::string_view verb = line.substr(0, line.find(' '));
  std::string_view argument = line.substr(std::min(verb.size() + 1, line.size()));
  while (argument.starts_with(' ')) argument.remove_prefix(1);
  if (is_of_the_web(verb)) return close_with(kNotMail);
  if (!belongs_to_a_message(verb) && ++idle_commands_ > limits_.idle_commands) {
    return close_with(kTooManyCommands);
  }
  const bool has_control =
      std::ranges::any_of(line, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
  // The size of what follows BDAT must not be guessed at.
  if (has_control && equal_nocase(verb.substr(0, 4), "BDAT")) return close_with(kControlBytes);
  if (has_control) return refuse(kControlBytes);
  if (obey_greeting(verb, argument) || obey_transaction(verb, argument)) return;
  obey_other(verb, argument);
}

bool SmtpSession::obey_greeting(std::string_view verb, std::string_view argument) {
  const bool lhlo = equal_nocase(verb, "LHLO");
  if (!lhlo && !equal_nocase(verb, "EHLO") && !equal_nocase(verb, "HELO")) return false;
  // RFC 2033 section 4.1: LHLO in LMTP, and only there, so that neither is taken for the other.
  if (lhlo != (server_.protocol == MailProtocol::lmtp)) {
    refuse({500, "5.5.1", lhlo ? "this is SMTP: EHLO" : "this is LMTP: LHLO"});
  } else if (!is_helo_name(argument)) {
    refuse({501, "5.5.4", "a name of the client is needed"});
  } else {
    greet(verb, argument);
  }
  return true;
}

void SmtpSession::greet(std::string_view verb, std::string_view argument) {
  forget_mail();
  helo_ = argument;
  if (equal_nocase(verb, "HELO")) {
    replies_ += fmt::format("250 {}\r\n", server_.name);
    return;
  }
  replies_ += fmt::format(
      "250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
      "250-DSN\r\n",
      server_.name, limits_.message_bytes);
  if (server_.offers_tls && tls_.empty()) replies_ += "250-STARTTLS\r\n";
  replies_ += "250 ENHANCEDSTATUSCODES\r\n";
}

bool SmtpSession::obey_transaction(std::string_view verb, std::string_view argument) {
  const auto is = [&](std::string_view name) { return equal_nocase(verb, name); };
  if (is("MAIL")) {
    mail_from(argument);
  } else if (is("RCPT")) {
    rcpt_to(argument);
  } else if (is("DATA")) {
    data(argument);
  } else if (is("BDAT")) {
    bdat(argument);
  } else {
    return false;
  }
  return true;
}

void SmtpSession::mail_from(std::string_view argument) {
  if (helo_.empty()) return refuse({503, "5.5.1", "greet first"});
  if (in_transaction()) return refuse({503, "5.5.1", "there is a sender already"});
  auto arguments = parse_mail_arguments(argument);
  if (!arguments) return refuse(arguments.error());
  if (arguments->parameters.size.value_or(0) > limits_.message_bytes) {
    ++refused_.too_large;
    return refuse(kTooLarge);
  }
  if (storage_full_) {
    ++refused_.no_room;
    return refuse(kNoRoom);
  }
  has_sender_ = true;
  mail_.mail_from = std::move(arguments->sender);
  mail_.parameters = std::move(arguments->parameters);
  ++turn_;
  reply(250, "2.1.0", "sender noted");
}

void SmtpSession::rcpt_to(std::string_view argument) {
  if (!in_transaction()) return refuse({503, "5.5.1", "RCPT needs MAIL before it"});
  if (content_) return refuse({503, "5.5.1", "the message has begun"});
  auto recipient = parse_rcpt_arguments(argument, mail_.parameters.smtputf8);
  if (!recipient) return refuse(recipient.error());
  if (mail_.recipients.size() >= limits_.recipients) {
    // RFC 5321 section 4.5.3.1.10: the client sends it to the others in another transaction.
    ++refused_.recipients;
    return refuse({452, "4.5.3", "too many recipients at once"});
  }
  mail_.recipients.push_back(std::move(*recipient));
  reply(250, "2.1.5", "recipient noted");
}

void SmtpSession::data(std::string_view argument) {
  if (!argument.empty()) return refuse(kNoArgument);
  if (mail_.recipients.empty()) return refuse({503, "5.5.1", "DATA needs MAIL and RCPT before it"});
  if (content_) return refuse({503, "5.5.1", "the message comes in chunks"});
  begin_content(SmtpContent::Framing::dots);
  part_ = Part::data;
  replies_ += "354 end with a dot on a line of its own\r\n";
}

void SmtpSession::bdat(std::string_view argument) {
  const auto chunk = chunk_in(argument);
  // Where the next command begins is not known: nothing of the rest may be taken for one.
  if (!chunk) return close_with({501, "5.5.4", "BDAT needs a size"});
  const uint64_t most = 2 * uint64_t{limits_.message_bytes};
  const uint64_t before = content_ ? content_bytes_ : 0;
  if (chunk->size > most || before + chunk->size > most) {
    ++refused_.too_large;
    return close_with(kTooLarge);
  }
  chunk_left_ = chunk->size;
  last_chunk_ = chunk->last;
  if (mail_.recipients.empty()) {
    // RFC 3030 section 4.2: the bytes come all the same, and are no commands.
    part_ = Part::skipped_chunk;
    ++turn_;
    return;
  }
  if (!content_) begin_content(SmtpContent::Framing::counted);
  part_ = Part::chunk;
}

void SmtpSession::obey_other(std::string_view verb, std::string_view argument) {
  const auto is = [&](std::string_view name) { return equal_nocase(verb, name); };
  if (is("RSET") || is("QUIT")) {
    if (!argument.empty()) return refuse(kNoArgument);
    forget_mail();
    reply(is("RSET") ? 250 : 221, "2.0.0", is("RSET") ? "forgotten" : "closing");
    if (is("QUIT")) part_ = Part::closing;
  } else if (is("NOOP")) {
    reply(250, "2.0.0", "done");
  } else if (is("HELP")) {
    reply(214, "2.0.0", "see RFC 5321 and the documentation of Watchpost");
  } else if (is("VRFY")) {
    // RFC 5321 section 7.3: who is there is nobody's business.
    reply(252, "2.5.0", "send a message and see");
  } else if (is("STARTTLS")) {
    start_tls(argument);
  } else {
    const bool known = is("EXPN") || is("AUTH") || is("ETRN") || is("TURN") || is("SEND") ||
                       is("SOML") || is("SAML") || is("XCLIENT") || is("XFORWARD");
    refuse(known ? kNotOffered : kUnknown);
  }
}

void SmtpSession::start_tls(std::string_view argument) {
  if (!server_.offers_tls) return refuse(kNotOffered);
  if (!argument.empty()) return refuse(kNoArgument);
  if (!tls_.empty()) return refuse({503, "5.5.1", "TLS is in use"});
  if (helo_.empty()) return refuse({503, "5.5.1", "greet first"});
  forget_mail();
  reply(220, "2.0.0", "begin TLS");
  // What came behind the command came in the clear and could be anybody's: it must not be taken for
  // what the client says under TLS (CVE-2011-0411).
  refused_.before_tls += input().size();
  buffer_.clear();
  at_ = 0;
  part_ = Part::tls;
}

}  // namespace watchpost::net
