#include "border/milter/test_talk.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

const std::string kToken(64, 'a');

// What comes of a message with these fields and this body, within the limits.
Transaction heard(const std::string& fields, const std::string& body,
                  const Gathering::Limits& limits) {
  ScriptedHandler handler;
  MilterTalk talk(handler, limits);
  talk.hears(offer() + connects() +
             message_with("<a@b.example>", {"<c@d.example>"}, fields + say('N') + say('B', body)));
  EXPECT_EQ(handler.messages.size(), 1u);
  return handler.messages.empty() ? Transaction() : *handler.messages[0];
}

TEST(ReleaseField, IsCounted) {
  const Transaction mail = heard(field("X-Watchpost-Release", " " + kToken) +
                                     field("Subject", " x") + field("x-watchpost-RELEASE", " y"),
                                 "hi\r\n", {.protocol = {}, .message_bytes = 1'000});
  EXPECT_EQ(mail.release_fields, 2u);
  EXPECT_EQ(mail.header_fields, 2u) << "the first counts for no limit";
  EXPECT_EQ(mail.message, "X-Watchpost-Release: " + kToken +
                              "\r\nSubject: x\r\nx-watchpost-RELEASE: y\r\n\r\nhi\r\n");
  EXPECT_EQ(mail.size, mail.message.size());
}

// What came within the limits, and was held, is looked at whole as it is released.
TEST(ReleaseField, TakesNoRoomFromTheMessage) {
  const std::string fields = field("A", " x") + field("B", " y");
  const std::string body(100, 'b');
  Gathering::Limits limits{.protocol = {}, .message_bytes = 2 * 6 + 2 + 100};
  limits.protocol.header_fields = 2;
  limits.protocol.header_bytes = 2 * 6;
  const Transaction first = heard(fields, body, limits);
  EXPECT_FALSE(first.cut || first.too_many_fields);
  const std::string token = field("X-Watchpost-Release", " " + kToken);
  const Transaction released = heard(token + fields, body, limits);
  EXPECT_FALSE(released.cut || released.too_many_fields);
  EXPECT_EQ(released.message, "X-Watchpost-Release: " + kToken + "\r\n" + first.message);
  EXPECT_TRUE(heard(token + fields, body + "b", limits).cut);
}

TEST(ReleaseField, OnlyOneThatIsFirstAndShortIsBesideTheLimits) {
  const Gathering::Limits limits{.protocol = {}, .message_bytes = 200};
  const std::string token = field("X-Watchpost-Release", " " + kToken);
  EXPECT_TRUE(heard(field("A", " x") + token, std::string(150, 'b'), limits).cut);
  EXPECT_TRUE(heard(token + token, std::string(150, 'b'), limits).cut);
  EXPECT_TRUE(heard(field("X-Watchpost-Release", " " + std::string(300, 'a')), "", limits).cut);
}

}  // namespace
}  // namespace watchpost::border
