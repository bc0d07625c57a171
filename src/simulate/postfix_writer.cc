#include "simulate/letter_text.h"
#include "simulate/text_writers.h"

#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace watchpost::simulate {
namespace {

class PostfixLines {
 public:
  PostfixLines(std::string& out, const Platform& platform, const Occurrence& occurrence)
      : out_(out), platform_(platform), one_(occurrence), letter_(occurrence.letter) {
    // All lines of a step have one stamp, as those of a busy server do.
    stamp_ = format_time(one_.at);
    stamp_.pop_back();
    if (stamp_.size() < 21) stamp_ += ".000000";
    stamp_ += "+00:00 mx1 postfix/";
    append_address(client_, letter_.client);
    append_queue_id(id_, letter_.key);
  }

  void write() {
    switch (one_.what) {
      case Happening::login_failed: login_failed(); return;
      case Happening::accepted: accepted(); return;
      case Happening::delivered:
      case Happening::deferred:
      case Happening::bounced: tried(); return;
      case Happening::expired: expired(); return;
      case Happening::bounced_late:
      case Happening::complained:
      case Happening::unsubscribed: return;
    }
  }

 private:
  template <class... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    out_ += stamp_;
    fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
    out_ += '\n';
  }

  unsigned process(uint64_t of) const {
    return 1000 + static_cast<unsigned>(mixed(letter_.key, of) % 30'000);
  }

  void login_failed() {
    std::string name;
    if (platform_.channel_of(letter_).customer == Channel::kNone) {
      append_guessed_login(name, platform_, letter_.key);
    } else {
      name = platform_.login_of(letter_).name;
    }
    line(
        "submission/smtpd[{}]: warning: unknown[{}]: SASL PLAIN authentication failed: "
        "authentication failure, sasl_username={}",
        process(1), client_, name);
  }

  void accepted() {
    const std::string& login = platform_.login_of(letter_).name;
    std::string message_id;
    append_message_id(message_id, letter_, platform_.customer_of(letter_));
    const unsigned door = process(1);
    line("submission/smtpd[{}]: connect from unknown[{}]", door, client_);
    line("submission/smtpd[{}]: {}: client=unknown[{}], sasl_method=PLAIN, sasl_username={}", door,
         id_, client_, login);
    line("cleanup[{}]: {}: message-id=<{}>", process(2), id_, message_id);
    line("qmgr[911]: {}: from=<{}>, size={}, nrcpt={} (queue active)", id_, login, letter_.size,
         letter_.recipients);
    line(
        "submission/smtpd[{}]: disconnect from unknown[{}] ehlo=2 starttls=1 auth=1 mail=1 rcpt={} "
        "data=1 quit=1 commands={}",
        door, client_, letter_.recipients, letter_.recipients + 6);
  }

  // What stands in the brackets behind the status.
  std::string said(const Reply& reply, std::string_view server) const {
    std::string text;
    append_reply(text, reply, one_.to);
    if (reply.code == 0 || one_.what == Happening::delivered) return text;
    if (reply.stage == "CONNECT")
      return fmt::format("host {} refused to talk to me: {}", server, text);
    const std::string_view command = reply.stage == "RCPT"   ? "RCPT TO"
                                     : reply.stage == "MAIL" ? "MAIL FROM"
                                                             : "end of DATA";
    return fmt::format("host {} said: {} (in reply to {} command)", server, text, command);
  }

  void tried() {
    const Reply& reply = replies()[one_.reply];
    std::string server;
    append_mx(server, one_.to);
    server += '[';
    append_mx_ip(server, one_.to);
    server += ']';
    std::string recipient;
    append_recipient(recipient, one_.to);
    std::string status;
    append_status(status, reply);
    const bool was_there = reply.code != 0 && reply.stage != "CONNECT";
    const std::string relay = was_there ? server + ":25" : "none";
    const double delay = delay_of(one_);
    const std::string_view outcome = one_.what == Happening::delivered  ? "sent"
                                     : one_.what == Happening::deferred ? "deferred"
                                                                        : "bounced";
    line(
        "smtp[{}]: {}: to=<{}>, relay={}, delay={:.2g}, delays={:.2g}/0.02/0.3/0.4, dsn={}, "
        "status={} ({})",
        process(3), id_, recipient, relay, delay, delay > 1 ? delay - 0.7 : 0.1, status, outcome,
        said(reply, server));
    if (one_.what == Happening::bounced) {
      std::string notice;
      append_queue_id(notice, mixed(letter_.key, 5));
      line("bounce[{}]: {}: sender non-delivery notification: {}", process(4), id_, notice);
    }
    if (one_.is_last) line("qmgr[911]: {}: removed", id_);
  }

  void expired() {
    if (!one_.is_last) return;
    line("qmgr[911]: {}: from=<{}>, status=expired, returned to sender", id_,
         platform_.login_of(letter_).name);
    line("qmgr[911]: {}: removed", id_);
  }

  std::string& out_;
  const Platform& platform_;
  const Occurrence& one_;
  const Letter& letter_;
  std::string stamp_;
  std::string client_;
  std::string id_;
};

}  // namespace

void write_postfix(std::string& out, const Platform& platform, const Occurrence& occurrence) {
  PostfixLines(out, platform, occurrence).write();
}

}  // namespace watchpost::simulate
