#pragma once
#include "net/smtp_mail.h"

#include <expected>
#include <string>
#include <string_view>

namespace watchpost::net {

// Why a command is not carried out: the reply's code, its enhanced code (RFC 3463) and its text.
struct SmtpRefusal {
  int code = 0;
  std::string_view status;
  std::string_view text;  // a literal
};

// Pure and total, as all of this file.

struct MailArguments {
  std::string sender;  // empty for the null sender
  MailParameters parameters;
};
// What stands behind "MAIL " (RFC 5321 section 4.1.2): "FROM:<user@example.com> SIZE=1000".
std::expected<MailArguments, SmtpRefusal> parse_mail_arguments(std::string_view text);
// What stands behind "RCPT ": "TO:<user@example.com> NOTIFY=NEVER". Addresses beyond ASCII need
// `smtputf8`, which the sender's command has said (RFC 6531 section 3.4).
std::expected<MailRecipient, SmtpRefusal> parse_rcpt_arguments(std::string_view text,
                                                               bool smtputf8);
// The name in HELO, EHLO and LHLO: a domain, an address literal, or what passes for one: printable
// ASCII without blanks, at most 255 bytes.
bool is_helo_name(std::string_view text);

}  // namespace watchpost::net
