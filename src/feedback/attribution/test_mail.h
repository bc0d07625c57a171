#pragma once
// Mails that come back, as tests need them.
#include "base/time.h"
#include "feedback/attribution/token.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace watchpost::feedback::test {

inline constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

struct MailText {
  std::string token = {};  // in the mail's own X-Mailing; empty: none
  std::string recipient = "kim@example.com";
  std::string reporter = "example.com";  // domain
  std::string message_id = "m1@news.example.net";
  std::string fields = {};  // further ones of the mail that came back, each with its line end
};

inline std::string original_text(const MailText& of) {
  std::string text = fmt::format(
      "From: News <news@example.net>\r\nTo: {}\r\nSubject: Offers\r\n"
      "Date: Mon, 30 Nov 2026 00:00:00 +0000\r\nMessage-ID: <{}>\r\n",
      of.recipient, of.message_id);
  if (!of.token.empty()) text += "X-Mailing: " + of.token + "\r\n";
  return text + of.fields;
}

// RFC 5965. `type`: "abuse", "not-spam", ...; without `rcpt` the recipient is not named.
inline std::string arf_text(const MailText& of, std::string_view type = "abuse", bool rcpt = true) {
  return fmt::format(
      "From: Feedback <fbl@{}>\r\nTo: fbl@example.net\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=feedback-report; boundary=b1\r\n\r\n"
      "--b1\r\nContent-Type: text/plain\r\n\r\nThis is a report of abuse.\r\n"
      "--b1\r\nContent-Type: message/feedback-report\r\n\r\n"
      "Feedback-Type: {}\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n{}"
      "--b1\r\nContent-Type: message/rfc822\r\n\r\n{}\r\nHello\r\n--b1--\r\n",
      of.reporter, type, rcpt ? "Original-Rcpt-To: <" + of.recipient + ">\r\n\r\n" : "\r\n",
      original_text(of));
}

// RFC 3464.
inline std::string dsn_text(const MailText& of, std::string_view action = "failed",
                            std::string_view status = "5.1.1") {
  return fmt::format(
      "From: Mail Delivery System <mailer-daemon@{}>\r\nTo: bounces@example.net\r\n"
      "Subject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b1\r\n\r\n"
      "--b1\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
      "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
      "Reporting-MTA: dns; mx.{}\r\n\r\nFinal-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\n"
      "Diagnostic-Code: smtp; 550 {} no such user here\r\n\r\n"
      "--b1\r\nContent-Type: message/rfc822\r\n\r\n{}\r\nHello\r\n--b1--\r\n",
      of.reporter, of.reporter, of.recipient, action, status, status, original_text(of));
}

inline std::string unsubscribe_text(std::string_view local, std::string_view from) {
  return fmt::format(
      "From: <{}>\r\nTo: <{}@example.net>\r\nSubject: unsubscribe\r\n\r\nunsubscribe\r\n", from,
      local);
}

}  // namespace watchpost::feedback::test
