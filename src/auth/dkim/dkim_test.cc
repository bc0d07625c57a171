#include "auth/dkim/dkim.h"

#include "auth/dkim/test_letters.h"
#include "crypto/base64.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

using enum DkimResult;

TEST(Dkim, NoSignature) {
  TestZone zone = test_zone();
  EXPECT_TRUE(verdicts_of(kLetter, zone).empty());
  EXPECT_EQ(overall({}), none);
  EXPECT_EQ(zone.asked, 0u);
}

TEST(Dkim, BothAlgorithmsInAllForms) {
  for (const auto* key : {&test_rsa(), &test_ed25519()}) {
    for (const auto header : {Canonicalisation::simple, Canonicalisation::relaxed}) {
      for (const auto body : {Canonicalisation::simple, Canonicalisation::relaxed}) {
        SigningOptions options = usual_options();
        options.selector = key == &test_rsa() ? "rsa" : "ed";
        options.header = header;
        options.body = body;
        const std::string text = signed_letter(kLetter, options, *key);
        const DkimVerdict verdict = verdict_of(text);
        EXPECT_EQ(verdict.result, pass) << verdict.why << "\n" << text;
        EXPECT_TRUE(verdict.strong() && verdict.counts_for_dmarc());
        const bool tolerant = body == Canonicalisation::relaxed;
        EXPECT_EQ(verdict_of(replaced(text, "way. \r\n", "way.\r\n")).result,
                  tolerant ? pass : fail);
        EXPECT_EQ(verdict_of(replaced(text, "Your  order", "Your order")).result,
                  header == Canonicalisation::relaxed ? pass : fail);
        EXPECT_EQ(verdict_of(replaced(text, "Bob", "Rob")).result, fail);
        EXPECT_EQ(verdict_of(replaced(text, "ann@", "eve@")).result, fail);
      }
    }
  }
}

TEST(Dkim, TheVerdictSaysWhatTheSignatureSays) {
  SigningOptions options = usual_options();
  options.identity = "news=1@mail.shop.example";
  options.valid = 24h;
  const DkimVerdict verdict = verdict_of(signed_letter(kLetter, options));
  EXPECT_EQ(verdict.result, pass) << verdict.why;
  EXPECT_EQ(verdict.domain, "shop.example");
  EXPECT_EQ(verdict.selector, "rsa");
  EXPECT_EQ(verdict.identity, "news=1@mail.shop.example");
  EXPECT_EQ(verdict.algorithm, "rsa-sha256");
  EXPECT_EQ(verdict.key_bits, 2048u);
  EXPECT_EQ(verdict.b_begin.size(), 8u);
  EXPECT_EQ(verdict.signed_at, kTestNow);
  EXPECT_EQ(verdict.expires_at, kTestNow + 24h);
  EXPECT_EQ(verdict.fields.front(), "from");
  EXPECT_EQ(verdict.why, "");
}

TEST(Dkim, LineFeedsAloneEndLinesToo) {
  std::string text;
  for (const char c : signed_letter()) {
    if (c != '\r') text += c;
  }
  EXPECT_EQ(verdict_of(text).result, pass);
}

// What is wrong with a signature as it stands, and which result that has.
TEST(Dkim, SignaturesThatMayNotBeUsed) {
  struct Case {
    const char* what;
    const char* with;
    DkimResult result;
    size_t asked;
  };
  const Case cases[] = {
      {"v=1;", "v=2;", neutral, 0},
      {"v=1;", "", neutral, 0},
      {"v=1;", "v=1; v=1;", neutral, 0},
      {"a=rsa-sha256", "a=rsa-sha1", policy, 0},
      {"a=rsa-sha256", "a=rsa-md5", neutral, 0},
      {"a=rsa-sha256", "a=ed25519-sha256", permerror, 1},
      {"c=relaxed/relaxed", "c=future/relaxed", neutral, 0},
      {"c=relaxed/relaxed", "c=relaxed/", neutral, 0},
      {"d=shop.example", "d=example", neutral, 0},
      {"d=shop.example", "d=", neutral, 0},
      {"d=shop.example", "d=shop..example", neutral, 0},
      {"s=rsa", "s=", neutral, 0},
      {"s=rsa", "s=gone", permerror, 1},
      {"s=rsa", "s=rsa; q=http", neutral, 0},
      {"s=rsa", "s=rsa; x=1", neutral, 0},
      {"s=rsa", "s=rsa; x=soon", neutral, 0},
      {"s=rsa", "s=rsa; l=-1", neutral, 0},
      {"s=rsa", "s=rsa; l=99999", permerror, 0},
      {"s=rsa", "s=rsa; i=@other.example", permerror, 0},
      {"s=rsa", "s=rsa; i=noaddress", neutral, 0},
      {"h=from:", "h=:", neutral, 0},
      {"h=from:", "h=from::", neutral, 0},
      {"bh=", "bh=AAAA", neutral, 0},
      {"; b=", "; b=!", neutral, 0},
  };
  for (const Case& one : cases) {
    TestZone zone = test_zone();
    const std::string text = replaced(signed_letter(), one.what, one.with);
    const DkimVerdict verdict = verdict_of(text, zone);
    EXPECT_EQ(name_of(verdict.result), name_of(one.result)) << one.with << ": " << verdict.why;
    EXPECT_EQ(zone.asked, one.asked) << one.with;
    EXPECT_NE(verdict.why, "");
  }
}

TEST(Dkim, TheAuthorIsAlwaysSigned) {
  SigningOptions options = usual_options();
  options.fields = {"to"};
  options.oversign = false;
  const DkimVerdict verdict =
      verdict_of(replaced(signed_letter(kLetter, options), "h=from:to", "h=to"));
  EXPECT_EQ(verdict.result, permerror);
  EXPECT_EQ(verdict.why, "the signature does not cover From (h=)");
}

TEST(Dkim, UnknownTagsAndWordsInAnyCaseAreTaken) {
  SigningOptions options = usual_options();
  options.header = Canonicalisation::relaxed;
  const std::string text = signed_letter(kLetter, options);
  // They change what was signed; what counts is that the signature is held against the key at all.
  for (const auto& [what, with] : {std::pair("s=rsa", "s=rsa; zz=1"),
                                   {"a=rsa-sha256", "a=RSA-SHA256"},
                                   {"c=relaxed/relaxed", "c=Relaxed/RELAXED"},
                                   {"s=rsa", "s=RSA; q=http:dns/txt"},
                                   {"d=shop.example", "d=SHOP.example"}}) {
    const DkimVerdict verdict = verdict_of(replaced(text, what, with));
    EXPECT_EQ(verdict.why, "the signature does not fit the header") << with;
    EXPECT_EQ(verdict.domain, "shop.example");
  }
}

TEST(Dkim, Expiry) {
  SigningOptions options = usual_options();
  options.at = kTestNow - 48h;
  options.valid = 24h;
  const DkimVerdict old = verdict_of(signed_letter(kLetter, options));
  EXPECT_EQ(old.result, policy);
  EXPECT_EQ(old.why, "the signature has expired (x=)");
  options.valid = 48h - 2min;
  EXPECT_EQ(verdict_of(signed_letter(kLetter, options)).result, pass) << "clocks differ";
}

TEST(Dkim, ATimeOfTheFutureIsAWeakness) {
  SigningOptions options = usual_options();
  options.at = kTestNow + 1h;
  const DkimVerdict verdict = verdict_of(signed_letter(kLetter, options));
  EXPECT_EQ(verdict.result, pass);
  EXPECT_TRUE(verdict.has(DkimWeakness::future));
  EXPECT_FALSE(verdict.strong());
}

// What the key's record says.
TEST(Dkim, KeyRecords) {
  SigningOptions below = usual_options();
  below.identity = "@mail.shop.example";
  const std::string text = signed_letter(), with_identity = signed_letter(kLetter, below);
  const auto verdict = [&](const std::string& letter, std::vector<std::string> texts) {
    TestZone zone;
    zone.texts["rsa._domainkey.shop.example"] = std::move(texts);
    return verdict_of(letter, zone);
  };
  const std::string good = record_of(test_rsa());
  EXPECT_EQ(verdict(text, {"v=DKIM1; p="}).why, "the key has been revoked");
  EXPECT_EQ(verdict(text, {"v=DKIM1; p="}).result, permerror);
  EXPECT_EQ(verdict(text, {record_of(test_rsa(), "s=web; ")}).result, permerror);
  EXPECT_EQ(verdict(text, {record_of(test_rsa(), "h=sha1; ")}).result, permerror);
  EXPECT_EQ(verdict(text, {"v=spf1 -all"}).result, permerror);
  EXPECT_EQ(verdict(text, {record_of(test_rsa(), "t=s; ")}).result, pass);
  EXPECT_EQ(verdict(with_identity, {good}).result, pass);
  EXPECT_EQ(verdict(with_identity, {record_of(test_rsa(), "t=s; ")}).result, permerror);
  const DkimVerdict testing = verdict(text, {record_of(test_rsa(), "t=y; ")});
  EXPECT_EQ(testing.result, pass);
  EXPECT_TRUE(testing.has(DkimWeakness::testing));
  EXPECT_FALSE(testing.strong());
}

TEST(Dkim, OfSeveralRecordsOneThatFitsIsEnough) {
  const std::string text = signed_letter(), good = record_of(test_rsa());
  const std::string other =
      "v=DKIM1; p=" + crypto::key_of(crypto::new_rsa_pem(1024)).public_base64();
  const auto verdict = [&](std::vector<std::string> texts) {
    TestZone zone;
    zone.texts["rsa._domainkey.shop.example"] = std::move(texts);
    return verdict_of(text, zone);
  };
  EXPECT_EQ(verdict({"some words", other, good}).result, pass);
  EXPECT_EQ(verdict({"some words", other, good}).key_bits, 2048u);
  EXPECT_EQ(verdict({good, other}).result, pass);
  EXPECT_EQ(verdict({other, "v=DKIM1; p="}).result, fail) << "the first of them is told of";
  EXPECT_EQ(verdict({other, other, other, other, good}).result, fail)
      << "no more than four are tried";
}

TEST(Dkim, WhatDnsCannotTellIsTemporary) {
  TestZone zone = test_zone();
  zone.times_out = "rsa._domainkey.shop.example";
  const DkimVerdict verdict = verdict_of(signed_letter(), zone);
  EXPECT_EQ(verdict.result, temperror);
  EXPECT_EQ(verdict.why, "the key could not be fetched: nobody answers");
}

TEST(Dkim, ABodyThatDoesNotFitNeedsNoLookUp) {
  TestZone zone = test_zone();
  EXPECT_EQ(verdict_of(signed_letter() + "more\r\n", zone).why, "the body is not what was signed");
  EXPECT_EQ(zone.asked, 0u);
}

TEST(Dkim, TheCacheChangesNothing) {
  KeyCache keys;
  TestZone zone = test_zone();
  for (int i = 0; i < 3; ++i) {
    const auto all = verdicts_of(signed_letter(), zone, {.now = kTestNow, .keys = &keys});
    EXPECT_EQ(all.at(0).result, pass);
  }
  EXPECT_EQ(keys.size(), 1u);
}

// Keys of one cache are verified with by several threads while others push them out of it.
TEST(Dkim, ThreadsShareTheCache) {
  KeyCache keys(8);
  SigningOptions by_ed25519 = usual_options();
  by_ed25519.selector = "ed";
  const std::vector<std::string> letters{signed_letter(),
                                         signed_letter(kLetter, by_ed25519, test_ed25519())};
  std::atomic<int> passed = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      TestZone zone = test_zone();
      for (size_t i = 0; i < 50; ++i) {
        const auto all = verdicts_of(letters[i % 2], zone, {.now = kTestNow, .keys = &keys});
        if (all.at(0).result == pass) ++passed;
        keys.record(fmt::format("v=DKIM1; n={}-{}; p=", thread, i));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(passed, 200);
  EXPECT_LE(keys.size(), 8u);
}

TEST(Dkim, FoldsAndBlanksInTheSignature) {
  std::string text = signed_letter();
  text = replaced(text, "d=shop.example", "d\r\n\t=\r\n shop.example\r\n ");
  EXPECT_EQ(verdict_of(text).why, "the signature does not fit the header") << "it is read";
  // Blanks within b= are no part of what was signed.
  const size_t b = text.find(" b=");
  text = signed_letter();
  EXPECT_EQ(verdict_of(replaced(text, " b=", " b= \r\n\t ")).result, pass) << b;
  EXPECT_EQ(verdict_of(replaced(text, "\r\nFrom:", "\r\n \t\r\nFrom:")).result, pass);
}

TEST(Dkim, TheWholeMessageHasItsBestResult) {
  std::vector<DkimVerdict> all(3);
  all[0].result = permerror;
  all[1].result = fail;
  all[2].result = neutral;
  EXPECT_EQ(overall(all), fail);
  all[2].result = temperror;
  EXPECT_EQ(overall(all), temperror);
  all[0].result = pass;
  EXPECT_EQ(overall(all), pass);
}

}  // namespace
}  // namespace watchpost::auth
