#include "auth/dkim/canonical_body.h"
#include "auth/dkim/canonical_header.h"
#include "base/text.h"

#include <random>

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

constexpr auto kSimple = Canonicalisation::simple, kRelaxed = Canonicalisation::relaxed;

std::string body(std::string_view text, Canonicalisation how, size_t piece = 1'000'000) {
  CanonicalBody canonical(how);
  std::string kept;
  canonical.keep(kept);
  const size_t whole = canonical.want(std::nullopt);
  for (size_t at = 0; at < text.size(); at += piece) canonical.add(text.substr(at, piece));
  canonical.finish();
  EXPECT_EQ(canonical.digest(whole), crypto::sha256(kept));
  EXPECT_EQ(canonical.size(), kept.size());
  return kept;
}

// RFC 6376 section 3.4.3 and 3.4.4, line by line and without a thought for speed.
std::string naive(std::string_view text, Canonicalisation how) {
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c != '\n') {
      lines.back() += c;
      continue;
    }
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    lines.emplace_back();
  }
  if (how == kRelaxed) {
    for (std::string& line : lines) {
      std::string made;
      for (const char c : line) {
        const bool blank = c == ' ' || c == '\t';
        if (blank && made.ends_with(' ')) continue;
        made += blank ? ' ' : c;
      }
      if (made.ends_with(' ')) made.pop_back();
      line = made;
    }
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string all;
  for (const std::string& line : lines) all += line + "\r\n";
  return all.empty() && how == kSimple ? "\r\n" : all;
}

TEST(CanonicalBody, EmptyBodies) {
  for (const char* text : {"", "\r\n", "\r\n\r\n\r\n", "\n\n"}) {
    EXPECT_EQ(body(text, kSimple), "\r\n") << escaped(text);
    EXPECT_EQ(body(text, kRelaxed), "") << escaped(text);
  }
  EXPECT_EQ(body(" \t\r\n  \r\n", kRelaxed), "");
  EXPECT_EQ(body(" \r\n", kSimple), " \r\n");
}

TEST(CanonicalBody, LinesAndBlanks) {
  const std::string_view text = " C \r\nD \t E\r\n\r\n\r\n";
  EXPECT_EQ(body(text, kRelaxed), " C\r\nD E\r\n");
  EXPECT_EQ(body(text, kSimple), " C \r\nD \t E\r\n");
  EXPECT_EQ(body("a\r\n\r\n\r\nb", kRelaxed), "a\r\n\r\n\r\nb\r\n");
  EXPECT_EQ(body("a \t", kRelaxed), "a\r\n");
  EXPECT_EQ(body("a\nb\n", kSimple), "a\r\nb\r\n");
}

TEST(CanonicalBody, ACarriageReturnAloneIsAByte) {
  EXPECT_EQ(body("a\rb\r\n", kRelaxed), "a\rb\r\n");
  EXPECT_EQ(body("a \r\r\n", kRelaxed), "a \r\r\n");
  EXPECT_EQ(body("\r", kSimple), "\r\r\n");
}

// The streamed form is that of the whole, wherever it is cut, and that of the RFC's own words.
TEST(CanonicalBody, PiecesAndTheNaiveReadingAgree) {
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::string_view letters = round % 2 == 0 ? "ab \t\r\n" : "abcdefghijklmnop \r\n";
    const size_t size = random() % 200;
    while (text.size() < size) {
      if (random() % 8 == 0) text += "\r\n";
      text += letters[random() % letters.size()];
    }
    for (const auto how : {kSimple, kRelaxed}) {
      const std::string expected = naive(text, how);
      ASSERT_EQ(body(text, how), expected) << escaped(text);
      ASSERT_EQ(body(text, how, 1), expected) << escaped(text);
      ASSERT_EQ(body(text, how, 1 + random() % 40), expected) << escaped(text);
    }
  }
}

TEST(CanonicalBody, LimitsCutTheCanonicalForm) {
  CanonicalBody canonical(kRelaxed);
  const size_t three = canonical.want(3), none = canonical.want(0), far = canonical.want(1000);
  EXPECT_EQ(canonical.want(3), three);
  canonical.add("a  b  c\r\n");
  canonical.finish();
  EXPECT_EQ(canonical.digest(three), crypto::sha256("a b"));
  EXPECT_EQ(canonical.digest(none), crypto::sha256(""));
  EXPECT_EQ(canonical.digest(far), crypto::sha256("a b c\r\n"));
}

TEST(CanonicalBody, LimitsHoldBeyondOneBlock) {
  const std::string text(10'000, 'x');
  for (const uint64_t limit : {4095u, 4096u, 4097u, 9999u}) {
    CanonicalBody canonical(kSimple);
    const size_t place = canonical.want(limit);
    canonical.add(text);
    canonical.finish();
    EXPECT_EQ(canonical.digest(place), crypto::sha256(text.substr(0, limit)));
  }
}

std::string field(std::string_view raw, Canonicalisation how, Gap gap = {}) {
  std::string text;
  append_canonical(text, raw, how, gap);
  return text;
}

TEST(CanonicalHeader, Relaxed) {
  EXPECT_EQ(field("A: X\r\n", kRelaxed), "a:X");
  EXPECT_EQ(field("B : Y\t\r\n\tZ  \r\n", kRelaxed), "b:Y Z");
  EXPECT_EQ(field("SUBJect:\r\n \r\n", kRelaxed), "subject:");
  EXPECT_EQ(field("a: b\r\n\r\n", kRelaxed), "a:b");
  EXPECT_EQ(field("a:b\rc\r\n", kRelaxed), "a:b\rc");
  EXPECT_EQ(field("a: \xC3\xA4  \xFF\n b", kRelaxed), "a:\xC3\xA4 \xFF b");
}

TEST(CanonicalHeader, SimpleLeavesAllButLineEnds) {
  EXPECT_EQ(field("B : Y\t\r\n\tZ  \r\n", kSimple), "B : Y\t\r\n\tZ  ");
  EXPECT_EQ(field("B : Y\n\tZ\n", kSimple), "B : Y\r\n\tZ");
}

TEST(CanonicalHeader, TheGapIsLeftOut) {
  const std::string_view raw = "D: a=1; b= xx\r\n yy ; c=2\r\n";
  const size_t begin = raw.find(" xx"), end = raw.find("; c");
  EXPECT_EQ(field(raw, kSimple, {begin, end}), "D: a=1; b=; c=2");
  EXPECT_EQ(field(raw, kRelaxed, {begin, end}), "d:a=1; b=; c=2");
}

TEST(FieldChoice, TakesTheLastOneFirst) {
  mime::Findings findings;
  const auto header = mime::Header::read("A: 1\r\nb: 2\r\na: 3\r\nAA: 4\r\n\r\n", 0, {}, findings);
  const FieldIndex index(header.fields());
  FieldChoice choice(index);
  EXPECT_EQ(choice.next("a")->body, " 3");
  EXPECT_EQ(choice.next("A")->body, " 1");
  EXPECT_EQ(choice.next("a"), nullptr);
  EXPECT_EQ(choice.next("c"), nullptr);
  EXPECT_EQ(choice.next("aa")->body, " 4");
  EXPECT_EQ(index.places("a").size(), 2u);
}

}  // namespace
}  // namespace watchpost::auth
