#include "ingest/mail_stream.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

struct Read {
  std::string bytes;
  uint64_t offset = 0;
  uint64_t size = 0;
  bool too_large = false;
  bool broken_off = false;
  bool operator==(const Read&) const = default;
};

struct Options {
  MailShape shape = MailShape::automatic;
  size_t largest = kLargestMail;
  size_t step = SIZE_MAX;  // bytes that come in at a time
};

std::vector<Read> read_all(std::string_view stream, const Options& options = {}) {
  MailStream messages(options.largest, options.shape);
  std::vector<Read> all;
  const auto take = [&] {
    for (StreamedMail mail; messages.next(mail);) {
      EXPECT_EQ(mail.number, all.size() + 1);
      all.push_back(
          {std::string(mail.bytes), mail.offset, mail.size, mail.too_large, mail.broken_off});
    }
  };
  while (!stream.empty()) {
    const std::span<char> room = messages.room();
    const size_t part = std::min({room.size(), stream.size(), options.step});
    std::memcpy(room.data(), stream.data(), part);
    messages.filled(part);
    stream.remove_prefix(part);
    take();
  }
  messages.end();
  take();
  EXPECT_LE(messages.window(), options.largest + 1024 * 1024);
  return all;
}

std::vector<std::string> texts(std::string_view stream, const Options& options = {}) {
  std::vector<std::string> all;
  for (const Read& one : read_all(stream, options)) all.push_back(one.bytes);
  return all;
}

using Texts = std::vector<std::string>;

constexpr std::string_view kTwo =
    "From MAILER-DAEMON Tue Nov 24 03:00:01 2026\n"
    "Subject: one\n"
    "\n"
    "first\n"
    "\n"
    "From bounces@example.net Tue Nov 24 03:00:02 2026\n"
    "Subject: two\n"
    "\n"
    "second\n"
    "\n";

TEST(MailStream, AFileThatBeginsWithSomethingElseIsOneMessage) {
  EXPECT_EQ(texts("Subject: one\n\nFrom here on\n\nFrom a@b Tue Nov 24 03:00:01 2026\n"),
            (Texts{"Subject: one\n\nFrom here on\n\nFrom a@b Tue Nov 24 03:00:01 2026\n"}));
  EXPECT_EQ(texts("F"), (Texts{"F"}));
  EXPECT_EQ(texts("From: a@b\n\n"), (Texts{"From: a@b\n\n"}));
  EXPECT_EQ(texts("From : a@b\n\nold\n"), (Texts{"From : a@b\n\nold\n"}));
}

TEST(MailStream, NothingIsNoMessage) {
  EXPECT_TRUE(texts("").empty());
  EXPECT_TRUE(texts("", {.shape = MailShape::mbox}).empty());
}

TEST(MailStream, SplitsAnMboxAndLeavesItsOwnLinesOut) {
  const std::vector<Read> read = read_all(kTwo);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].bytes, "Subject: one\n\nfirst\n");
  EXPECT_EQ(read[1].bytes, "Subject: two\n\nsecond\n");
  EXPECT_EQ(read[0].offset, 0u);
  EXPECT_EQ(read[1].offset, kTwo.rfind("From "));
  EXPECT_EQ(read[0].size + read[1].size, kTwo.size());
  EXPECT_FALSE(read[0].broken_off);
  EXPECT_FALSE(read[1].broken_off);
}

TEST(MailStream, TheSameHoweverTheBytesComeIn) {
  std::string stream;
  for (int i = 0; i < 40; ++i) {
    stream +=
        fmt::format("From x@y Tue Nov 24 03:00:{:02} 2026\r\nA: {}\r\n\r\n>From me\r\n", i, i);
    stream += std::string(static_cast<size_t>(i) * 37, 'x') + "\r\n\r\n";
  }
  const std::vector<Read> whole = read_all(stream);
  ASSERT_EQ(whole.size(), 40u);
  for (const size_t step : std::initializer_list<size_t>{1, 2, 7, 64, 4095, 4097}) {
    EXPECT_EQ(read_all(stream, {.step = step}), whole) << step;
  }
}

TEST(MailStream, EveryFashionOfLineEnds) {
  const Texts one_two{"A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\ny\r\n"};
  EXPECT_EQ(texts("From a Tue Nov 24 03:00:01 2026\r\nA: 1\r\n\r\nx\r\n\r\n"
                  "From a Tue Nov 24 03:00:01 2026\r\nA: 2\r\n\r\ny\r\n\r\n"),
            one_two);
  EXPECT_EQ(texts("From a Tue Nov 24 03:00:01 2026\rA: 1\r\rx\r\r"
                  "From a Tue Nov 24 03:00:01 2026\rA: 2\r\ry\r"),
            (Texts{"A: 1\n\nx\n", "A: 2\n\ny\n"}));
  EXPECT_EQ(texts("A: 1\r\rx\r"), (Texts{"A: 1\n\nx\n"}));
  // A stray CR is no line end where there are others.
  EXPECT_EQ(texts("A: 1\rB\n\nx\n"), (Texts{"A: 1\rB\n\nx\n"}));
}

TEST(MailStream, TakesOneQuoteOffOfAnMboxOnly) {
  EXPECT_EQ(
      texts("From a Tue Nov 24 03:00:01 2026\nA: 1\n\n>From x\n>>From y\n> From z\na >From b\n"),
      (Texts{"A: 1\n\nFrom x\n>From y\n> From z\na >From b\n"}));
  EXPECT_EQ(texts("A: 1\n\n>From x\n"), (Texts{"A: 1\n\n>From x\n"}));
}

TEST(MailStream, WhatBeginsAMessage) {
  for (const std::string_view line :
       {"From MAILER-DAEMON Tue Nov 24 03:00:01 2026", "From - Tue Nov  3 3:00:01 2026",
        "From a@b Tue Nov 24 03:00 UTC 2026", "From 17@xxx Tue Nov 24 03:00:01 +0000 2026",
        "From a@b Tue Nov 24 03:00:01 2026 remote from c"}) {
    EXPECT_TRUE(begins_mbox_message(line, false)) << line;
    EXPECT_TRUE(begins_mbox_message(line, true)) << line;
  }
  for (const std::string_view line :
       {"From a@b 2026-11-24T03:00:01Z", "From a@b Tue, 24 Nov 2026 03:00:01 +0000"}) {
    EXPECT_FALSE(begins_mbox_message(line, false)) << line;
    EXPECT_TRUE(begins_mbox_message(line, true)) << line;
  }
  for (const std::string_view line :
       {"From now on", "From 10:30 on we meet", "From the year 2026 to come", "From", "From ",
        "From: Tue Nov 24 03:00:01 2026", ">From a Tue Nov 24 03:00:01 2026",
        "From : Tue Nov 24 03:00:01 2026", "from a Tue Nov 24 03:00:01 2026", ""}) {
    EXPECT_FALSE(begins_mbox_message(line, true)) << line;
  }
}

TEST(MailStream, ContentLengthIsNotBelieved) {
  EXPECT_EQ(texts("From a Tue Nov 24 03:00:01 2026\nContent-Length: 5000\n\nx\n\n"
                  "From b Tue Nov 24 03:00:02 2026\nA: 2\n\ny\n"),
            (Texts{"Content-Length: 5000\n\nx\n", "A: 2\n\ny\n"}));
}

TEST(MailStream, HalfAMessageIsGivenAndSaidToBeOne) {
  // The writer died within the first one and began again.
  const std::vector<Read> read = read_all(
      "From a Tue Nov 24 03:00:01 2026\nA: 1\n\nhalf a li\n"
      "From b Tue Nov 24 03:00:02 2026\nA: 2\n\ny\n\n"
      "From c Tue Nov 24 03:00:03 2026\nA: 3\n\nhalf of the la");
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].bytes, "A: 1\n\nhalf a li\n");
  EXPECT_TRUE(read[0].broken_off);
  EXPECT_FALSE(read[1].broken_off);
  EXPECT_EQ(read[2].bytes, "A: 3\n\nhalf of the la");
  EXPECT_TRUE(read[2].broken_off);
}

TEST(MailStream, AnMboxThatEndsBehindASeparator) {
  for (const std::string_view end : {"", "\n"}) {
    const std::vector<Read> read = read_all(
        "From a Tue Nov 24 03:00:01 2026\nA: 1\n\nx\n\n"
        "From b Tue Nov 24 03:00:02 2026" +
        std::string(end));
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].bytes, "A: 1\n\nx\n");
    EXPECT_EQ(read[1].bytes, "");
    EXPECT_TRUE(read[1].broken_off);
  }
}

TEST(MailStream, WhatIsTooLargeIsPassedOverAndNotKept) {
  const std::string small = "From a Tue Nov 24 03:00:01 2026\nA: 1\n\nx\n\n";
  std::string large = "From b Tue Nov 24 03:00:02 2026\nA: 2\n\n";
  for (int i = 0; i < 100'000; ++i) large += "a line of a message without end\n";
  large += std::string(3'000'000, 'y') + " From c Tue Nov 24 03:00:01 2026\n\n";
  for (const size_t step : {size_t{1000}, SIZE_MAX}) {
    const auto read = read_all(small + large + small, {.largest = 100'000, .step = step});
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0].bytes, "A: 1\n\nx\n");
    EXPECT_TRUE(read[1].too_large);
    EXPECT_EQ(read[1].size, large.size());
    EXPECT_EQ(read[1].bytes, "");
    EXPECT_EQ(read[2].bytes, "A: 1\n\nx\n");
    EXPECT_EQ(read[2].offset, small.size() + large.size());
  }
}

TEST(MailStream, OneMessageThatIsTooLarge) {
  const std::string just = "A: 1\n\n" + std::string(94, 'x');
  EXPECT_EQ(texts(just, {.largest = 100}), (Texts{just}));
  const auto read = read_all(just + "x", {.largest = 100});
  ASSERT_EQ(read.size(), 1u);
  EXPECT_TRUE(read[0].too_large);
  EXPECT_EQ(read[0].size, 101u);
  const auto larger = read_all(std::string(2'000'000, 'x'), {.largest = 100});
  ASSERT_EQ(larger.size(), 1u);
  EXPECT_EQ(larger[0].size, 2'000'000u);
}

TEST(MailStream, ShapeAsTold) {
  EXPECT_EQ(texts(kTwo, {.shape = MailShape::message}), (Texts{std::string(kTwo)}));
  EXPECT_EQ(texts("A: 1\n\nx\n\nFrom b Tue Nov 24 03:00:02 2026\nA: 2\n\ny\n",
                  {.shape = MailShape::mbox}),
            (Texts{"A: 1\n\nx\n", "A: 2\n\ny\n"}));
}

// Whatever comes in: the places of the messages cover the stream, and the step makes no difference.
TEST(MailStream, PiecesOfMboxesInAnyOrder) {
  const std::vector<std::string> pieces{"From a Tue Nov 24 03:00:01 2026",
                                        "From ",
                                        ">From ",
                                        "\n",
                                        "\r\n",
                                        "\r",
                                        "x",
                                        ">",
                                        "A: 1",
                                        "From b 2026-11-24T03:00:01Z",
                                        std::string(200, 'z')};
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string stream;
    for (size_t i = random() % 40; i > 0; --i) stream += pieces[random() % pieces.size()];
    const std::vector<Read> read = read_all(stream, {.largest = 400});
    uint64_t at = 0;
    for (const Read& one : read) {
      EXPECT_EQ(one.offset, at);
      EXPECT_EQ(one.too_large, one.size > 400);
      EXPECT_LE(one.bytes.size(), one.size);
      at += one.size;
    }
    EXPECT_EQ(at, stream.size());
    ASSERT_EQ(read_all(stream, {.largest = 400, .step = 1 + random() % 50}), read) << stream;
  }
}

}  // namespace
}  // namespace watchpost::ingest
