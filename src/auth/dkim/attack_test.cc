// The attacks on DKIM that are known, by the numbers of their list: S- are rows of attacks, C rules
// that faults of other verifiers have taught.
#include "auth/dkim/canonical_header.h"
#include "auth/dkim/test_letters.h"
#include "crypto/base64.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

using enum DkimResult;

// A letter whose signature covers the body's first bytes alone.
std::string signed_with_length(const std::string& letter, const std::string& tail,
                               const std::string& unsigned_fields = "") {
  // Signed as it is, with l= put among the tags before the header is: our own signer has no l=.
  const auto message = mime::Message::read(letter);
  const size_t size = message.root().body.size();
  SigningOptions options = usual_options();
  options.body = Canonicalisation::simple;
  options.fields = {"from", "to", "subject"};
  options.oversign = false;
  const std::string selector = fmt::format("rsa; l={}", size);
  std::string field = *sign_dkim(message, test_rsa(), options);
  field = replaced(field, "s=rsa", "s=" + selector);
  // The digest of the header is that of the changed field.
  std::string text;
  for (const char* name : {"From", "To", "Subject"}) {
    append_canonical(text, message.header().find(name)->raw, Canonicalisation::relaxed);
    text += "\r\n";
  }
  field = field.substr(0, field.find(" b=") + 3);
  append_canonical(text, field, Canonicalisation::relaxed);
  field += crypto::base64(*test_rsa().sign(crypto::sha256(text))) + "\r\n";
  return field + unsigned_fields + letter + tail;
}

TEST(DkimAttack, S03AnUnsignedTailIsNoDmarcPass) {
  for (const size_t size : {size_t{1}, size_t{1000}, size_t{1'000'000}}) {
    const std::string text = signed_with_length(kLetter, std::string(size, 'x'));
    const DkimVerdict verdict = verdict_of(text);
    EXPECT_EQ(verdict.result, pass) << verdict.why;
    EXPECT_FALSE(verdict.counts_for_dmarc());
    EXPECT_FALSE(verdict.strong());
    EXPECT_TRUE(verdict.has(DkimWeakness::body_length));
    EXPECT_EQ(verdict.unsigned_bytes, size + 2) << "with the line end that it is given";
  }
}

TEST(DkimAttack, S03NorIsAWholeBodyUnderAReplacedContentType) {
  const std::string letter = replaced(kLetter, "Content-Type: text/plain\r\n", "");
  const std::string text =
      signed_with_length(letter, "", "Content-Type: multipart/mixed; boundary=Hello\r\n");
  const DkimVerdict verdict = verdict_of(text);
  EXPECT_EQ(verdict.result, pass) << verdict.why;
  EXPECT_EQ(verdict.unsigned_bytes, 0u);
  EXPECT_FALSE(verdict.counts_for_dmarc());
}

TEST(DkimAttack, S04DoubledFieldsMakeAPassWeak) {
  SigningOptions options = usual_options();
  options.oversign = false;
  options.fields = {"from"};
  const std::string text = signed_letter(kLetter, options);
  ASSERT_TRUE(verdict_of(text).strong());
  for (const std::string field :
       {"Subject: Pay now", "Date: today", "To: eve@example.net", "Content-Type: text/html",
        "MIME-Version: 1.1", "From: eve@evil.example"}) {
    const DkimVerdict verdict = verdict_of(field + "\r\n" + text);
    EXPECT_EQ(verdict.result, pass) << field;
    EXPECT_TRUE(verdict.has(DkimWeakness::doubled_field)) << field;
    EXPECT_FALSE(verdict.strong()) << field;
  }
}

TEST(DkimAttack, S04OversigningForbidsAddedFields) {
  const std::string text = signed_letter();
  for (const std::string field :
       {"Subject: Pay now", "Cc: eve@example.net", "From: eve@evil.example",
        "Reply-To: eve@example.net", "Content-Type: text/html"}) {
    EXPECT_EQ(verdict_of(field + "\r\n" + text).result, fail) << field;
    EXPECT_EQ(verdict_of(replaced(text, "\r\nFrom:", "\r\n" + field + "\r\nFrom:")).result, fail)
        << field;
  }
  EXPECT_EQ(verdict_of("Received: by a relay\r\n" + text).result, pass);
}

TEST(DkimAttack, S05AnOldSignatureIsRefused) {
  SigningOptions options = usual_options();
  options.at = kTestNow - 24h * 365;
  options.valid = 24h * 7;
  EXPECT_EQ(verdict_of(signed_letter(kLetter, options)).result, policy);
}

DkimVerdict under_key(const crypto::SigningKey& key, DkimOptions options = {.now = kTestNow}) {
  TestZone zone;
  zone.texts["rsa._domainkey.shop.example"] = {record_of(key)};
  return verdicts_of(signed_letter(kLetter, usual_options(), key), zone, options).at(0);
}

TEST(DkimAttack, S06SmallKeysAreRefusedOrWeak) {
  const DkimVerdict small = under_key(crypto::key_of(crypto::new_rsa_pem(1024)));
  EXPECT_EQ(small.result, pass);
  EXPECT_TRUE(small.has(DkimWeakness::small_key));
  const DkimVerdict refused = under_key(crypto::key_of(crypto::new_rsa_pem(1024)),
                                        {.now = kTestNow, .least_rsa_bits = 2048});
  EXPECT_EQ(refused.result, permerror);
  EXPECT_EQ(refused.why, "the key has 1024 bits, and 2048 to 4096 are taken");
  EXPECT_EQ(under_key(crypto::key_of(crypto::new_rsa_pem(2048, 3))).result, pass);
}

// The record alone decides: a key of that size is never computed with.
TEST(DkimAttack, S06KeysOfAnySizeByTheirRecord) {
  const auto verdict = [](size_t bits, const std::string& exponent) {
    std::string modulus(bits / 8, '\xFF');
    if (bits % 8 != 0) modulus.insert(0, 1, static_cast<char>(0xFF >> (8 - bits % 8)));
    TestZone zone;
    zone.texts["rsa._domainkey.shop.example"] = {
        "v=DKIM1; p=" + crypto::base64(crypto::rsa_der(modulus, exponent))};
    return verdict_of(signed_letter(), zone);
  };
  for (const size_t bits : {384u, 512u, 768u, 1023u, 4104u, 8192u, 16'384u, 65'536u}) {
    EXPECT_EQ(verdict(bits, "\x03").result, permerror) << bits;
  }
  for (const size_t bits : {1024u, 2048u, 4096u})
    EXPECT_EQ(verdict(bits, "\x03").result, fail) << bits;
  EXPECT_EQ(verdict(2048, "\x01").result, permerror);
  EXPECT_EQ(verdict(2048, std::string("\x01\0\0\0\0\0\0\0\x01", 9)).result, permerror);
}

TEST(DkimAttack, S06Sha1IsRefusedWithoutALookUp) {
  TestZone zone = test_zone();
  const DkimVerdict verdict = verdict_of(replaced(signed_letter(), "rsa-sha256", "rsa-sha1"), zone);
  EXPECT_EQ(verdict.result, policy);
  EXPECT_EQ(zone.asked, 0u);
}

TEST(DkimAttack, S08AFloodOfSignaturesCostsNoMoreThanTen) {
  TestZone zone = test_zone();
  std::string text = signed_letter();
  const std::string field = text.substr(0, text.find("From:"));
  std::string flood;
  for (int i = 0; i < 300; ++i) flood += replaced(field, "s=rsa", fmt::format("s=x{}", i));
  const auto all = verdicts_of(flood + text, zone);
  EXPECT_EQ(all.size(), 301u);
  EXPECT_EQ(zone.asked, 10u);
  EXPECT_EQ(std::ranges::count(all, neutral, &DkimVerdict::result), 291);
  EXPECT_NE(overall(all), pass);
}

// Each l= costs a digest of the whole body.
TEST(DkimAttack, S08ManyLengthsAreNotAllHashed) {
  TestZone zone = test_zone();
  const std::string text = signed_letter();
  const std::string field = text.substr(0, text.find("From:"));
  std::string flood;
  for (int i = 1; i <= 15; ++i)
    flood += replaced(field, "s=rsa", fmt::format("s=rsa; l={}", i % 12));
  const auto all = verdicts_of(flood + kLetter, zone, {.now = kTestNow, .most_signatures = 50});
  EXPECT_EQ(std::ranges::count(all, fail, &DkimVerdict::result), 13);
  EXPECT_EQ(std::ranges::count(all, neutral, &DkimVerdict::result), 2);
}

// Each question would cost the square of the fields, were they searched one by one.
TEST(DkimAttack, S08ManyFieldsAndManyNamesOfThem) {
  std::string fields, names = "from";
  for (int i = 0; i < 8000; ++i) {
    fields += "a:\r\n";
    names += ":a";
  }
  SigningOptions options = usual_options();
  const std::string letter = fields + kLetter;
  std::string text = replaced(signed_letter(letter, options), "h=from", "h=" + names);
  EXPECT_EQ(verdict_of(text).result, fail);
}

// Rule C3: what is written for others to read comes from names that can stand there.
TEST(DkimAttack, C3NamesThatCouldEscapeAreNoNames) {
  for (const std::string name :
       {"shop.example(", "shop.example\"", "(a)shop.example", "shop.example/x", "a@shop.example",
        "shop.example,x", "<shop.example>", "sh\\op.example", "shop.example\xFF"}) {
    const DkimVerdict verdict =
        verdict_of(replaced(signed_letter(), "d=shop.example", "d=" + name));
    EXPECT_EQ(verdict.result, neutral) << name;
    EXPECT_EQ(verdict.domain, "") << name;
    const DkimVerdict selected = verdict_of(replaced(signed_letter(), "s=rsa", "s=" + name));
    EXPECT_EQ(selected.result, neutral) << name;
    EXPECT_EQ(selected.selector, "") << name;
  }
}

// Rule C6: what one signature came to never shows in another one's verdict.
TEST(DkimAttack, C6VerdictsShareNothing) {
  TestZone zone = test_zone();
  const std::string good = signed_letter();
  std::string bad =
      replaced(good.substr(0, good.find("From:")), "d=shop.example", "d=evil.example");
  zone.texts["rsa._domainkey.evil.example"] = {record_of(test_ed25519())};
  for (const bool bad_first : {true, false}) {
    const size_t from = good.find("From:");
    const std::string text =
        bad_first ? bad + good : good.substr(0, from) + bad + good.substr(from);
    const auto all = verdicts_of(text, zone);
    ASSERT_EQ(all.size(), 2u);
    const DkimVerdict& of_evil = all[bad_first ? 0 : 1];
    const DkimVerdict& of_shop = all[bad_first ? 1 : 0];
    EXPECT_EQ(of_evil.domain, "evil.example");
    EXPECT_EQ(of_evil.result, permerror);
    EXPECT_EQ(of_evil.key_bits, 256u);
    EXPECT_EQ(of_shop.domain, "shop.example");
    EXPECT_EQ(of_shop.result, pass);
    EXPECT_EQ(of_shop.key_bits, 2048u);
  }
}

// Rule C10: the budget is kept inside the resolver, whatever the message asks for.
TEST(DkimAttack, C10AnEmptyBudgetIsTemporary) {
  TestZone zone = test_zone();
  const auto message = mime::Message::read(signed_letter());
  const std::string text = signed_letter();
  const auto read = mime::Message::read(text);
  dns::Budget budget{.queries = 0};
  const auto all = *value_now(verify_dkim(read, zone, budget, {.now = kTestNow}));
  EXPECT_EQ(all.at(0).result, temperror);
}

// Rules C4, C5, C9: damaged signatures of every length, none of which may end the program.
TEST(DkimAttack, C5EveryCutAndEveryChangedByteHasAVerdict) {
  TestZone zone = test_zone();
  const std::string text = signed_letter();
  const size_t end = text.find("From:");
  for (size_t at = 0; at < end; at += 3) {
    verdicts_of(text.substr(0, at) + "\r\n" + text.substr(end), zone);
    for (const char c : {'\0', ';', '=', '\r', '\n', '\xFF'}) {
      std::string changed = text;
      changed[at] = c;
      for (const DkimVerdict& verdict : verdicts_of(changed, zone)) {
        EXPECT_TRUE(verdict.passed() || !verdict.why.empty());
      }
    }
  }
}

}  // namespace
}  // namespace watchpost::auth
