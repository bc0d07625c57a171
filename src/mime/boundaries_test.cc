#include "mime/boundaries.h"

#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

using enum Delimiter::Kind;

constexpr size_t kLongest = 2048;

void expect(const Boundaries& open, std::string_view line, Delimiter::Kind kind, size_t level,
            bool odd) {
  const Delimiter found = open.find(line);
  EXPECT_EQ(found.kind, kind) << line;
  EXPECT_EQ(found.odd, odd) << line;
  if (kind != none) {
    EXPECT_EQ(found.level, level) << line;
  }
}

TEST(Boundaries, NoneOpen) {
  const Boundaries open(kLongest);
  EXPECT_TRUE(open.empty());
  expect(open, "--a", none, 0, false);
}

TEST(Boundaries, WhatStandsBehindDecides) {
  Boundaries open(kLongest);
  open.open("a", 3);
  expect(open, "--a", next_part, 3, false);
  expect(open, "--a \t", next_part, 3, false);
  expect(open, "--a--", end, 3, false);
  expect(open, "--a--  ", end, 3, false);
  expect(open, "--a-- more", end, 3, true);
  expect(open, "--a--more", end, 3, true);
  expect(open, "--a more", next_part, 3, true);
  expect(open, "--ab", none, 0, true);
  expect(open, "--a-", none, 0, true);
  expect(open, "--b", none, 0, false);
  expect(open, "-- a", none, 0, false);
  expect(open, "--", none, 0, false);
  expect(open, "-a", none, 0, false);
  expect(open, "--A", none, 0, false);
}

TEST(Boundaries, TheLongestCounts) {
  Boundaries open(kLongest);
  open.open("x", 0);
  open.open("xy--", 1);
  open.open("xy", 2);
  open.open("w", 3);
  expect(open, "--x", next_part, 0, false);
  expect(open, "--xy", next_part, 2, false);
  expect(open, "--xy--", next_part, 1, false);
  expect(open, "--xy----", end, 1, false);
  expect(open, "--x--", end, 0, false);
  expect(open, "--x y", next_part, 0, true);
  expect(open, "--w--", end, 3, false);
  open.close_from(1);
  expect(open, "--xy", none, 0, true);
}

TEST(Boundaries, OfTwoAlikeTheInnerOne) {
  Boundaries open(kLongest);
  open.open("b", 0);
  EXPECT_TRUE(open.clashes("b"));
  open.open("b", 2);
  expect(open, "--b--", end, 2, false);
  open.close_from(2);
  expect(open, "--b--", end, 0, false);
}

TEST(Boundaries, ClashIsTheBeginningOfAnOpenOne) {
  Boundaries open(kLongest);
  open.open("----one", 0);
  EXPECT_TRUE(open.clashes("----"));
  EXPECT_FALSE(open.clashes("----one-two"));
  EXPECT_FALSE(open.clashes("----two"));
}

TEST(Boundaries, OfALongOneTheBeginningIsCompared) {
  Boundaries open(4);
  open.open("abcdefgh", 0);
  open.open("ab", 1);
  expect(open, "--abcdefgh", next_part, 0, true);
  expect(open, "--abcdxxxx", next_part, 0, true);
  expect(open, "--abc", none, 0, true);
  expect(open, "--ab", next_part, 1, false);
}

TEST(Boundaries, EightBitBytesAreBytes) {
  Boundaries open(kLongest);
  open.open("gr\xFC\xDF", 0);
  open.open("gr", 1);
  expect(open, "--gr\xFC\xDF--", end, 0, false);
  expect(open, "--gr", next_part, 1, false);
}

// Against the plain rule: all open ones, the longest that fits, of two alike the inner one.
TEST(Boundaries, SameAsAskingEachOfThem) {
  uint32_t random = 1;
  const auto dice = [&](uint32_t sides) {
    return (random = random * 1664525 + 1013904223) / 65536 % sides;
  };
  const auto word = [&](uint32_t longest) {
    std::string text;
    for (uint32_t length = 1 + dice(longest); length > 0; --length) text += "ab- "[dice(4)];
    return text;
  };
  for (int round = 0; round < 5000; ++round) {
    Boundaries open(kLongest);
    std::vector<std::string> all;
    for (uint32_t count = dice(9); count > 0; --count) {
      all.push_back(word(5));
      open.open(all.back(), all.size() - 1);
      if (dice(4) == 0) {
        all.resize(dice(static_cast<uint32_t>(all.size()) + 1));
        open.close_from(all.size());
      }
    }
    const std::string line = "--" + word(7);
    size_t longest = 0;
    Delimiter expected;
    for (size_t level = 0; level < all.size(); ++level) {
      Boundaries one(kLongest);
      one.open(all[level], level);
      const Delimiter found = one.find(line);
      if (found.kind == none || all[level].size() < longest) continue;
      longest = all[level].size();
      expected = found;
    }
    const Delimiter found = open.find(line);
    EXPECT_EQ(found.kind, expected.kind) << line;
    if (expected.kind != none) {
      EXPECT_EQ(found.level, expected.level) << line;
    }
  }
}

}  // namespace
}  // namespace watchpost::mime
