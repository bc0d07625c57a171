// The conditions that the desk makes of held mail, as the border reads them.
#include "base/hash.h"
#include "base/text.h"
#include "border/settings.h"
#include "investigate/accept_like.h"

#include <gtest/gtest.h>

namespace watchpost::cli {
namespace {

quarantine::HeldMessage held(std::string author) {
  quarantine::HeldMessage message;
  message.id = hash128_from_hex("4f2a91c0000000000000000000000001");
  message.author = std::move(author);
  message.sender = "bounce@mail.shop.example";
  message.client_ip = "2001:db8::7";
  return message;
}

Result<border::Filter> filter_of(const quarantine::HeldMessage& message,
                                 const std::vector<std::string>& recipients) {
  const Time until = Time(std::chrono::seconds(1'800'000'000));
  const auto like =
      investigate::exception_like(message, recipients, until, "token ops", std::string(2000, 'w'));
  if (!like) return fail(like.error());
  return border::make_filter({.name = like->name,
                              .when = like->when,
                              .then = "accept",
                              .mode = "enforce",
                              .owner = like->by,
                              .until = format_time(like->until),
                              .why = like->why});
}

TEST(AcceptLikeFilter, IsOneThatTheBorderTakes) {
  for (const char* const author :
       {"jo@shop.example", "o'hara@shop.example", "\"a\\b\"@shop.example",
        "x'or'1'=='1@shop.example", "\xc3\xa4@shop.example"}) {
    for (const auto& recipients : std::vector<std::vector<std::string>>{
             {}, {"kim@us.example"}, {"o'neil@us.example", "\"lee x\"@us.example"}}) {
      for (const auto& [dmarc, spf] :
           {std::pair{"pass", "pass"}, {"fail", "pass"}, {"fail", "fail"}}) {
        auto message = held(author);
        message.dmarc = dmarc;
        message.spf = spf;
        const auto filter = filter_of(message, recipients);
        ASSERT_TRUE(filter) << filter.error().text();
        EXPECT_EQ(filter->until, Time(std::chrono::seconds(1'800'000'000)));
      }
    }
  }
}

}  // namespace
}  // namespace watchpost::cli
