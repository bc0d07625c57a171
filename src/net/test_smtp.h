#pragma once
#include "net/smtp_session.h"

#include <string>
#include <string_view>
#include <vector>

namespace watchpost::net {

// For tests: a whole conversation with a session, its input cut into pieces.
struct SmtpTalk {
  SmtpSession::Server server{
      .protocol = MailProtocol::smtp, .name = "mx.example", .offers_tls = false};
  SmtpLimits limits = {};
  MailOutcome outcome{.kind = MailOutcome::Kind::accepted};

  std::string replies = {};
  std::vector<ReceivedMail> mails = {};
  bool closed = false;
  bool wants_tls = false;
  size_t most_held = 0;
  SmtpSession::Refused refused = {};

  // Ends where the session closes or begins TLS.
  SmtpTalk& say(std::string_view bytes, size_t piece = std::string_view::npos) {
    SmtpSession session(server, limits);
    while (step(session)) {
      if (bytes.empty()) break;
      const size_t count = session.put(bytes.substr(0, piece));
      if (count == 0) break;
      bytes.remove_prefix(count);
    }
    refused = session.refused();
    return *this;
  }

  // The codes of all replies, one for each last line: "220 250 354 250".
  std::string codes() const {
    std::string out;
    for (size_t at = 0; at < replies.size();) {
      const size_t end = replies.find("\r\n", at);
      if (replies.at(at + 3) == ' ') out += (out.empty() ? "" : " ") + replies.substr(at, 3);
      at = end + 2;
    }
    return out;
  }

 private:
  // true where the session wants input.
  bool step(SmtpSession& session) {
    for (;;) {
      most_held = std::max(most_held, session.held());
      switch (session.advance()) {
        case SmtpSession::Next::read: return true;
        case SmtpSession::Next::write: replies += session.take_replies(); break;
        case SmtpSession::Next::mail:
          mails.push_back(session.take_mail());
          session.conclude(outcome);
          break;
        case SmtpSession::Next::tls: wants_tls = true; return false;
        case SmtpSession::Next::close: closed = true; return false;
      }
    }
  }
};

}  // namespace watchpost::net
