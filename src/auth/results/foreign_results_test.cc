#include "auth/results/foreign_results.h"

#include "auth/results/authentication_results.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kOurs{"mx.example.org",
                                     "\xc3\xbc"
                                     "ber.example"};

std::vector<ForeignResults> found_in(std::string_view header,
                                     const std::vector<std::string>& ours = kOurs) {
  mime::Findings findings;
  return foreign_results(mime::Header::read(header, 0, {}, findings), ours);
}

// The reason why one field goes; "stays" where it does not.
std::string judged(std::string_view field) {
  const auto found = found_in("Subject: x\r\n" + std::string(field) + "\r\nTo: y\r\n\r\n");
  if (found.empty()) return "stays";
  EXPECT_EQ(found.size(), 1u) << field;
  EXPECT_EQ(found[0].field, 1u) << field;
  return std::string(name_of(found[0].reason));
}

// Reliability S-16.
TEST(ForeignResults, OurIdInEveryDisguise) {
  for (const std::string_view field :
       {"Authentication-Results: mx.example.org; spf=pass",
        "AUTHENTICATION-results : MX.Example.ORG; dmarc=pass",
        "Authentication-Results:mx.example.org;none", "Authentication-Results: mx.example.org",
        "Authentication-Results: (by us (truly)) mx.example.org (1); spf=pass",
        "Authentication-Results:\r\n\tmx.example.org\r\n\t;\r\n\tspf=pass",
        "Authentication-Results: \"mx.example.org\"; spf=pass",
        "Authentication-Results: \"mx\\.exa\\mple.org\"; spf=pass",
        "Authentication-Results: mx.example.org.; spf=pass",
        "Authentication-Results: mx.example.org 1; spf=pass",
        "Authentication-Results: mx.example.org 77; spf=pass",
        "Authentication-Results: mx.example.org; what follows ( is not \" even readable",
        "Authentication-Results: xn--ber-goa.example; spf=pass",
        "Authentication-Results: XN--BER-GOA.example; spf=pass",
        "Authentication-Results: \xc3\xbc"
        "ber.example; spf=pass",
        "Authentication-Results: \"\xc3\x9c"
        "BER.example\"; spf=pass",
        "Authentication-Results: mx\xe3\x80\x82"
        "example\xe3\x80\x82"
        "org; spf=pass",
        "Authentication-Results: m\xc2\xadx.example.org; spf=pass",
        "Authentication-Results: \xef\xbd\x8d\xef\xbd\x98.example.org; spf=pass"}) {
    EXPECT_EQ(judged(field), "ours") << field;
  }
}

TEST(ForeignResults, WhatAnotherReaderMayTakeForOurs) {
  for (const std::string_view field :
       {"Authentication-Results: mx.exam(x)ple.org; spf=pass",
        "Authentication-Results: mx.example\r\n .org; spf=pass",
        "Authentication-Results: \"mx.example.org; spf=pass",
        "Authentication-Results: (mx.example.org; spf=pass",
        "Authentication-Results: \"mx.example\".org; spf=pass",
        "Authentication-Results: \"mx. example.org\"; spf=pass",
        "Authentication-Results: =?utf-8?q?mx.example.org?=; spf=pass",
        "Authentication-Results: mx.example.org, relay.example; spf=pass",
        "Authentication-Results: mx.example.org x; spf=pass",
        "Authentication-Results: <mx.example.org>; spf=pass",
        "Authentication-Results: mx\xff.example.org; spf=pass",
        "Authentication-Results: ; spf=pass", "Authentication-Results:"}) {
    EXPECT_EQ(judged(field), "unreadable") << field;
  }
  EXPECT_EQ(judged("Authentication-Results: relay.example 2; spf=pass"), "version");
  EXPECT_EQ(judged("Authentication-\x01Results: mx.example.org; spf=pass"), "odd_name");
  EXPECT_EQ(judged("X-Note: a\rAuthentication-Results: mx.example.org; spf=pass"), "within_line");
  EXPECT_EQ(
      judged("Authentication-Results: relay.example;\r\r authentication-results: mx.example.org"),
      "within_line");
}

TEST(ForeignResults, OthersStay) {
  for (const std::string_view field :
       {"Authentication-Results: relay.example; spf=pass",
        "Authentication-Results: smx.example.org; spf=pass",
        "Authentication-Results: mx.example.org.attack.example; spf=pass",
        "Authentication-Results: example.org 1; spf=pass smtp.mailfrom=mx.example.org",
        "ARC-Authentication-Results: i=1; mx.example.org; spf=pass",
        "X-Authentication-Results: mx.example.org; spf=pass",
        "Subject: Authentication-Results: mx.example.org; spf=pass"}) {
    EXPECT_EQ(judged(field), "stays") << field;
  }
}

TEST(ForeignResults, AllNamesBelowOne) {
  const std::vector<std::string> ours{".example.org"};
  const std::string header =
      "Authentication-Results: mx1.example.org; none\r\n"
      "Authentication-Results: example.org; none\r\n"
      "Authentication-Results: notexample.org; none\r\n\r\n";
  EXPECT_THAT(found_in(header, ours), ElementsAre(ForeignResults{1, 2, ForeignReason::ours},
                                                  ForeignResults{0, 1, ForeignReason::ours}));
  EXPECT_THAT(found_in(header, {}), IsEmpty());
}

// Reliability C7: removing by ordinal, in the order given, leaves none of them.
TEST(ForeignResults, FromTheLastToTheFirst) {
  for (size_t forged = 1; forged <= 20; ++forged) {
    std::string header;
    std::vector<std::string> left;
    for (size_t i = 0; i < forged; ++i) {
      header += "Authentication-Results: mx.example.org; spf=pass\r\nX-Between: 1\r\n";
      header += "authentication-results: relay.example; spf=pass\r\n";
      left.insert(left.end(), {"ours", "relay"});
    }
    const auto found = found_in(header + "\r\n");
    EXPECT_EQ(found.size(), forged);
    for (const ForeignResults& one : found) {
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(one.ordinal - 1));
    }
    EXPECT_THAT(left, testing::Each("relay"));
    EXPECT_EQ(left.size(), forged);
  }
}

// Reliability C8: the length of a field saves no forgery.
TEST(ForeignResults, AnyLength) {
  const std::string long_comment =
      "Authentication-Results: (" + std::string(100'000, 'x') + ") mx.example.org; spf=pass";
  const std::string long_tail =
      "Authentication-Results: mx.example.org; spf=pass (" + std::string(100'000, 'x') + ")";
  EXPECT_EQ(judged(long_comment), "ours");
  EXPECT_EQ(judged(long_tail), "ours");
}

// What we write ourselves would be found.
TEST(ForeignResults, OurOwnFieldIsOurs) {
  for (const std::string& id : kOurs) {
    mime::Findings findings;
    const std::string field = authentication_results_field({.authserv_id = id});
    EXPECT_EQ(foreign_results(mime::Header::read(field, 0, {}, findings), kOurs).size(), 1u) << id;
  }
}

}  // namespace
}  // namespace watchpost::auth
