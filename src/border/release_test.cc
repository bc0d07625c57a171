#include "border/release.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

Transaction message(std::string bytes) {
  Transaction mail;
  mail.message = std::move(bytes);
  mail.macros["i"] = "4F2A";
  return mail;
}

TEST(Release, TheFirstFieldHasTheToken) {
  const Transaction mail =
      message("X-Watchpost-Release: 0a1b \r\nFrom: a@b\r\nX-Watchpost-Release: x\r\n\r\nhi\r\n");
  EXPECT_TRUE(begins_with_token(mail));
  const auto presented = presented_by(mail);
  ASSERT_TRUE(presented);
  EXPECT_EQ(presented->token, "0a1b");
  EXPECT_EQ(presented->queue_id, "4F2A");
  EXPECT_EQ(presented->message, "From: a@b\r\nX-Watchpost-Release: x\r\n\r\nhi\r\n");
}

TEST(Release, NoOtherFieldIsOne) {
  for (const char* const bytes :
       {"", "X-Watchpost-Release", "From: a@b\r\nX-Watchpost-Release: 0a\r\n\r\n",
        "x-watchpost-release: 0a\r\n\r\n", "X-Watchpost-Release : 0a\r\n\r\n",
        "X-Watchpost-Release-2: 0a\r\n\r\n", " X-Watchpost-Release: 0a\r\n\r\n"}) {
    EXPECT_FALSE(begins_with_token(message(bytes))) << bytes;
    EXPECT_FALSE(presented_by(message(bytes))) << bytes;
  }
}

TEST(Release, WhatIsNoTokenIsNotPresented) {
  for (const std::string& value :
       {std::string(), std::string("  "), std::string(101, 'a'), std::string("a")}) {
    const bool ended = value != "a";
    const Transaction mail = message("X-Watchpost-Release:" + value + (ended ? "\r\n\r\n" : ""));
    EXPECT_TRUE(begins_with_token(mail));
    EXPECT_FALSE(presented_by(mail)) << value;
  }
}

TEST(Release, AFoldIsPartOfItsField) {
  const Transaction mail = message("X-Watchpost-Release: a\r\n\tb\r\n\r\nhi");
  const auto presented = presented_by(mail);
  ASSERT_TRUE(presented);
  EXPECT_EQ(presented->token, "a\r\n\tb");
  EXPECT_EQ(presented->message, "\r\nhi");
}

TEST(Release, OnlyOfThisMachine) {
  const auto from = [](std::string_view ip, std::string_view helo) {
    Transaction mail;
    mail.client_ip = parse_ip_address(ip);
    mail.helo = helo;
    return may_be_release(mail);
  };
  EXPECT_TRUE(from("127.0.0.1", kReleaseHelo));
  EXPECT_TRUE(from("127.1.2.3", kReleaseHelo));
  EXPECT_TRUE(from("::1", kReleaseHelo));
  EXPECT_TRUE(from("::ffff:127.0.0.1", kReleaseHelo));
  EXPECT_FALSE(from("192.0.2.1", kReleaseHelo));
  EXPECT_FALSE(from("7f00::1", kReleaseHelo));
  EXPECT_FALSE(from("127.0.0.1", "localhost"));
  EXPECT_FALSE(from("none", kReleaseHelo));
}

TEST(Release, AllFieldsOfTheNameLeaveLastFirst) {
  Transaction mail;
  EXPECT_TRUE(token_removals(mail).empty());
  mail.release_fields = 2;
  const std::string name(quarantine::kReleaseField);
  EXPECT_EQ(token_removals(mail),
            (std::vector<HeaderChange>{{HeaderChange::Kind::remove, 2, name, ""},
                                       {HeaderChange::Kind::remove, 1, name, ""}}));
  mail.release_fields = 1'000'000;
  EXPECT_EQ(token_removals(mail).size(), 2'000u);
}

}  // namespace
}  // namespace watchpost::border
