#include "feedback/reports/delivery_status.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

TEST(DeliveryStatus, TakesTheMessagesFields) {
  const DeliveryStatus status = read_delivery_status(
      "Reporting-MTA: dns; mx.example\r\nOriginal-Envelope-Id: e-1\r\n\r\n"
      "Final-Recipient: rfc822; kim@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n");
  EXPECT_EQ(status.reporting_mta, "mx.example");
  EXPECT_EQ(status.envelope_id, "e-1");
  ASSERT_EQ(status.recipients.size(), 1u);
  EXPECT_EQ(status.recipients[0].recipient, "kim@example.com");
  EXPECT_TRUE(status.defects.empty());
}

TEST(DeliveryStatus, JoinsARecipientThatIsTornApart) {
  const DeliveryStatus status = read_delivery_status(
      "Final-Recipient: rfc822; kim@example.com\n\nAction: failed\nStatus: 5.1.1\n\n"
      "Final-Recipient: rfc822; lee@example.com\n\nAction: delayed\nStatus: 4.2.2\n");
  ASSERT_EQ(status.recipients.size(), 2u);
  EXPECT_EQ(status.recipients[0].action, Action::failed);
  EXPECT_EQ(status.recipients[1].status, "4.2.2");
}

TEST(DeliveryStatus, NamesEachRecipientOnceForEachAction) {
  std::string text;
  for (int i = 0; i < 3; ++i) {
    text += "Final-Recipient: rfc822; Kim@example.com\nAction: failed\nStatus: 5.1.1\n\n";
  }
  text += "Final-Recipient: rfc822; kim@example.com\nAction: delayed\nStatus: 4.1.1\n\n";
  EXPECT_EQ(read_delivery_status(text).recipients.size(), 2u);
}

TEST(DeliveryStatus, SaysWhatIsWrong) {
  const DeliveryStatus status = read_delivery_status(
      "Original-Recipient: <kim@example.com>\nAction: vanished\nDiagnostic-Code: smtp; 550 no\n");
  ASSERT_EQ(status.recipients.size(), 1u);
  EXPECT_EQ(status.recipients[0].recipient, "kim@example.com");
  EXPECT_EQ(status.recipients[0].diagnostic, "550 no");
  EXPECT_EQ(status.defects,
            (std::vector<std::string>{"Action is none that is known",
                                      "no Final-Recipient, only the original one", "no Status"}));
}

TEST(DeliveryStatus, KeepsTheTypeOutOfADiagnostic) {
  const auto diagnostic = [](std::string_view value) {
    const DeliveryStatus status = read_delivery_status(
        "Final-Recipient: rfc822; kim@example.com\nDiagnostic-Code:" + std::string(value) + '\n');
    return status.recipients.at(0).diagnostic;
  };
  EXPECT_EQ(diagnostic(" smtp; 550 5.1.1 no\n such user"), "550 5.1.1 no such user");
  EXPECT_EQ(diagnostic("X-Postfix; connection refused"), "connection refused");
  EXPECT_EQ(diagnostic(" 550 5.1.1 no; go away"), "550 5.1.1 no; go away");
  EXPECT_EQ(diagnostic(" we said no; go away"), "we said no; go away");
}

TEST(DeliveryStatus, BoundsTheRecipients) {
  std::string text;
  for (int i = 0; i < 2'000; ++i) {
    text += "Final-Recipient: rfc822; u" + std::to_string(i) + "@example.com\nAction: failed\n\n";
  }
  const DeliveryStatus status = read_delivery_status(text);
  EXPECT_EQ(status.recipients.size(), 500u);
  EXPECT_NE(std::ranges::find(status.defects, "more recipients than are read"),
            status.defects.end());
}

TEST(DeliveryStatus, IsSeenInText) {
  EXPECT_TRUE(has_delivery_status("Technical report:\nfinal-recipient: rfc822; kim@example.com\n"));
  EXPECT_FALSE(has_delivery_status("The Final-Recipient: field was empty\n"));
}

}  // namespace
}  // namespace watchpost::feedback
