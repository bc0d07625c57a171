#include "dns/host_names.h"

#include "dns/zone_file.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

constexpr std::string_view kZone = R"(
1.2.0.192.in-addr.arpa   PTR Mail.example.com
mail.example.com         A   192.0.2.9
                         A   192.0.2.1
2.2.0.192.in-addr.arpa   PTR forged.example.com
                         PTR mail.example.com
                         PTR gone.example.com
forged.example.com       A   192.0.2.9
3.2.0.192.in-addr.arpa   TXT "no name"
5.2.0.192.in-addr.arpa   SERVFAIL
6.2.0.192.in-addr.arpa   PTR gone.example.com
                         PTR slow.example.com
slow.example.com         TIMEOUT A
7.2.0.192.in-addr.arpa   PTR slow.example.com
                         PTR seven.example.com
seven.example.com        A   192.0.2.7
8.2.0.192.in-addr.arpa   PTR a\\b.example.com
$ORIGIN 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.
@                        TXT "a network"
1.0.0.0.0.0.0.0          PTR six.example.com.
six.example.com.         AAAA 2001:db8::1
                         A    192.0.2.6
)";

std::string ask(std::string_view address, Budget budget = {}) {
  const auto zone = ZoneFile::parse(kZone);
  if (!zone) return zone.error().text();
  const auto found = value_now(host_names(**zone, *parse_ip_address(address), budget));
  return fmt::format("{}: {} / {} ({} look-ups)", name_of(found->result),
                     fmt::join(found->confirmed, " "), fmt::join(found->unconfirmed, " "),
                     budget.made);
}

TEST(HostNames, AreConfirmedByTheirAddresses) {
  EXPECT_EQ(ask("192.0.2.1"), "pass: mail.example.com /  (2 look-ups)");
  EXPECT_EQ(ask("::ffff:192.0.2.1"), "pass: mail.example.com /  (2 look-ups)");
  EXPECT_EQ(ask("2001:db8::1"), "pass: six.example.com /  (2 look-ups)");
}

TEST(HostNames, DisagreementFails) {
  EXPECT_EQ(ask("192.0.2.2"),
            "fail:  / forged.example.com mail.example.com gone.example.com (4 look-ups)");
}

TEST(HostNames, WithoutANameThereIsNothingToConfirm) {
  EXPECT_EQ(ask("192.0.2.3"), "permerror:  /  (1 look-ups)");
  EXPECT_EQ(ask("192.0.2.4"), "permerror:  /  (1 look-ups)");
}

TEST(HostNames, WhatNobodyKnowsIsNoFailure) {
  EXPECT_EQ(ask("192.0.2.5"), "temperror:  /  (1 look-ups)");
  EXPECT_EQ(ask("192.0.2.6"), "temperror:  / gone.example.com slow.example.com (3 look-ups)");
  // One name that agrees is enough.
  EXPECT_EQ(ask("192.0.2.7"), "pass: seven.example.com / slow.example.com (3 look-ups)");
  EXPECT_EQ(ask("192.0.2.1", {.queries = 1}), "temperror:  / mail.example.com (1 look-ups)");
}

TEST(HostNames, OddNamesAgreeWithNothing) {
  EXPECT_EQ(ask("192.0.2.8"), "fail:  / a\\\\b.example.com (2 look-ups)");
}

TEST(HostNames, TenAndNoMore) {
  std::string text = "h10 A 192.0.2.1\nh11 A 192.0.2.1\n";
  for (int i = 1; i <= 12; ++i) text += fmt::format("1.2.0.192.in-addr.arpa PTR h{}\n", i);
  const auto zone = ZoneFile::parse(text);
  Budget budget;
  const auto found = value_now(host_names(**zone, *parse_ip_address("192.0.2.1"), budget));
  EXPECT_EQ(found->confirmed, std::vector<std::string>{"h10"});
  EXPECT_EQ(found->unconfirmed.size(), 9U);
  EXPECT_EQ(found->not_looked_at, 2U);
  EXPECT_EQ(budget.made, 11U);
}

}  // namespace
}  // namespace watchpost::dns
