#include "auth/spf/macro.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

constexpr std::string_view kSender = "strong-bad@email.example.com";

SpfMacroValues values() {
  return {.sender = kSender,
          .local_part = "strong-bad",
          .sender_domain = "email.example.com",
          .domain = "email.example.com",
          .helo = "mx.client.example",
          .receiver = "mx.us.example",
          .validated_name = "mx.example.org",
          .ip = *parse_ip_address("192.0.2.3"),
          .now = Time(std::chrono::seconds(1795000000))};
}

std::string expanded(std::string_view text, SpfMacroUse use = SpfMacroUse::domain,
                     const SpfMacroValues& given = values()) {
  const auto macros = parse_spf_macro_string(text, use);
  if (!macros) return "error: " + macros.error();
  return expand_spf_macros(*macros, given).value_or("too long");
}

bool is_domain(std::string_view text) { return parse_spf_domain(text).has_value(); }

TEST(SpfMacros, LettersStandForWhatTheySay) {
  EXPECT_EQ(expanded("%{s}|%{l}|%{o}|%{d}|%{i}|%{p}|%{h}|%{v}"),
            "strong-bad@email.example.com|strong-bad|email.example.com|email.example.com|192.0.2.3|"
            "mx.example.org|mx.client.example|in-addr");
  EXPECT_EQ(expanded("%{c} %{r} %{t}", SpfMacroUse::explanation),
            "192.0.2.3 mx.us.example 1795000000");
  EXPECT_EQ(expanded("a%%b%_c%-d"), "a%b c%20d");
}

TEST(SpfMacros, PartsAreTurnedAndCut) {
  EXPECT_EQ(expanded("%{d4}"), "email.example.com");
  EXPECT_EQ(expanded("%{d2}"), "example.com");
  EXPECT_EQ(expanded("%{d1}"), "com");
  EXPECT_EQ(expanded("%{dr}"), "com.example.email");
  EXPECT_EQ(expanded("%{d2r}"), "example.email");
  EXPECT_EQ(expanded("%{D2R}"), "example.email");
  EXPECT_EQ(expanded("%{l-}"), "strong.bad");
  EXPECT_EQ(expanded("%{lr-}"), "bad.strong");
  EXPECT_EQ(expanded("%{l1r-}"), "strong");
  EXPECT_EQ(expanded("%{ir}.%{v}"), "3.2.0.192.in-addr");
  EXPECT_EQ(expanded("%{sr-.+,/_=}"), "com.example.bad@email.strong");
}

TEST(SpfMacros, Ipv6IsWrittenInNibbles) {
  SpfMacroValues given = values();
  given.ip = *parse_ip_address("2001:db8::cb01");
  EXPECT_EQ(expanded("%{i}.%{v}", SpfMacroUse::domain, given),
            "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1.ip6");
  EXPECT_EQ(expanded("%{c}", SpfMacroUse::explanation, given), "2001:db8::cb01");
}

TEST(SpfMacros, CapitalsEscapeForUrls) {
  SpfMacroValues given = values();
  given.local_part = "a+b c/\xC3\xBC~_.-";
  EXPECT_EQ(expanded("%{L}", SpfMacroUse::domain, given), "a%2Bb%20c%2F%C3%BC~_.-");
}

TEST(SpfMacros, WithoutReceiverItIsUnknown) {
  SpfMacroValues given = values();
  given.receiver = "";
  EXPECT_EQ(expanded("%{r}", SpfMacroUse::explanation, given), "unknown");
}

// Reliability S-10, C11.
TEST(SpfMacros, WhatIsNotWellFormedIsAnError) {
  for (const std::string_view wrong :
       {"%",      "%{",    "%{d",  "%{d0}", "%{d00}",   "%{x}",   "%{d-1}",
        "%{dr1}", "%{d }", "%d",   "% ",    "%{}",      "%{drr}", "%{d2147483648",
        "%{d;}",  "a b",   "a\tb", "\x7F",  "\xC3\xBC", "%{c}"}) {
    EXPECT_TRUE(expanded(wrong).starts_with("error: ")) << wrong;
  }
  EXPECT_TRUE(expanded("a\x01", SpfMacroUse::explanation).starts_with("error: "));
  EXPECT_EQ(expanded("a b", SpfMacroUse::explanation), "a b");
}

TEST(SpfMacros, HugeNumbersOfLabelsMeanAll) {
  EXPECT_EQ(expanded("%{d2147483648}"), "email.example.com");
  EXPECT_EQ(expanded("%{d99999999999999999999999999}"), "email.example.com");
}

TEST(SpfMacros, NothingGrowsBeyondBounds) {
  SpfMacroValues given = values();
  const std::string helo(60000, 'h');
  given.helo = helo;
  EXPECT_EQ(expanded("%{h}%{h}", SpfMacroUse::domain, given), "too long");
}

TEST(SpfMacros, NamesAreCutFromTheLeft) {
  const std::string label(60, 'a');
  const std::string four = label + "." + label + "." + label + "." + label;
  SpfMacroValues given = values();
  given.domain = four;
  const auto macros = parse_spf_domain("x.y.%{d}.example");
  ASSERT_TRUE(macros);
  // x.y.243.example has 255 bytes: one label is enough.
  EXPECT_EQ(expand_spf_domain(*macros, given), "y." + four + ".example");
  const auto longer = parse_spf_domain("%{d}.%{d}");
  ASSERT_TRUE(longer);
  EXPECT_EQ(expand_spf_domain(*longer, given), four);
}

TEST(SpfMacros, OneEndlessLabelStaysWhatItIs) {
  SpfMacroValues given = values();
  const std::string label(400, 'a');
  given.domain = label;
  EXPECT_EQ(expand_spf_domain(*parse_spf_domain("%{d}"), given), label);
}

TEST(SpfMacros, ALastDotIsDropped) {
  EXPECT_EQ(expand_spf_domain(*parse_spf_domain("%{d}.example."), values()),
            "email.example.com.example");
}

TEST(SpfMacros, DomainsEndInATopLevelDomainOrAMacro) {
  for (const std::string_view good :
       {"a.example", "a.example.", "%{d}", "x%{d}", "a.b%%", "a.xn--p1ai", "a.1x", "a.x1-y",
        "a:b!c.example", "/24.example", "%{d}.example", "a..example", ".example"}) {
    EXPECT_TRUE(is_domain(good)) << good;
  }
  for (const std::string_view bad : {"", "example", "example.", "a.123", "a.-x", "a.x-", "a.b_c",
                                     "%{d}example", "a.example/24", "a.", "%{d}.", "%%."}) {
    EXPECT_FALSE(is_domain(bad)) << bad;
  }
}

}  // namespace
}  // namespace watchpost::auth
