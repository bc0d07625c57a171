// What it costs to read returned mail: bounces of about 4 kB, parsed and classified, each sort by
// itself and in the mixture in which they come (most are standard reports).
#include "feedback/reports/feedback_mail.h"

#include <array>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr size_t kSize = 4'000;

// The header of the mail that is returned, as long as makes the whole 4 kB.
std::string returned_header(size_t used) {
  std::string header =
      "Return-Path: <bounce-autumn-7@sender.example>\r\n"
      "Received: from app1.sender.example (app1.sender.example [192.0.2.10])\r\n"
      "\tby mx.sender.example (Postfix) with ESMTPSA id 4Xy1Zq3b2Wz9sT\r\n"
      "\tfor <kim@example.com>; Tue, 24 Nov 2026 10:11:12 +0000 (UTC)\r\n"
      "Message-ID: <autumn-7.0815@sender.example>\r\n"
      "From: =?utf-8?q?Herbst_Gr=C3=BC=C3=9Fe?= <news@sender.example>\r\n"
      "To: Kim <kim@example.com>\r\n"
      "Subject: The news of autumn\r\n"
      "Date: Tue, 24 Nov 2026 10:11:10 +0000\r\n"
      "MIME-Version: 1.0\r\n"
      "List-Unsubscribe: <https://sender.example/u/0815>, <mailto:u+0815@sender.example>\r\n"
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
      "Feedback-ID: autumn:7:acme:sender\r\n"
      "Content-Type: text/plain; charset=utf-8\r\n\r\n";
  while (used + header.size() < kSize) {
    header += "This is what the mail said to its reader, line after line until it ends.\r\n";
  }
  return header;
}

std::string head(std::string_view subject, std::string_view type) {
  return fmt::format(
      "Return-Path: <>\r\n"
      "Delivered-To: bounce-autumn-7@sender.example\r\n"
      "Received: from mx.sender.example (mx.sender.example [192.0.2.11])\r\n"
      "\tby in.sender.example (Postfix) with ESMTPS id 4Xy1Zs0Qk7z9tB\r\n"
      "\tfor <bounce-autumn-7@sender.example>; Tue, 24 Nov 2026 10:11:13 +0000 (UTC)\r\n"
      "Date: Tue, 24 Nov 2026 10:11:13 +0000 (UTC)\r\n"
      "From: MAILER-DAEMON@mx.sender.example (Mail Delivery System)\r\n"
      "Subject: {}\r\nTo: bounce-autumn-7@sender.example\r\nAuto-Submitted: auto-replied\r\n"
      "MIME-Version: 1.0\r\nContent-Type: {}\r\n"
      "Message-Id: <20261124101113.4Xy1Zs0Qk7z9tB@mx.sender.example>\r\n\r\n",
      subject, type);
}

std::string report(std::string_view status, std::string_view diagnostic) {
  std::string message =
      head("Undelivered Mail Returned to Sender",
           "multipart/report; report-type=delivery-status;\r\n\tboundary=\"B.1\"");
  message += fmt::format(
      "This is a MIME-encapsulated message.\r\n\r\n--B.1\r\nContent-Description: Notification\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
      "This is the mail system at host mx.sender.example.\r\n\r\n"
      "I'm sorry to have to inform you that your message could not\r\n"
      "be delivered to one or more recipients. It's attached below.\r\n\r\n"
      "<kim@example.com>: host mx1.example.com[192.0.2.4] said: {1} (in reply\r\n"
      "    to RCPT TO command)\r\n\r\n--B.1\r\nContent-Description: Delivery report\r\n"
      "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.sender.example\r\n"
      "X-Postfix-Queue-ID: 4Xy1Zq3b2Wz9sT\r\nX-Postfix-Sender: rfc822; news@sender.example\r\n"
      "Arrival-Date: Tue, 24 Nov 2026 10:11:12 +0000 (UTC)\r\n\r\n"
      "Final-Recipient: rfc822; kim@example.com\r\nOriginal-Recipient: rfc822;kim@example.com\r\n"
      "Action: failed\r\nStatus: {0}\r\nRemote-MTA: dns; mx1.example.com\r\n"
      "Diagnostic-Code: smtp; {1}\r\n\r\n--B.1\r\nContent-Description: Undelivered Message\r\n"
      "Content-Type: message/rfc822\r\n\r\n",
      status, diagnostic);
  message += returned_header(message.size());
  return message + "\r\n--B.1--\r\n";
}

std::string exim() {
  std::string message =
      head("Mail delivery failed: returning message to sender", "text/plain; charset=us-ascii");
  message +=
      "This message was created automatically by mail delivery software.\r\n\r\n"
      "A message that you sent could not be delivered to one or more of its\r\n"
      "recipients. This is a permanent error. The following address(es) failed:\r\n\r\n"
      "  kim@example.com\r\n    host mx1.example.com [192.0.2.4]\r\n"
      "    SMTP error from remote mail server after RCPT TO:<kim@example.com>:\r\n"
      "    550 5.1.1 <kim@example.com>: Recipient address rejected: User unknown\r\n\r\n"
      "------ This is a copy of the message, including all the headers. ------\r\n\r\n";
  return message + returned_header(message.size());
}

std::string qmail() {
  std::string message = head("failure notice", "text/plain; charset=us-ascii");
  message +=
      "Hi. This is the qmail-send program at mx.sender.example.\r\n"
      "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
      "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
      "<kim@example.com>:\r\n192.0.2.4 does not like recipient.\r\n"
      "Remote host said: 552 5.2.2 mailbox of kim is full\r\nGiving up on 192.0.2.4.\r\n\r\n"
      "--- Below this line is a copy of the message.\r\n\r\n";
  return message + returned_header(message.size());
}

void run(benchmark::State& state, const auto& messages) {
  const Classifier& classifier = Classifier::shipped();
  size_t next = 0;
  size_t bytes = 0;
  for (auto step : state) {
    const std::string& message = messages[next];
    next = next + 1 == messages.size() ? 0 : next + 1;
    bytes += message.size();
    const FeedbackMail mail = read_feedback(message, classifier);
    if (mail.kind != MailKind::bounce || mail.recipients.size() != 1) {
      state.SkipWithError("misread");
    }
    benchmark::DoNotOptimize(mail.recipients.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

const std::string& unknown_user() {
  static const std::string text = report(
      "5.1.1", "550 5.1.1 <kim@example.com>: Recipient address rejected:\r\n    User unknown");
  return text;
}
const std::string& blocked() {
  static const std::string text =
      report("5.7.1",
             "554 5.7.1 Service unavailable; Client host [192.0.2.9]\r\n    blocked using "
             "zen.spamhaus.org");
  return text;
}

void standard_report(benchmark::State& state) { run(state, std::array{unknown_user(), blocked()}); }
BENCHMARK(standard_report);

void notice_in_words(benchmark::State& state) { run(state, std::array{exim(), qmail()}); }
BENCHMARK(notice_in_words);

void mixture(benchmark::State& state) {
  run(state, std::array{unknown_user(), blocked(), unknown_user(), exim(), blocked(),
                        unknown_user(), qmail(), blocked()});
}
BENCHMARK(mixture);

}  // namespace
}  // namespace watchpost::feedback

BENCHMARK_MAIN();
