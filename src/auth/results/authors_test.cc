#include "auth/results/authors.h"

#include <string>

#include <fmt/ranges.h>
#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

// "domains | oddities | certain".
std::string read_message(std::string_view text) {
  const auto message = mime::Message::read(text);
  const Authors authors = authors_of(message);
  std::vector<std::string_view> oddities;
  for (const AuthorOddity one : authors.oddities) oddities.push_back(name_of(one));
  return fmt::format("{} | {} | {}", fmt::join(authors.domains, " "), fmt::join(oddities, " "),
                     authors.certain() ? "certain" : "uncertain");
}

// `header` lines of a message with other fields around them.
std::string read(std::string_view header) {
  return read_message("Received: from a by b\r\n" + std::string(header) +
                      "Subject: hello\r\n From: a colleague\r\n\r\nFrom: in the text\r\n");
}

std::string from(std::string_view body) { return read("From: " + std::string(body) + "\r\n"); }

TEST(Authors, One) {
  EXPECT_EQ(from("Jo <jo@Shop.Example>"), "shop.example |  | certain");
  EXPECT_EQ(from("jo@shop.example (Jo @ home)"), "shop.example |  | certain");
  EXPECT_EQ(from("\"jo@shop.example\" <jo@shop.example>"), "shop.example |  | certain");
  EXPECT_EQ(from("\"a, b <c>\" <jo@shop.example>"), "shop.example |  | certain");
  EXPECT_EQ(from("=?utf-8?q?J=C3=BC?= <jo@b\xc3\xbc"
                 "cher.example>"),
            "xn--bcher-kva.example |  | certain");
  EXPECT_EQ(read("fRoM:jo@shop.example\r\n"), "shop.example |  | certain");
  EXPECT_EQ(read("From :\r\n jo@shop.example\r\n"), "shop.example |  | certain");
}

TEST(Authors, SeveralOrNone) {
  EXPECT_EQ(from("jo@shop.example, ann@shop.example"),
            "shop.example | several_addresses | certain");
  // Reliability E-S14.
  EXPECT_EQ(from("<jo@attack.example>, <admin@bank.example>"),
            "attack.example bank.example | several_addresses several_domains | certain");
  EXPECT_EQ(from("Staff: jo@shop.example, ann@bank.example;"),
            "shop.example bank.example | several_addresses several_domains | certain");
  EXPECT_EQ(from("Nobody:;"), " | no_address | uncertain");
  EXPECT_EQ(from(""), " | no_address | uncertain");
  EXPECT_EQ(from("<>"), " | no_address | uncertain");
  EXPECT_EQ(read(""), " | no_field no_address | uncertain");
  EXPECT_EQ(from("jo@[192.0.2.1]"), " | bad_domain | uncertain");
  EXPECT_EQ(from("jo@bank..example"), " | bad_domain | uncertain");
}

// Reliability E-S12, E-S13.
TEST(Authors, SenderAndResentFromAreNeverAsked) {
  EXPECT_EQ(read("Sender: admin@bank.example\r\nResent-From: admin@bank.example\r\n"),
            " | no_field no_address | uncertain");
  EXPECT_EQ(read("From: x\r\nSender: admin@bank.example\r\n"),
            " | malformed no_address | uncertain");
}

// Reliability E-S8 to E-S11, C1.
TEST(Authors, SeveralFieldsInAnyForm) {
  const std::string both = "attack.example bank.example";
  EXPECT_EQ(read("From: a@attack.example\r\nFrom: a@bank.example\r\n"),
            both + " | several_fields several_addresses several_domains | uncertain");
  EXPECT_EQ(read("From : a@attack.example\r\nFROM: a@bank.example\r\n"),
            both + " | several_fields several_addresses several_domains | uncertain");
  EXPECT_EQ(read("From: a@bank.example\r\nFrom: a@bank.example\r\n"),
            "bank.example | several_fields several_addresses | uncertain");
  EXPECT_EQ(read("From\r\n : a@bank.example\r\nFrom: a@attack.example\r\n"),
            "attack.example | hidden_field | uncertain");
  EXPECT_EQ(read("From\r\n : a@bank.example\r\n"),
            " | no_field hidden_field no_address | uncertain");
  EXPECT_EQ(
      read("Fr\x01om: a@bank.example\r\nFrom: a@attack.example\r\n"),
      "bank.example attack.example | hidden_field several_addresses several_domains | uncertain");
  EXPECT_EQ(read("From: a@attack.example\rFrom: a@bank.example\r\n").find("| certain"),
            std::string::npos);
  EXPECT_EQ(read("X: y\rFrom: a@bank.example\r\nFrom: a@attack.example\r\n"),
            "attack.example | hidden_field | uncertain");
  const std::string rest = "From: a@attack.example\r\nTo: b\r\n\r\ntext\r\n";
  EXPECT_EQ(read_message(" From: a@bank.example\r\n" + rest),
            "attack.example | hidden_field | uncertain");
  EXPECT_EQ(read_message("From : a@bank.example\r\n" + rest),
            "attack.example | hidden_field | uncertain");
  EXPECT_EQ(read_message("From jo@shop.example Mon Jan  5 10:00:00 2026\r\n" + rest),
            "attack.example |  | certain");
  EXPECT_EQ(read_message("From: a@attack.example\r\nno field\r\n From: a@bank.example\r\n\r\n"),
            "attack.example | hidden_field | uncertain");
}

// Reliability E-S15 to E-S19.
TEST(Authors, ReadersThatFindOtherAddresses) {
  EXPECT_EQ(from("=?utf-8?q?=3Cadmin=40bank.example=3E?=, <a@attack.example>"),
            "attack.example | malformed address_in_name ambiguous several_addresses | uncertain");
  EXPECT_EQ(from("=?utf-8?q?admin=40bank.example?="),
            " | malformed address_in_name ambiguous no_address | uncertain");
  EXPECT_EQ(from("<@attack.example,@any.example:admin@bank.example>"),
            "bank.example | route | certain");
  EXPECT_EQ(from("<admin@bank.example>\\,<a@attack.example>"),
            "bank.example attack.example | malformed ambiguous several_addresses several_domains | "
            "uncertain");
  EXPECT_EQ(from("admin@bank.example,<a@attack.example>"),
            "bank.example attack.example | several_addresses several_domains | certain");
  EXPECT_EQ(from("<a@attack.example>admin@bank.example"),
            "attack.example bank.example | malformed ambiguous several_addresses several_domains | "
            "uncertain");
  EXPECT_EQ(from("admin@bank.example <a@attack.example>"),
            "bank.example attack.example | malformed ambiguous several_addresses several_domains | "
            "uncertain");
  EXPECT_EQ(from("a@attack.example@bank.example").find("| certain"), std::string::npos);
  EXPECT_EQ(from("<a@attack.example> (admin@bank.example").find("| certain"), std::string::npos);
}

TEST(Authors, SloppyButClear) {
  EXPECT_EQ(from("Shop, Inc. <jo@shop.example>"),
            "shop.example | malformed several_addresses | certain");
  EXPECT_EQ(from("jo@shop.example>"), "shop.example | malformed | certain");
}

TEST(Authors, NamesThatLookLikeAddresses) {
  EXPECT_EQ(from("\"admin@bank.example\" <a@attack.example>"),
            "attack.example | address_in_name | certain");
  EXPECT_EQ(from("=?utf-8?q?admin=40bank.example?= <a@attack.example>"),
            "attack.example | malformed address_in_name ambiguous | uncertain");
  EXPECT_EQ(from("=?utf-8?q?jo=40shop.example?= <jo@shop.example>"),
            "shop.example | malformed | certain");
  EXPECT_EQ(from("\"admin@bank.example\"]Jo<a@attack.example>"),
            "attack.example | address_in_name | certain");
  EXPECT_EQ(from("\"admin@bank.example, jo@home\" <a@attack.example>"),
            "attack.example | address_in_name | certain");
  EXPECT_EQ(from("\"admin@bank.example\"\x7f <a@attack.example>"),
            "attack.example | malformed ambiguous address_in_name | uncertain");
  EXPECT_EQ(from("\"Jo @ home\" <a@attack.example>"), "attack.example |  | certain");
}

TEST(Authors, Bounds) {
  std::string many;
  for (size_t i = 0; i <= kMostAuthors; ++i) many += "a@attack.example, ";
  EXPECT_EQ(from(many + "a@bank.example").find("| certain"), std::string::npos);
  std::string header = "From: a@attack.example\r\n";
  for (int i = 0; i < 20'000; ++i) header += "X: y\r\n";
  EXPECT_EQ(read(header + "From: a@bank.example\r\n"),
            "attack.example | cut_off hidden_field | uncertain");
}

TEST(Authors, AnyBytes) {
  for (const std::string_view text :
       {"", "\r\n", "\r", "From", "From:", "From\n:", ":", "\0", " "}) {
    EXPECT_THAT(read_message(text), testing::EndsWith("uncertain"));
  }
}

}  // namespace
}  // namespace watchpost::auth
