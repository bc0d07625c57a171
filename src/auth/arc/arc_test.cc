#include "auth/arc/arc.h"

#include "auth/arc/arc_sets.h"
#include "auth/arc/test_sealer.h"

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

std::string said(const ArcVerdict& verdict) {
  return fmt::format("{} {} {}", name_of(verdict.result), verdict.sets.size(), verdict.why);
}

TEST(Arc, NoSet) {
  EXPECT_EQ(arc_verdict(kLetter).result, ArcResult::none);
  EXPECT_EQ(arc_verdict("").result, ArcResult::none);
}

TEST(Arc, ChainsThatPass) {
  for (const size_t count : {1u, 2u, 5u}) {
    const ArcVerdict verdict = arc_verdict(TestSealer().chain_of(count));
    EXPECT_EQ(verdict.result, ArcResult::pass) << verdict.why;
    ASSERT_EQ(verdict.sets.size(), count);
    EXPECT_EQ(verdict.oldest_pass, 0u);
    EXPECT_EQ(verdict.sealer(), "relay.example");
    EXPECT_EQ(verdict.sets[0].cv, "none");
    EXPECT_EQ(verdict.sets[0].instance, 1u);
    EXPECT_EQ(verdict.sets[0].authentication_results,
              "relay.example; spf=pass smtp.mailfrom=ann@shop.example");
  }
}

// A relay that changes the text signs what it sends on: older message signatures may fail.
TEST(Arc, OldestPassSaysSinceWhenTheTextIsAsItIs) {
  TestSealer sealer;
  std::string text = sealer.chain_of(2);
  text = sealer.sealed(text + "-- \r\nsent by the list\r\n", "pass");
  text = sealer.sealed(text, "pass");
  const ArcVerdict verdict = arc_verdict(text);
  EXPECT_EQ(verdict.result, ArcResult::pass) << verdict.why;
  EXPECT_EQ(verdict.oldest_pass, 3u);
  EXPECT_EQ(verdict.sets[2].message.result, DkimResult::pass);
  EXPECT_EQ(verdict.sets[1].message.result, DkimResult::fail);
}

TEST(Arc, AChangedMessageFails) {
  const std::string text = TestSealer().chain_of(2);
  EXPECT_EQ(said(arc_verdict(text + "more\r\n")),
            "fail 2 the message signature of set 2: the body is not what was signed");
  EXPECT_EQ(arc_verdict(replaced(text, "Your  order", "My order")).result, ArcResult::fail);
}

TEST(Arc, AChangedSetFails) {
  const std::string text = TestSealer().chain_of(3);
  for (const auto& [what, with] :
       {std::pair("i=1; relay.example; spf=pass", "i=1; relay.example; spf=fail"),
        {"i=2; relay.example; spf=pass", "i=2; relay.example; spf=fail"},
        {"i=3; relay.example; spf=pass", "i=3; relay.example; spf=fail"},
        {"i=1; a=rsa-sha256; c=relaxed/relaxed", "i=1; a=rsa-sha256; c=simple/relaxed"}}) {
    const ArcVerdict verdict = arc_verdict(replaced(text, what, with));
    EXPECT_EQ(verdict.result, ArcResult::fail) << with;
    EXPECT_TRUE(verdict.why.starts_with("the seal of set ")) << verdict.why;
  }
}

TEST(Arc, ASealWithoutItsTagsFails) {
  const std::string text = TestSealer().chain_of(1);
  for (const auto& [what, with] : {std::pair("cv=none; ", ""),
                                   {"cv=none", "cv=pass"},
                                   {"cv=none", "cv=fail"},
                                   {"cv=none", "cv=odd"},
                                   {"cv=none; d=relay.example", "cv=none"},
                                   {"cv=none", "cv=none; h=from"},
                                   {"ARC-Seal: i=1; a=rsa-sha256", "ARC-Seal: i=1; a=rsa-sha1"},
                                   {"ARC-Seal: i=1; a=rsa-sha256", "ARC-Seal: i=1"}}) {
    const ArcVerdict verdict = arc_verdict(replaced(text, what, with));
    EXPECT_EQ(verdict.result, ArcResult::fail) << with;
    EXPECT_NE(verdict.why, "") << with;
  }
}

TEST(Arc, AChainThatHadFailedStaysSo) {
  TestSealer sealer;
  const std::string text = sealer.sealed(sealer.chain_of(1), "fail");
  TestZone zone = arc_zone();
  EXPECT_EQ(arc_verdict(text, zone).result, ArcResult::fail);
  EXPECT_EQ(zone.asked, 0u);
}

TEST(Arc, WhatDnsCannotTellIsTemporary) {
  TestZone zone = arc_zone();
  zone.times_out = "arc._domainkey.relay.example";
  const std::string text = TestSealer().chain_of(2);
  EXPECT_EQ(arc_verdict(text, zone).result, ArcResult::temperror);
  EXPECT_EQ(arc_verdict(text + "more\r\n", zone).result, ArcResult::fail) << "that much is known";
  zone.times_out.clear();
  zone.texts.clear();
  EXPECT_EQ(arc_verdict(text, zone).result, ArcResult::fail) << "no key is no temporary trouble";
}

std::string instance_text(std::string_view body) {
  std::string_view rest;
  const auto instance = results_instance(body, rest);
  return instance ? fmt::format("{}[{}]", *instance, rest) : "none";
}

TEST(Arc, InstancesOfResults) {
  EXPECT_EQ(instance_text(" i=1; a.example; none"), "1[ a.example; none]");
  EXPECT_EQ(instance_text(" (c) i (c) = (;) 50 (c)\r\n ;x"), "50[x]");
  for (const char* body : {"", "i", "i=", "i=;", "i=0;", "i=51;", "i=100;", "i=-1;",
                           "i=2147483648;", "i=1", "a.example; i=1", "I=1;", "i=1 2;", "i=1x;"}) {
    EXPECT_EQ(instance_text(body), "none") << body;
  }
}

// Attack row S-15: faults of structure fail, and no look-up is made for them.
TEST(ArcAttack, S15FaultsOfStructureCostNoLookUp) {
  TestSealer sealer;
  const std::string text = sealer.chain_of(3);
  const TestSet& second = sealer.sets[1];
  const std::string cases[] = {
      replaced(text, second.seal, ""),
      replaced(text, second.message, ""),
      replaced(text, second.results, ""),
      replaced(text, second.text(), ""),
      second.seal + text,
      second.message + text,
      second.results + text,
      replaced(text, "ARC-Seal: i=3", "ARC-Seal: i=0"),
      replaced(text, "ARC-Seal: i=3", "ARC-Seal: i=4"),
      replaced(text, "ARC-Seal: i=3", "ARC-Seal: i=2"),
      replaced(text, "ARC-Seal: i=3", "ARC-Seal: i=2147483648"),
      replaced(text, "ARC-Seal: i=3", "ARC-Seal: i=three"),
      replaced(text, "ARC-Seal: i=3;", "ARC-Seal: "),
      replaced(text, "ARC-Seal: i=3;", "ARC-Seal: i=3; i=3;"),
      "ARC-Seal:\r\n" + kLetter,
      "ARC-Message-Signature:\r\n" + kLetter,
      "ARC-Authentication-Results:\r\n" + kLetter,
      "ARC-Authentication-Results: i=50; x\r\n" + kLetter,
  };
  for (const std::string& one : cases) {
    TestZone zone = arc_zone();
    const ArcVerdict verdict = arc_verdict(one, zone);
    EXPECT_EQ(verdict.result, ArcResult::fail) << one;
    EXPECT_NE(verdict.why, "");
    EXPECT_EQ(zone.asked, 0u) << one;
  }
}

TEST(ArcAttack, S15FiftySetsAndNotOneMore) {
  TestSealer sealer;
  std::string text = kLetter;
  for (size_t count = 1; count <= 51; ++count) {
    text = sealer.sealed(text, count == 1 ? "none" : "pass");
    if (count < 49) continue;
    TestZone zone = arc_zone();
    const ArcVerdict verdict = arc_verdict(text, zone);
    EXPECT_EQ(verdict.result, count <= 50 ? ArcResult::pass : ArcResult::fail) << count;
    EXPECT_EQ(zone.asked, count <= 50 ? 2 * count : 0);
  }
}

TEST(ArcAttack, S15AThousandSetsCostNothing) {
  std::string text;
  for (int i = 1; i <= 1000; ++i) {
    text += fmt::format(
        "ARC-Seal: i={0}; cv=pass\r\nARC-Message-Signature: i={0}\r\n"
        "ARC-Authentication-Results: i={0}; a.example\r\n",
        i);
  }
  TestZone zone = arc_zone();
  const ArcVerdict verdict = arc_verdict(text + kLetter, zone);
  EXPECT_EQ(verdict.result, ArcResult::fail);
  EXPECT_EQ(verdict.sets.size(), 50u);
  EXPECT_EQ(zone.asked, 0u);
}

}  // namespace
}  // namespace watchpost::auth
