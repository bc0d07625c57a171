#include "quarantine/links.h"

#include <chrono>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::quarantine {
namespace {

using testing::HasSubstr;

constexpr std::string_view kSecret = "a secret of this quarantine";
const Time kNow = *parse_time("2026-11-29T12:00:00Z");
const Time kUntil = kNow + std::chrono::hours(72);
const HeldId kId{0x0123456789abcdef, 0xfedcba9876543210};

std::string why_not(std::string_view token, Time now = kNow, std::string_view secret = kSecret) {
  const auto read = read_link_token(secret, token, now);
  EXPECT_TRUE(read || read.error().code == Code::refused);
  return read ? "" : read.error().what;
}

TEST(Links, AreReadByWhoMadeThem) {
  const std::string token = make_link_token(kSecret, kId, "Kim@example.com", kUntil);
  EXPECT_EQ(token.size(), kLinkLetters);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_"),
            std::string::npos);
  const auto link = read_link_token(kSecret, token, kNow);
  ASSERT_TRUE(link) << link.error().text();
  EXPECT_EQ(link->id, kId);
  EXPECT_EQ(link->until, kUntil);
  HeldMessage message;
  message.copies = {{.recipient = "lee@example.com"}, {.recipient = "kim@Example.com"}};
  EXPECT_EQ(recipient_of(*link, message), "kim@Example.com");
  message.copies.pop_back();
  EXPECT_EQ(recipient_of(*link, message), std::nullopt);
}

TEST(Links, End) {
  const std::string token = make_link_token(kSecret, kId, "kim@example.com", kUntil);
  EXPECT_EQ(why_not(token, kUntil - std::chrono::seconds(1)), "");
  EXPECT_THAT(why_not(token, kUntil), HasSubstr("over"));
  EXPECT_THAT(why_not(make_link_token(kSecret, kId, "kim@x", Time{}), kNow), HasSubstr("over"));
}

TEST(Links, AreNotForged) {
  const std::string token = make_link_token(kSecret, kId, "kim@example.com", kUntil);
  EXPECT_THAT(why_not(token, kNow, "another secret"), HasSubstr("not made here"));
  EXPECT_THAT(why_not(""), HasSubstr("not made here"));
  EXPECT_THAT(why_not(token + "A"), HasSubstr("not made here"));
  EXPECT_THAT(why_not(token + "=="), HasSubstr("not made here"));
  EXPECT_THAT(why_not(token.substr(1)), HasSubstr("not made here"));
  EXPECT_THAT(why_not(std::string(kLinkLetters, 'A')), HasSubstr("not made here"));
  EXPECT_THAT(why_not(std::string(kLinkLetters, '\0')), HasSubstr("not made here"));
  EXPECT_THAT(why_not(std::string(1'000'000, 'A')), HasSubstr("not made here"));
  // Any other letter at any place, the bits that no byte needs among them.
  for (size_t at = 0; at < token.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string other = token;
      other[at] = static_cast<char>(c);
      ASSERT_EQ(why_not(other).empty(), other == token) << at << " " << c;
    }
  }
}

TEST(Links, DifferInAllTheySay) {
  std::set<std::string> tokens;
  for (const HeldId id : {kId, HeldId{1, 2}, HeldId{2, 1}}) {
    for (const char* recipient : {"kim@example.com", "lee@example.com"}) {
      for (const Time until : {kUntil, kUntil + std::chrono::seconds(1)}) {
        tokens.insert(make_link_token(kSecret, id, recipient, until));
      }
    }
  }
  EXPECT_EQ(tokens.size(), 12u);
}

}  // namespace
}  // namespace watchpost::quarantine
