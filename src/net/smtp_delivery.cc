#include "net/smtp_delivery.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace watchpost::net {
namespace {

using Kind = SmtpFate::Kind;

constexpr size_t kLongestAddress = 1000;  // SMTPUTF8 has no shorter limit than that of the line
constexpr size_t kLongestArguments = 1000;

bool has_utf8(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// What stands between < and > in MAIL and RCPT: nothing that could end the line, or be taken for
// arguments. A quoted local part may have blanks and brackets (RFC 5321 4.1.2).
bool is_address(std::string_view address) {
  bool quoted = false;
  for (size_t at = 0; at < address.size(); ++at) {
    const auto byte = static_cast<unsigned char>(address[at]);
    if (byte < ' ' || byte == 0x7F) return false;
    if (byte == '"') quoted = !quoted;
    if (quoted && byte == '\\' && ++at == address.size()) return false;
    if (quoted && at < address.size() && static_cast<unsigned char>(address[at]) < ' ')
      return false;
    if (!quoted && (byte == ' ' || byte == '<' || byte == '>')) return false;
  }
  return !quoted && address.size() <= kLongestAddress;
}

bool are_arguments(std::string_view arguments) {
  return arguments.size() <= kLongestArguments && std::ranges::all_of(arguments, [](char c) {
           return static_cast<unsigned char>(c) >= ' ' && c != 0x7F;
         });
}

// Only together: a server that takes a lone one for a line's end finds another message in this one.
bool has_whole_line_ends(std::string_view text) {
  for (size_t at = find_any<'\r', '\n'>(text); at < text.size();
       at = find_any<'\r', '\n'>(text, at + 2)) {
    if (text.substr(at, 2) != "\r\n") return false;
  }
  return true;
}

Result<Done> check(const SmtpMail& mail) {
  if (mail.to.empty()) return fail(Code::bad_input, "a mail without recipients");
  if (!is_address(mail.from)) return fail(Code::bad_input, "its sender is no mail address");
  bool good = are_arguments(mail.arguments);
  for (const SmtpMail::Recipient& to : mail.to) {
    if (to.address.empty() || !is_address(to.address)) {
      return fail(Code::bad_input, "a recipient is no mail address");
    }
    good &= are_arguments(to.arguments);
  }
  if (!good) return fail(Code::bad_input, "the arguments of its envelope are none");
  if (!has_whole_line_ends(mail.message) || !has_whole_line_ends(mail.head) ||
      !(mail.head.empty() || mail.head.ends_with("\r\n"))) {
    return fail(Code::bad_input,
                "it has a line end that is not CR LF: it cannot be sent byte for byte");
  }
  return Done{};
}

bool offered(const std::vector<std::string>& offers, std::string_view extension) {
  return std::ranges::any_of(offers,
                             [&](const std::string& one) { return equal_nocase(one, extension); });
}

std::string_view keyword_of(std::string_view argument) {
  return argument.substr(0, argument.find('='));
}

SmtpFate fate_of(const SmtpReply& reply) {
  if (reply.is_fine()) return {Kind::taken, reply.line()};
  return {reply.is_no() ? Kind::refused : Kind::deferred, reply.line()};
}

}  // namespace

std::string mail_arguments(std::string_view arguments, const std::vector<std::string>& offers,
                           uint64_t size) {
  std::string out;
  if (offered(offers, "SIZE")) out += fmt::format(" SIZE={}", size);
  for (const std::string_view argument : words(arguments)) {
    const std::string_view keyword = keyword_of(argument);
    if (equal_nocase(keyword, "BODY") && offered(offers, "8BITMIME")) {
      // Whatever it once came by, it goes by DATA.
      out += equal_nocase(argument, "BODY=7BIT") ? " BODY=7BIT" : " BODY=8BITMIME";
    } else if (equal_nocase(argument, "SMTPUTF8") && offered(offers, "SMTPUTF8")) {
      out += " SMTPUTF8";
    } else if ((equal_nocase(keyword, "RET") || equal_nocase(keyword, "ENVID")) &&
               offered(offers, "DSN")) {
      out += fmt::format(" {}", argument);
    }
  }
  return out;
}

std::string recipient_arguments(std::string_view arguments,
                                const std::vector<std::string>& offers) {
  std::string out;
  if (!offered(offers, "DSN")) return out;
  for (const std::string_view argument : words(arguments)) {
    const std::string_view keyword = keyword_of(argument);
    if (equal_nocase(keyword, "NOTIFY") || equal_nocase(keyword, "ORCPT")) {
      out += fmt::format(" {}", argument);
    }
  }
  return out;
}

struct SmtpDelivery::Session {
  std::unique_ptr<SmtpLink> link;
  std::vector<std::string> offers;  // "SIZE", "8BITMIME"
  bool used = false;                // for a message before
};

// One message, from MAIL to the last answer.
class SmtpDelivery::Transaction {
 public:
  Transaction(const SmtpMail& mail, Session& session, const SmtpPatience& patience)
      : mail_(mail), session_(session), patience_(patience), fates_(mail.to.size()) {}

  void run() {
    const bool ready = say_envelope();
    if (!ready) return;
    if (std::ranges::none_of(fates_, is_open)) return reset();
    if (mail_.whole && !std::ranges::all_of(fates_, is_open)) {
      conclude({Kind::not_sent, "the server refused another recipient of it"});
      return reset();
    }
    const auto go_on = ask("DATA\r\n");
    if (!go_on) return;
    if (go_on->code == 354) return send_message();
    // 250 to DATA would be no SMTP: nothing has been sent yet that could have been taken.
    const SmtpFate no =
        go_on->is_fine() ? SmtpFate{Kind::not_sent, go_on->line()} : fate_of(*go_on);
    conclude(no);
    if (go_on->code < 400) broken_ = true;
    reset();
  }

  std::vector<SmtpFate> take_fates() { return std::move(fates_); }
  // The connection can be used again.
  bool is_clean() const { return !broken_; }
  // Ended before the server answered anything, as idle connections do.
  bool was_stale() const { return answers_ == 0 && broken_; }

 private:
  static bool is_open(const SmtpFate& fate) { return fate.kind == Kind::taken; }

  void conclude(const SmtpFate& fate) {
    for (SmtpFate& one : fates_) {
      if (is_open(one)) one = fate;
    }
  }
  void lose(Kind kind, const Error& error) {
    broken_ = true;
    conclude({kind, error.text()});
  }

  // A command and its answer. None: the connection is gone, and so is the transaction.
  std::optional<SmtpReply> ask(std::string_view command) {
    if (!session_.link->is_quiet()) {
      lose(Kind::not_sent, {Code::corrupt, "the server spoke out of turn, or has closed", ""});
      return std::nullopt;
    }
    if (const auto sent = session_.link->write(command, patience_.reply); !sent) {
      lose(Kind::not_sent, sent.error());
      return std::nullopt;
    }
    auto reply = session_.link->reply(patience_.reply, Duration(0));
    if (!reply) {
      lose(Kind::not_sent, reply.error());
      return std::nullopt;
    }
    ++answers_;
    if (reply->code == 421) broken_ = true;  // it closes now
    return std::move(*reply);
  }

  // False: it has ended, and all have their fate.
  bool say_envelope() {
    for (SmtpFate& one : fates_) one.kind = Kind::taken;  // so far
    if (needs_utf8() && !offered(session_.offers, "SMTPUTF8")) {
      conclude({Kind::refused, "the server does not offer SMTPUTF8, which this message needs"});
      return false;
    }
    const uint64_t size = mail_.head.size() + mail_.message.size();
    const auto sender = ask(fmt::format("MAIL FROM:<{}>{}\r\n", mail_.from,
                                        mail_arguments(mail_.arguments, session_.offers, size)));
    if (!sender) return false;
    if (!sender->is_fine()) {
      conclude(fate_of(*sender));
      reset();
      return false;
    }
    for (size_t i = 0; i < mail_.to.size(); ++i) {
      const SmtpMail::Recipient& to = mail_.to[i];
      const auto answer = ask(fmt::format("RCPT TO:<{}>{}\r\n", to.address,
                                          recipient_arguments(to.arguments, session_.offers)));
      if (!answer) return false;
      fates_[i] = fate_of(*answer);
    }
    return true;
  }

  bool needs_utf8() const {
    return has_utf8(mail_.from) ||
           std::ranges::any_of(mail_.to, [](const auto& to) { return has_utf8(to.address); }) ||
           std::ranges::any_of(words(mail_.arguments),
                               [](auto word) { return equal_nocase(word, "SMTPUTF8"); });
  }

  // RFC 5321 4.5.2: a dot more before each line that begins with one.
  Result<Done> write_stuffed(std::string_view text) {
    constexpr size_t kAtOnce = size_t{64} * 1024;
    std::string out;
    bool line_start = true;
    while (!text.empty()) {
      if (line_start && text.front() == '.') out += '.';
      const size_t end = text.find('\n');
      const size_t count = std::min(end == std::string_view::npos ? text.size() : end + 1, kAtOnce);
      out += text.substr(0, count);
      line_start = out.back() == '\n';
      text.remove_prefix(count);
      if (out.size() < kAtOnce && !text.empty()) continue;
      if (const auto sent = session_.link->write(out, patience_.block); !sent) return sent;
      out.clear();
    }
    return Done{};
  }

  void send_message() {
    for (const std::string_view part : {mail_.head, mail_.message}) {
      if (const auto sent = write_stuffed(part); !sent) return lose(Kind::not_sent, sent.error());
    }
    // What it answers before the end is no answer to the end.
    if (!session_.link->is_quiet()) {
      const auto early = session_.link->reply(Duration(0), Duration(0));
      const std::string text = early ? early->line() : early.error().text();
      return lose(Kind::not_sent, {Code::refused, "it broke off within the message: " + text, ""});
    }
    const std::string_view last = mail_.message.empty() ? mail_.head : mail_.message;
    const bool whole_line = last.empty() || last.ends_with("\r\n");
    // From the first byte of this on the server may have the message, whatever becomes of us.
    const auto ended =
        session_.link->write(whole_line ? ".\r\n" : "\r\n.\r\n", patience_.final_reply);
    if (!ended) return lose(Kind::in_doubt, ended.error());
    const auto reply = session_.link->reply(patience_.final_reply, patience_.at_stop);
    if (!reply) return lose(Kind::in_doubt, reply.error());
    if (reply->code == 421) broken_ = true;
    // Neither yes nor no.
    if (!reply->is_fine() && reply->code < 400) {
      return lose(Kind::in_doubt, {Code::corrupt, reply->line(), ""});
    }
    conclude(fate_of(*reply));
  }

  void reset() {
    if (broken_) return;
    const auto answer = ask("RSET\r\n");
    broken_ |= !answer || !answer->is_fine();
  }

  const SmtpMail& mail_;
  Session& session_;
  const SmtpPatience& patience_;
  std::vector<SmtpFate> fates_;  // `taken` as long as nothing else is known
  bool broken_ = false;
  int answers_ = 0;
};

SmtpDelivery::SmtpDelivery(Settings settings, const SmtpStop& stop)
    : settings_(std::move(settings)), stop_(stop) {}

SmtpDelivery::~SmtpDelivery() {
  if (session_) static_cast<void>(session_->link->write("QUIT\r\n", Duration(0)));
}

Result<Done> SmtpDelivery::open() {
  if (stop_.stopped()) return fail(Code::refused, "Watchpost is being stopped");
  const SmtpPatience& patience = settings_.patience;
  auto link = SmtpLink::connect(settings_.server, patience.connect, stop_);
  if (!link) return fail(link.error());
  const auto refused = [&](const SmtpReply& reply) {
    return fail(Code::refused, "the mail server takes nothing now: " + reply.line(),
                settings_.server);
  };
  const auto greeting = (*link)->reply(patience.reply, Duration(0));
  if (!greeting) return fail(greeting.error());
  if (!greeting->is_fine()) return refused(*greeting);
  std::vector<std::string> offers;
  for (const std::string_view hello : {"EHLO", "HELO"}) {
    const auto said =
        (*link)->write(fmt::format("{} {}\r\n", hello, settings_.helo), patience.reply);
    if (!said) return said;
    const auto reply = (*link)->reply(patience.reply, Duration(0));
    if (!reply) return fail(reply.error());
    if (!reply->is_fine()) {
      // RFC 5321 3.2: a server that knows no EHLO may know HELO.
      if (hello == "EHLO" && reply->is_no()) continue;
      return refused(*reply);
    }
    // The first line is its name.
    const auto lines = split(reply->text, '\n');
    for (size_t i = 1; hello == "EHLO" && i < lines.size(); ++i) {
      const auto said_words = words(lines[i]);
      if (!said_words.empty()) offers.emplace_back(said_words.front());
    }
    break;
  }
  session_ = std::make_unique<Session>(std::move(*link), std::move(offers));
  return Done{};
}

Result<SmtpDelivery::Outcome> SmtpDelivery::send(const SmtpMail& mail) {
  if (const auto checked = check(mail); !checked) return fail(checked.error());
  for (;;) {
    if (!session_) {
      if (const auto opened = open(); !opened) {
        const SmtpFate fate{Kind::not_sent, opened.error().text()};
        return Outcome{std::vector(mail.to.size(), fate), false};
      }
    }
    Transaction transaction(mail, *session_, settings_.patience);
    transaction.run();
    const bool stale = session_->used && transaction.was_stale();
    session_->used = true;
    if (!transaction.is_clean()) session_.reset();
    // Servers close what is idle: the message was not begun, and another connection may take it.
    if (!stale) return Outcome{transaction.take_fates(), true};
  }
}

}  // namespace watchpost::net
