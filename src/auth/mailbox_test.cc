#include "auth/mailbox.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

// "local|domain", "null", "none".
std::string read(std::string_view path) {
  const auto sender = parse_reverse_path(path);
  if (!sender) return "none";
  return sender->null() ? "null" : sender->local + "|" + sender->domain;
}

TEST(ReversePath, Usual) {
  EXPECT_EQ(read("<jo@Shop.Example>"), "jo|shop.example");
  EXPECT_EQ(read("jo@shop.example"), "jo|shop.example");
  EXPECT_EQ(read("<jo.d+x=y@shop.example.>"), "jo.d+x=y|shop.example");
  EXPECT_EQ(read("<\"jo \\\"d\\\" @\"@shop.example>"), "jo \"d\" @|shop.example");
  EXPECT_EQ(read("<jo@b\xc3\xbc"
                 "cher.example>"),
            "jo|xn--bcher-kva.example");
  EXPECT_EQ(read("<j\xc3\xb6@_spf.shop.example>"), "j\xc3\xb6|_spf.shop.example");
  EXPECT_EQ(read(std::string(400, 'a') + "@shop.example"), std::string(400, 'a') + "|shop.example");
}

// The domain of these is as clear as of others.
TEST(ReversePath, LocalPartsThatAreNone) {
  EXPECT_EQ(read("@shop.example"), "|shop.example");
  EXPECT_EQ(read("<jo doe@shop.example>"), "jo doe|shop.example");
  EXPECT_EQ(read("<\"\"@shop.example>"), "|shop.example");
}

TEST(ReversePath, NullSenderAndLiterals) {
  EXPECT_EQ(read(""), "null");
  EXPECT_EQ(read("<>"), "null");
  EXPECT_EQ(read("<jo@[192.0.2.1]>"), "jo|");
  EXPECT_EQ(read("<jo@[IPv6:2001:db8::1]>"), "jo|");
}

// Reliability E-S7.
TEST(ReversePath, RoutesArePassedOver) {
  EXPECT_EQ(read("<@bank.example,@relay.example:jo@attack.example>"), "jo|attack.example");
  EXPECT_EQ(read("<@bank.example:>"), "none");
  EXPECT_EQ(read("<@:jo@attack.example>"), "none");
  EXPECT_EQ(read("<@bank.example;jo@attack.example>"), "none");
}

// Reliability E-S2, E-S5, E-S6, C3.
TEST(ReversePath, WhatIsNoAddressHasNoDomain) {
  for (const std::string_view path : {"<(any@bank.example>",
                                      "<any@bank.example(>",
                                      "<any@bank.example(.attack.example>",
                                      "<\"any@attack.example\"@>",
                                      "<any\"@bank.example>",
                                      "<a@attack.example@bank.example>",
                                      "<\"a\"b@bank.example>",
                                      "<any@bank.example,any@attack.example>",
                                      "<a@bank.example b@attack.example>",
                                      "<a@bank.example>x",
                                      "a@bank.example>",
                                      "<a@bank.example",
                                      "<<a@bank.example>>",
                                      "@",
                                      "a@",
                                      "@bank.example@attack.example",
                                      ".a@bank.example",
                                      "a.@bank.example",
                                      "a..b@bank.example",
                                      "a@bank..example",
                                      "a@bank.example'",
                                      "a@bank.example;dmarc=pass",
                                      "a@[192.0.2.1",
                                      "a@[192.0.2.1\r\n]",
                                      "\"a\r\n\"@bank.example",
                                      "\"a@bank.example",
                                      "jo"}) {
    EXPECT_EQ(read(path), "none") << path;
  }
  EXPECT_EQ(read(std::string("a@bank.example\0.attack.example", 30)), "none");
  EXPECT_EQ(read(std::string(2'000, 'a') + "@bank.example"), "none");
}

TEST(MailDomain, OnlyWhatMailMayHave) {
  EXPECT_EQ(mail_domain("Shop.Example."), "shop.example");
  EXPECT_EQ(mail_domain("_x-1.example"), "_x-1.example");
  for (const std::string_view name : {"", ".", "a b", "a(b", "a\"b", "a'b", "a;b", "a/b", "[a]",
                                      "a\\b", "a@b", "a..b", "*.example"}) {
    EXPECT_EQ(mail_domain(name), std::nullopt) << name;
  }
  EXPECT_EQ(mail_domain(std::string_view("a\0b", 3)), std::nullopt);
}

}  // namespace
}  // namespace watchpost::auth
