#pragma once
#include "base/result.h"
#include "base/time.h"
#include "net/smtp_link.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::net {

// A message to be handed to a mail server, byte for byte.
struct SmtpMail {
  struct Recipient {
    std::string address;  // without angle brackets
    std::string arguments;
  };
  std::string from;  // without angle brackets; empty: the null sender
  // Of ESMTP, as a client once gave them: "SIZE=1234 BODY=8BITMIME RET=HDRS". Passed on is what the
  // server knows; SIZE is counted anew.
  std::string arguments;
  std::vector<Recipient> to;
  // To all recipients or none: where the server refuses one, nothing is sent to the others. Then
  // who loses the answer to a message knows whom it is about.
  bool whole = false;
  std::string_view head;  // of the message: goes before `message`; whole lines
  std::string_view message;
};

// What became of a message for one recipient.
struct SmtpFate {
  enum class Kind : uint8_t {
    taken,     // the server answers for it from now on
    deferred,  // it said no, for now
    refused,   // it said no, for good
    not_sent,  // it was not asked, or did not answer; it has nothing
    in_doubt,  // it may have it: no answer came to the end of the message
  };
  Kind kind = Kind::not_sent;
  std::string text;  // the reply, or what was wrong; not escaped
};

struct SmtpPatience {
  Duration connect = std::chrono::seconds(10);
  Duration reply = std::chrono::seconds(60);
  Duration block = std::chrono::minutes(3);         // RFC 5321 4.5.3.2.5
  Duration final_reply = std::chrono::minutes(10);  // RFC 5321 4.5.3.2.6
  Duration at_stop = std::chrono::seconds(5);       // the final reply, from a stop on
};

// Hands messages to one SMTP server, and says exactly what became of each.
//   Use:     send(); the connection is kept for the next. Without TLS: for servers on this machine,
//            or behind a network that is trusted.
//   Owns:    its connection. `stop` must outlive it; once stopped, nothing more is begun.
//   Threads: one, which blocks.
//   Fails:   send() with bad_input where the message cannot be sent as it is: a CR or LF that is
//            not part of a CRLF (RFC 5321 2.3.8: servers disagree on where such a message ends), or
//            an address or argument that is none. Then nothing was said to the server.
//   Why:     not libcurl: it cannot tell "not sent" from "in doubt", and has one answer for all.
class SmtpDelivery {
 public:
  struct Settings {
    std::string server;  // "127.0.0.1:10026"
    std::string helo;
    SmtpPatience patience = {};
  };
  SmtpDelivery(Settings settings, const SmtpStop& stop);
  ~SmtpDelivery();  // says QUIT, and does not wait for the answer

  struct Outcome {
    std::vector<SmtpFate> fates;  // one for each recipient, in their order
    bool reached = false;         // the server was there, and would have taken commands
  };
  Result<Outcome> send(const SmtpMail& mail);

 private:
  class Transaction;
  struct Session;

  Result<Done> open();

  const Settings settings_;
  const SmtpStop& stop_;
  std::unique_ptr<Session> session_;  // none: not connected
};

// What stands of `arguments` in a MAIL command to a server that offers the extensions named in
// `offers` ("SIZE", "8BITMIME", "SMTPUTF8", "DSN"): with a blank before each. Pure.
std::string mail_arguments(std::string_view arguments, const std::vector<std::string>& offers,
                           uint64_t size);
std::string recipient_arguments(std::string_view arguments, const std::vector<std::string>& offers);

}  // namespace watchpost::net
