// What the golden cases cannot say: bounds, and who is not to be believed.
#include "feedback/reports/feedback_mail.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

FeedbackMail read(std::string_view message) {
  return read_feedback(message, Classifier::shipped());
}

TEST(FeedbackMail, NamesStandForTheirValues) {
  EXPECT_EQ(name_of(MailKind::bounce), "bounce");
  EXPECT_EQ(name_of(MailKind::other), "other");
  EXPECT_EQ(name_of(Action::none), "");
  EXPECT_EQ(name_of(Action::expanded), "expanded");
}

TEST(FeedbackMail, AnythingIsRead) {
  for (const std::string_view bytes : {"", "\n", "\r\n\r\n", ":", "From:", "@", "--\n--\n"}) {
    EXPECT_EQ(read(bytes).kind, MailKind::other) << bytes;
  }
  EXPECT_EQ(read(std::string(100'000, '\0')).kind, MailKind::other);
}

// A report in a message within the message is that of somebody else's mail.
TEST(FeedbackMail, AReturnedReportIsNoReport) {
  const FeedbackMail mail = read(
      "From: Lee <lee@example.com>\r\nSubject: Look at this\r\n"
      "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nWhat does it mean?\r\n"
      "--o\r\nContent-Type: message/rfc822\r\n\r\nFrom: MAILER-DAEMON@mx.example\r\n"
      "Content-Type: multipart/report; report-type=delivery-status; boundary=i\r\n\r\n"
      "--i\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
      "Final-Recipient: rfc822; kim@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
      "--i--\r\n--o--\r\n");
  EXPECT_EQ(mail.kind, MailKind::other) << mail.why;
  EXPECT_TRUE(mail.recipients.empty());
}

// The words of a returned message are not the words of the notice.
TEST(FeedbackMail, WhatTheReturnedMessageSaysIsNoReason) {
  const FeedbackMail mail = read(
      "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n"
      "Hi. This is the qmail-send program at mx.example.\r\n"
      "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n\r\n"
      "<kim@example.com>:\r\nuser is over quota\r\n\r\n"
      "--- Below this line is a copy of the message.\r\n\r\n"
      "From: news@sender.example\r\nTo: lee@example.com\r\n\r\n"
      "<ann@example.com>: 550 5.1.1 user unknown\r\n");
  ASSERT_EQ(mail.recipients.size(), 1u);
  EXPECT_EQ(mail.recipients[0].recipient, "kim@example.com");
  EXPECT_EQ(mail.recipients[0].class_name, "mailbox_full");
  EXPECT_FALSE(mail.recipients[0].hard);
  EXPECT_EQ(mail.original.to, "lee@example.com");
}

// What a filter that hides might say is no proof that an address is dead.
TEST(FeedbackMail, UnknownAfterTheContentIsNotDead) {
  const auto hard = [](std::string_view diagnostic, std::string_view status) {
    const FeedbackMail mail = read(
        "From: MAILER-DAEMON@mx.example\r\nSubject: x\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; kim@example.com\r\nAction: failed\r\nStatus: " +
        std::string(status) + "\r\nDiagnostic-Code: X-Postfix; " + std::string(diagnostic) +
        "\r\n--b--\r\n");
    return mail.recipients.at(0).hard;
  };
  EXPECT_TRUE(hard("host mx said: 550 user unknown (in reply to RCPT TO command)", "5.0.0"));
  EXPECT_TRUE(
      hard("host mx said: 550 5.1.1 user unknown (in reply to end of DATA command)", "5.1.1"));
  EXPECT_FALSE(hard("host mx said: 550 user unknown (in reply to end of DATA command)", "5.0.0"));
  EXPECT_FALSE(hard("host mx said: 450 4.1.1 user unknown (in reply to RCPT TO command)", "4.1.1"));
}

TEST(FeedbackMail, ReportsWithinReportsEnd) {
  std::string message =
      "From: MAILER-DAEMON@a.example\r\nSubject: Undelivered Mail\r\n\r\nThis is the Postfix "
      "program at host a.example.\r\nIt could not be delivered.\r\n";
  for (int i = 0; i < 30; ++i) {
    message =
        "From: MAILER-DAEMON@a.example\r\nSubject: Undelivered Mail Returned\r\n"
        "Content-Type: message/rfc822\r\n\r\n" +
        message;
  }
  EXPECT_LE(read(message).recipients.size(), 1u);
}

TEST(FeedbackMail, ALargeNoticeIsBounded) {
  std::string message =
      "From: MAILER-DAEMON@a.example\r\nSubject: failure notice\r\n\r\n"
      "I wasn't able to deliver your message to the following addresses.\r\n\r\n";
  for (int i = 0; i < 20'000; ++i) {
    message += "<u" + std::to_string(i) + "@example.com>:\r\nuser unknown\r\n\r\n";
  }
  const FeedbackMail mail = read(message);
  EXPECT_EQ(mail.kind, MailKind::bounce);
  EXPECT_GE(mail.recipients.size(), 100u);
  EXPECT_LE(mail.recipients.size(), 500u);
}

}  // namespace
}  // namespace watchpost::feedback
