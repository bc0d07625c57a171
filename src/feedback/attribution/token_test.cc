#include "feedback/attribution/token.h"

#include "crypto/digest.h"
#include "feedback/attribution/base32.h"

#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

constexpr Time kSent = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);
constexpr Duration kAge = std::chrono::hours(24 * 30);
const std::string kSecret = "0123456789abcdef0123456789abcdef";
// Made with the recipe in Python of docs/guide/attribution.md.
constexpr std::string_view kOfRecipe = "wp1a6mskrbhppqmkxnly5nbbjydf5eayzams6o2vwwoco6mh4wsm4";

TokenKeys keys_of(std::vector<TokenKeySettings> settings) {
  auto made = TokenKeys::from(settings);
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}
TokenKeys one_key() { return keys_of({{.id = 7, .secret = kSecret}}); }

std::string made(const TokenKeys& keys, const TokenContent& content,
                 std::string_view recipient = "kim@example.com", Time now = kSent) {
  const auto token = keys.make(content, recipient, now);
  EXPECT_TRUE(token) << token.error().text();
  return token.value_or("");
}
const TokenContent kContent{.sent = kSent, .customer = "acme", .campaign = "spring"};

std::vector<char> control_bytes() {
  std::vector<char> bytes(33);
  std::iota(bytes.begin(), bytes.end(), '\0');
  bytes.back() = '\x7f';
  return bytes;
}

// Made for kim@example.com by somebody who does not look at the texts.
std::string unchecked(std::string_view texts) {
  const auto code = [](std::string_view key, std::string_view bytes, size_t length = 32) {
    const crypto::Sha256 made = crypto::hmac_sha256(key, bytes);
    return std::string(reinterpret_cast<const char*>(made.data()), length);
  };
  const auto derived = [&](const std::string& use) {
    return code(kSecret, "watchpost token 1 " + use);
  };
  const auto seconds = std::chrono::floor<std::chrono::seconds>(kSent.time_since_epoch()).count();
  std::string plain;
  for (const int shift : {24, 16, 8, 0}) plain += static_cast<char>((seconds >> shift) & 255);
  plain += code(derived("recipient"), "kim@example.com", 5);
  plain += texts;
  const std::string tag = code(derived("seal"), "\7" + plain, kTokenTag);
  for (size_t i = 0; i < plain.size(); ++i) {
    const char block = static_cast<char>(i / 32);
    plain[i] = static_cast<char>(plain[i] ^ code(derived("hide"), tag + block)[i % 32]);
  }
  return "wp1" + to_base32("\7" + tag + plain);
}

TEST(Token, IsWhatTheRecipeMakes) {
  EXPECT_EQ(made(one_key(), kContent, "Kim@Example.com"), kOfRecipe);
}

TEST(Token, OfTextsThatNobodyLookedAtIsWrong) {
  const TokenKeys keys = one_key();
  EXPECT_EQ(unchecked("acme\nspring"), kOfRecipe);
  EXPECT_EQ(keys.read(unchecked("a\nb\nc\nd\ne"), kSent, kAge).content.serial, "e");
  EXPECT_EQ(keys.read(unchecked("a\nb\nc\nd\ne\nf"), kSent, kAge).state, TokenState::wrong);
  EXPECT_EQ(keys.read(unchecked("\n\n\n\n\n"), kSent, kAge).state, TokenState::wrong);
  for (const char c : control_bytes()) {
    if (c == '\n') continue;
    for (const std::string& texts :
         {"ac" + std::string(1, c) + "me\nspring", "acme\nspring" + std::string(1, c)}) {
      const ReadToken read = keys.read(unchecked(texts), kSent, kAge);
      EXPECT_EQ(read.state, TokenState::wrong) << int{c};
      EXPECT_EQ(read.content.customer, "") << int{c};
    }
  }
}

TEST(Token, SaysWhatWasPutIn) {
  const TokenKeys keys = one_key();
  TokenContent content = kContent;
  content.credential = "mailer@acme.example";
  content.recipient = "kim@example.com";
  content.serial = "4711";
  const ReadToken read = keys.read(made(keys, content), kSent + 24h, kAge);
  ASSERT_EQ(read.state, TokenState::ok);
  EXPECT_EQ(read.key, 7);
  EXPECT_EQ(read.content.sent, kSent);
  EXPECT_EQ(read.content.customer, "acme");
  EXPECT_EQ(read.content.campaign, "spring");
  EXPECT_EQ(read.content.credential, "mailer@acme.example");
  EXPECT_EQ(read.content.recipient, "kim@example.com");
  EXPECT_EQ(read.content.serial, "4711");
  EXPECT_TRUE(keys.is_for(read, "KIM@example.COM"));
  EXPECT_FALSE(keys.is_for(read, "kim@example.net"));
  EXPECT_FALSE(keys.is_for(read, ""));
}

TEST(Token, FitsAReturnPathAndSurvivesItsLetters) {
  const TokenKeys keys = one_key();
  TokenContent content = kContent;
  content.customer = "customer9";
  content.campaign = "campaign";
  std::string token = made(keys, content);
  EXPECT_LE(token.size(), kShortToken);
  for (char& c : token) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(keys.read(token, kSent, kAge).state, TokenState::ok);
}

TEST(Token, TheSameMailHasTheSameAndAnotherAnother) {
  const TokenKeys keys = one_key();
  EXPECT_EQ(made(keys, kContent), made(keys, kContent));
  EXPECT_NE(made(keys, kContent), made(keys, kContent, "lee@example.com"));
  TokenContent other = kContent;
  other.serial = "2";
  EXPECT_NE(made(keys, kContent), made(keys, other));
}

TEST(Token, ToUnsubscribeIsSealedForThat) {
  const TokenKeys keys = one_key();
  TokenContent content = kContent;
  content.for_unsubscribe = true;
  const std::string token = made(keys, content);
  EXPECT_EQ(token.size(), kOfRecipe.size());
  const ReadToken read = keys.read(token, kSent, kAge);
  EXPECT_EQ(read.state, TokenState::ok);
  EXPECT_TRUE(read.content.for_unsubscribe);
  EXPECT_EQ(read.content.campaign, "spring");
  EXPECT_TRUE(keys.is_for(read, "kim@example.com"));
  EXPECT_FALSE(keys.read(kOfRecipe, kSent, kAge).content.for_unsubscribe);
}

TEST(Token, HidesWhatItSays) {
  TokenContent content = kContent;
  content.customer = std::string(40, 'a');
  const std::string bytes = from_base32(made(one_key(), content).substr(3)).value_or("");
  EXPECT_EQ(bytes.find("aaaa"), std::string::npos);
}

TEST(Token, ChangedAnywhereIsWrong) {
  const TokenKeys keys = one_key();
  const std::string token = made(keys, kContent);
  for (size_t i = kTokenMark.size() + 2; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(keys.read(changed, kSent, kAge).state, TokenState::wrong) << changed;
  }
  EXPECT_EQ(keys.read(token.substr(0, token.size() - 1), kSent, kAge).state, TokenState::wrong);
  EXPECT_EQ(keys.read(token + "a", kSent, kAge).state, TokenState::wrong);
  EXPECT_EQ(keys.read("", kSent, kAge).state, TokenState::wrong);
}

TEST(Token, OfAnotherSecretIsWrong) {
  const TokenKeys other = keys_of({{.id = 7, .secret = "ffffffffffffffffffff"}});
  EXPECT_EQ(other.read(kOfRecipe, kSent, kAge).state, TokenState::wrong);
}

TEST(Token, ExpiresAndIsNeverOfTheFuture) {
  const TokenKeys keys = one_key();
  EXPECT_EQ(keys.read(kOfRecipe, kSent + kAge, kAge).state, TokenState::ok);
  EXPECT_EQ(keys.read(kOfRecipe, kSent + kAge + 1s, kAge).state, TokenState::expired);
  EXPECT_EQ(keys.read(kOfRecipe, kSent - 10min, kAge).state, TokenState::ok);
  EXPECT_EQ(keys.read(kOfRecipe, kSent - 11min, kAge).state, TokenState::early);
}

// A customer who makes tokens with a key of its own cannot make them for another.
TEST(Token, OfACustomersKeySpeaksForThatCustomerOnly) {
  const TokenKeys anyones = one_key();
  const TokenKeys its_own = keys_of({{.id = 7, .secret = kSecret, .customer = "other"}});
  EXPECT_EQ(its_own.read(made(anyones, kContent), kSent, kAge).state, TokenState::foreign);
  EXPECT_FALSE(its_own.make(kContent, "kim@example.com", kSent));
  TokenContent unsaid = kContent;
  unsaid.customer.clear();
  const ReadToken read = its_own.read(made(anyones, unsaid), kSent, kAge);
  EXPECT_EQ(read.state, TokenState::ok);
  EXPECT_EQ(read.content.customer, "other");
}

// A customer's own key may write anybody's login into a token.
TEST(Token, OfACustomersKeySaysNothingOfCredentials) {
  const TokenKeys anyones = one_key();
  const TokenKeys its_own = keys_of({{.id = 7, .secret = kSecret, .customer = "acme"}});
  TokenContent content = kContent;
  content.credential = "other-api";
  const std::string token = made(anyones, content);
  const ReadToken limited = its_own.read(token, kSent, kAge);
  EXPECT_EQ(limited.state, TokenState::ok);
  EXPECT_TRUE(limited.limited);
  EXPECT_EQ(limited.content.campaign, "spring");
  EXPECT_EQ(limited.content.credential, "");
  EXPECT_FALSE(anyones.read(token, kSent, kAge).limited);
  EXPECT_EQ(anyones.read(token, kSent, kAge).content.credential, "other-api");
  EXPECT_FALSE(its_own.make(content, "kim@example.com", kSent));
}

TEST(Token, IsMadeWithTheNewestKeyThatMaySayIt) {
  const TokenKeys keys =
      keys_of({{.id = 1, .secret = kSecret},
               {.id = 2, .secret = kSecret, .customer = "acme"},
               {.id = 3, .secret = kSecret, .customer = "other"},
               {.id = 4, .secret = kSecret, .not_after = "2026-11-01T00:00:00Z"}});
  const auto key_of = [&](const TokenContent& content) {
    return keys.read(made(keys, content), kSent, kAge).key;
  };
  TokenContent content = kContent;
  EXPECT_EQ(key_of(content), 2);
  content.credential = "mailer";
  EXPECT_EQ(key_of(content), 1);
  content.customer = "somebody";
  EXPECT_EQ(key_of(content), 1);
  EXPECT_EQ(key_of({.sent = kSent}), 1);
}

TEST(Token, WhichKeyRefusedIsSaid) {
  const TokenKeys keys = keys_of({{.id = 2, .secret = kSecret, .customer = "acme"},
                                  {.id = 3, .secret = kSecret, .customer = "other"}});
  const auto refusal = [&](const TokenContent& content, std::optional<uint8_t> key) {
    const auto token = keys.make(content, "kim@example.com", kSent, key);
    return token ? "made" : token.error().what;
  };
  TokenContent content = kContent;
  EXPECT_EQ(refusal(content, std::nullopt), "made");
  EXPECT_EQ(refusal(content, uint8_t{3}), "key 3 can speak for `other` only");
  content.credential = "mailer";
  EXPECT_EQ(
      refusal(content, std::nullopt),
      "key 3 can speak for `other` only; key 2 is `acme`'s own, and tokens of a customer's own "
      "key say nothing of credentials");
  EXPECT_EQ(refusal({.sent = kSent}, std::nullopt),
            "key 3 is `other`'s own, and no customer is named; key 2 is `acme`'s own, and no "
            "customer is named");
  EXPECT_EQ(refusal({.sent = kSent}, uint8_t{3}), "made");
}

TEST(Token, TheFirstThatIsForARecipientIsFound) {
  const TokenKeys keys = one_key();
  const std::vector<ReadToken> tokens{
      keys.read(made(keys, kContent, "lee@example.com"), kSent, kAge),
      keys.read(made(keys, kContent), kSent, kAge)};
  EXPECT_EQ(keys.first_for(tokens, "Kim@example.com"), &tokens[1]);
  EXPECT_EQ(keys.first_for(tokens, "ann@example.com"), nullptr);
  EXPECT_EQ(keys.first_for(tokens, ""), nullptr);
}

TEST(Token, KeysAreChangedWithOverlap) {
  const std::string before = "0123456789abcdef-before";
  const std::string after = "0123456789abcdef-after";
  const TokenKeys old_key = keys_of({{.id = 1, .secret = before}});
  const TokenKeys both = keys_of({{.id = 1, .secret = before, .not_after = "2026-12-15T00:00:00Z"},
                                  {.id = 2, .secret = after}});
  const std::string of_old = made(old_key, kContent);
  EXPECT_EQ(both.read(of_old, kSent + 24h * 14, kAge).state, TokenState::ok);
  EXPECT_EQ(both.read(of_old, kSent + 24h * 15, kAge).state, TokenState::expired);
  EXPECT_EQ(both.read(made(both, kContent), kSent, kAge).key, 2);
  const TokenKeys only_new = keys_of({{.id = 2, .secret = after}});
  EXPECT_EQ(only_new.read(of_old, kSent, kAge).state, TokenState::unknown_key);
}

// S-32 of the attack list: nobody guesses one.
TEST(Token, AHundredThousandGuessesAreWrong) {
  const TokenKeys keys = one_key();
  std::mt19937_64 random(20261130);
  std::string bytes = *from_base32(kOfRecipe.substr(3));
  for (int i = 0; i < 100'000; ++i) {
    for (size_t k = 1; k < bytes.size(); ++k) bytes[k] = static_cast<char>(random() & 255);
    const auto state = keys.read("wp1" + to_base32(bytes), kSent, kAge).state;
    ASSERT_EQ(state, TokenState::wrong);
  }
}

TEST(Token, SettingsAreChecked) {
  const auto about = [](std::vector<TokenKeySettings> settings) {
    const auto keys = TokenKeys::from(settings);
    return keys ? std::string("good") : keys.error().about;
  };
  EXPECT_EQ(about({{.id = 0, .secret = kSecret}}), "[0].id");
  EXPECT_EQ(about({{.id = 256, .secret = kSecret}}), "[0].id");
  EXPECT_EQ(about({{.id = 1, .secret = kSecret}, {.id = 1, .secret = kSecret}}), "[1].id");
  EXPECT_EQ(about({{.id = 1, .secret = "short"}}), "[0].secret");
  EXPECT_EQ(about({{.id = 1, .secret = kSecret, .not_after = "soon"}}), "[0].not_after");
  EXPECT_EQ(about({{.id = 255, .secret = kSecret, .not_after = "2027-01-01T00:00:00Z"}}), "good");
}

TEST(Token, IsNotMadeOfWhatItCannotHold) {
  const TokenKeys keys = one_key();
  TokenContent content = kContent;
  EXPECT_FALSE(keys.make(content, "no address", kSent));
  EXPECT_FALSE(keys.make(content, "kim@example.com", kSent, uint8_t{8}));
  for (const char c : control_bytes()) {
    for (std::string TokenContent::* const text :
         {&TokenContent::customer, &TokenContent::campaign, &TokenContent::credential,
          &TokenContent::recipient, &TokenContent::serial}) {
      TokenContent two = kContent;
      two.*text = std::string("two") + c + "texts";
      EXPECT_FALSE(keys.make(two, "kim@example.com", kSent)) << int{c};
    }
  }
  content.campaign = std::string(kMostTokenTexts, 'x');
  EXPECT_FALSE(keys.make(content, "kim@example.com", kSent));
  EXPECT_FALSE(TokenKeys().make(kContent, "kim@example.com", kSent));
}

TEST(TokensIn, AreFoundWhereTheyStand) {
  const std::string token(kOfRecipe);
  for (const std::string& text :
       {token, "<" + token + "@example.com>", "bounces+" + token + "@example.com",
        "https://example.com/u/" + token + "?x", "a:b:" + token + ":acme"}) {
    EXPECT_EQ(tokens_in(text), std::vector<std::string_view>{kOfRecipe}) << text;
  }
  for (const std::string& text : {std::string(), std::string("wp1"), "x" + token,
                                  std::string("wp1abc"), "wp1" + std::string(5000, 'a')}) {
    EXPECT_TRUE(tokens_in(text).empty()) << text;
  }
  std::string many;
  for (int i = 0; i < 100; ++i) many += token + " ";
  EXPECT_EQ(tokens_in(many, 5).size(), 5u);
}

TEST(Base32, IsOneFormOfEachContent) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(from_base32(to_base32(text)), text);
  }
  EXPECT_EQ(to_base32("foobar"), "mzxw6ytboi");  // RFC 4648 section 10
  EXPECT_FALSE(from_base32("mz1"));
  EXPECT_FALSE(from_base32("m"));
  EXPECT_FALSE(from_base32("mz"));  // bits that are left over
  EXPECT_EQ(from_base32("my"), "f");
}

}  // namespace
}  // namespace watchpost::feedback
