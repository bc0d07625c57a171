#include "investigate/accept_like.h"

#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using ::testing::HasSubstr;

quarantine::HeldMessage held() {
  quarantine::HeldMessage message;
  message.id = hash128_from_hex("4f2a91c0000000000000000000000001");
  message.author = "jo@shop.example";
  message.sender = "bounce@Mail.Shop.example";
  message.client_ip = "192.0.2.7";
  message.copies = {{.recipient = "kim@us.example"}, {.recipient = "lee@us.example"}};
  return message;
}

Result<quarantine::Exception> like(const quarantine::HeldMessage& message,
                                   std::vector<std::string> recipients = {}) {
  return exception_like(message, recipients, Time(std::chrono::seconds(5)), "ops", "ours");
}

TEST(AcceptLike, RestsOnWhatVouchesForIt) {
  auto message = held();
  message.dmarc = message.spf = "pass";
  EXPECT_EQ(like(message)->when, "author == 'jo@shop.example' and dmarc == pass");
  EXPECT_EQ(like(message)->name, "held-4f2a91c0");
  EXPECT_EQ(like(message)->by, "ops");
  message.dmarc = "fail";
  EXPECT_EQ(like(message)->when,
            "author == 'jo@shop.example' and sender_domain == 'mail.shop.example' and spf == pass");
  message.spf = "softfail";
  EXPECT_EQ(like(message)->when,
            "author == 'jo@shop.example' and client_network == '192.0.2.0/24'");
  EXPECT_EQ(like(message, {"kim@us.example"})->when,
            "author == 'jo@shop.example' and client_network == '192.0.2.0/24' and "
            "recipient in ['kim@us.example']");
}

TEST(AcceptLike, WhereNothingVouchesThereIsNone) {
  auto message = held();
  message.client_ip = "";
  EXPECT_EQ(like(message).error().code, Code::refused);
  message = held();
  message.author = "jo@shop.example eve@evil.example";
  EXPECT_THAT(like(message).error().what, HasSubstr("one author"));
  message.author = "";
  EXPECT_FALSE(like(message));
  message = held();
  message.direction = Direction::outbound;
  EXPECT_FALSE(like(message));
  message = held();
  message.decision = {17};
  EXPECT_THAT(like(message).error().what, HasSubstr("d-17"));
}

TEST(AcceptLike, HostileTextsDoNotBecomeARule) {
  for (const std::string_view author :
       {"x' or true or author == 'y@x\"", "a\nb@x.example", "a\xff@x.example",
        "a\xe2\x80\xae@x.example", "a\x1b@x.example"}) {
    auto message = held();
    message.dmarc = "pass";
    message.author = author;
    std::erase(message.author, ' ');
    EXPECT_EQ(like(message).error().code, Code::refused) << escaped(author);
  }
  // One kind of quote stands in the other.
  auto message = held();
  message.dmarc = "pass";
  message.author = "o'hara@shop.example";
  EXPECT_EQ(like(message)->when, "author == \"o'hara@shop.example\" and dmarc == pass");
  message.author = "x'or'1'=='1@shop.example";
  EXPECT_EQ(like(message)->when, "author == \"x'or'1'=='1@shop.example\" and dmarc == pass");
  EXPECT_FALSE(like(message, {"a'\"b@us.example"}));
  EXPECT_FALSE(like(message, std::vector<std::string>(21, "a@us.example")));
  message.author = std::string(5000, 'a') + "@shop.example";
  EXPECT_FALSE(like(message));
}

}  // namespace
}  // namespace watchpost::investigate
