// Bytes as they may come over a connection to the SMTP and LMTP server. The first byte chooses the
// protocol and what becomes of messages; what stands behind the first "\n[TLS]\n" comes under TLS,
// where it comes to that.
#include "net/smtp_session.h"

#include "net/smtp_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using watchpost::net::MailOutcome;
using watchpost::net::MailProtocol;
using watchpost::net::MailRecipient;
using watchpost::net::ReceivedMail;
using watchpost::net::SmtpLimits;
using watchpost::net::SmtpSession;

constexpr SmtpLimits kLimits{.message_bytes = 300,
                             .recipients = 3,
                             .command_bytes = 128,
                             .errors = 4,
                             .idle_commands = 12,
                             .ahead_bytes = 160};
// A message and its recipients; buffers and a session's replies. Strings keep twice what is in
// them.
constexpr size_t kMostHeld = 2 * (300 + 160) + 3 * 1024 + 2 * (16 * 1024 + 8 * 1024);

void check(bool holds) {
  if (!holds) __builtin_trap();
}

struct Choice {
  MailProtocol protocol = MailProtocol::smtp;
  bool offers_tls = false;
  MailOutcome outcome;
};
Choice choice_of(uint8_t byte) {
  Choice choice;
  if ((byte & 1) != 0) choice.protocol = MailProtocol::lmtp;
  choice.offers_tls = (byte & 2) != 0;
  choice.outcome.kind = static_cast<MailOutcome::Kind>((byte >> 2) % 3);
  choice.outcome.text = (byte & 64) != 0 ? "a\r\n250 b" : "";
  return choice;
}

struct Conversation {
  std::string replies;
  std::vector<ReceivedMail> mails;
  bool closed = false;
};

// No reply is anything but lines that begin with a code, and none is longer than a line may be.
void check_replies(std::string_view replies) {
  while (!replies.empty()) {
    const size_t end = replies.find("\r\n");
    check(end != replies.npos && end >= 4 && end + 2 <= 512);
    const std::string_view line = replies.substr(0, end);
    check(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
    check(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7F; }));
    replies.remove_prefix(end + 2);
  }
}

bool is_clean(std::string_view text) {
  return watchpost::net::is_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
}

void check_mail(const ReceivedMail& mail) {
  check(!mail.helo.empty() && is_clean(mail.helo) && is_clean(mail.mail_from));
  check(mail.bytes.size() <= kLimits.message_bytes);
  check(!mail.recipients.empty() && mail.recipients.size() <= kLimits.recipients);
  for (const MailRecipient& one : mail.recipients) {
    check(!one.address.empty() && is_clean(one.address) && is_clean(one.original));
    check(is_clean(one.notify));
  }
  check(is_clean(mail.parameters.envelope_id));
  // Whoever sends it on can smuggle nothing: each line ends in CRLF, and there is no other CR or
  // LF.
  for (size_t at = 0; at < mail.bytes.size(); ++at) {
    if (mail.bytes[at] == '\n') check(at > 0 && mail.bytes[at - 1] == '\r');
    if (mail.bytes[at] == '\r') check(at + 1 < mail.bytes.size() && mail.bytes[at + 1] == '\n');
  }
}

class Talk {
 public:
  explicit Talk(const Choice& choice)
      : choice_(choice),
        session_(
            {.protocol = choice.protocol, .name = "mx.example", .offers_tls = choice.offers_tls},
            kLimits) {}

  // false where the session wants no more of these bytes: it is closed, or begins TLS.
  bool say(std::string_view bytes, size_t piece) {
    while (run()) {
      if (bytes.empty()) return true;
      check(session_.room() > 0);
      const size_t count = session_.put(bytes.substr(0, piece));
      check(count > 0 && count <= bytes.size());
      bytes.remove_prefix(count);
    }
    return false;
  }
  bool begins_tls() const { return begins_tls_; }
  void tls_started() {
    begins_tls_ = false;
    session_.tls_started("TLS");
  }
  Conversation take() { return std::move(heard_); }

 private:
  // true where the session wants input.
  bool run() {
    for (;;) {
      check(session_.held() <= kMostHeld);
      switch (session_.advance()) {
        case SmtpSession::Next::read: return true;
        case SmtpSession::Next::write: {
          const std::string replies = session_.take_replies();
          check(!replies.empty());
          heard_.replies += replies;
          break;
        }
        case SmtpSession::Next::mail:
          heard_.mails.push_back(session_.take_mail());
          session_.conclude(choice_.outcome);
          break;
        case SmtpSession::Next::tls:
          check(choice_.offers_tls && session_.room() == 0);
          begins_tls_ = true;
          return false;
        case SmtpSession::Next::close: heard_.closed = true; return false;
      }
    }
  }

  Choice choice_;
  SmtpSession session_;
  Conversation heard_;
  bool begins_tls_ = false;
};

Conversation converse(const Choice& choice, std::string_view bytes, size_t piece) {
  constexpr std::string_view kMark = "\n[TLS]\n";
  const size_t mark = bytes.find(kMark);
  Talk talk(choice);
  if (talk.say(bytes.substr(0, mark), piece) || !talk.begins_tls()) return talk.take();
  if (mark == bytes.npos) return talk.take();
  talk.tls_started();
  talk.say(bytes.substr(mark + kMark.size()), piece);
  return talk.take();
}

void check_same(const ReceivedMail& one, const ReceivedMail& other) {
  check(one.bytes == other.bytes && one.mail_from == other.mail_from && one.helo == other.helo);
  check(one.tls == other.tls && one.recipients.size() == other.recipients.size());
  for (size_t i = 0; i < one.recipients.size(); ++i) {
    check(one.recipients[i].address == other.recipients[i].address);
    check(one.recipients[i].original == other.recipients[i].original);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Choice choice = choice_of(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Conversation whole = converse(choice, bytes, std::string_view::npos);
  check_replies(whole.replies);
  for (const ReceivedMail& mail : whole.mails) check_mail(mail);
  // However the network cuts the bytes, they say the same.
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{61}}) {
    const Conversation cut = converse(choice, bytes, piece);
    check(cut.replies == whole.replies && cut.closed == whole.closed);
    check(cut.mails.size() == whole.mails.size());
    for (size_t i = 0; i < cut.mails.size(); ++i) check_same(cut.mails[i], whole.mails[i]);
  }
  return 0;
}
