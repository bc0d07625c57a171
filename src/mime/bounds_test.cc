// What a hostile message may make us do.
#include "mime/message.h"
#include "mime/test_outline.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

std::string nested_multiparts(size_t count, bool ended) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) {
    bytes += fmt::format("Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n", i);
  }
  bytes += "\ninnermost\n";
  for (size_t i = count; ended && i-- > 0;) bytes += fmt::format("--b{}--\n", i);
  return bytes;
}

size_t depth_of(const Message& message) {
  return std::ranges::max_element(message.parts(), {}, &Part::depth)->depth;
}

TEST(Bounds, NestedMultiparts) {
  const std::string bytes = nested_multiparts(10'000, true);
  const Message message = Message::read(bytes);
  EXPECT_EQ(depth_of(message), 100);
  EXPECT_TRUE(message.findings().has(Defect::too_deep));
  EXPECT_EQ(message.parts().back().type.value, "multipart/mixed");
  EXPECT_NE(message.parts().back().body.find("innermost"), std::string_view::npos);
}

// With the bound lifted all of it is taken apart; were the work of a line to grow with what is
// open, this would take minutes.
TEST(Bounds, NestedMultipartsWithoutABound) {
  const Bounds bounds{.depth = 60'000, .parts = 100'000};
  for (const bool ended : {true, false}) {
    const std::string bytes = nested_multiparts(20'000, ended);
    const Message message = Message::read(bytes, bounds);
    EXPECT_EQ(depth_of(message), 20'000);
    EXPECT_TRUE(message.parts().back().body.starts_with("innermost"));
    EXPECT_EQ(message.findings().has(Defect::missing_end_boundary), !ended);
  }
}

TEST(Bounds, NestedMessages) {
  std::string bytes;
  for (size_t i = 0; i < 10'000; ++i) bytes += "Content-Type: message/rfc822\n\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(depth_of(message), 100);
  EXPECT_EQ(names(message.findings()), "too_deep");
}

TEST(Bounds, NestedOnesOfOneBoundary) {
  std::string bytes;
  for (size_t i = 0; i < 10'000; ++i) {
    bytes += "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
  }
  for (size_t i = 0; i < 10'000; ++i) bytes += "--b--\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(depth_of(message), 100);
  EXPECT_TRUE(message.findings().has(Defect::ambiguous_boundary));
}

TEST(Bounds, ManyParts) {
  std::string bytes = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (size_t i = 0; i < 100'000; ++i) bytes += "--b\n\nx\n";
  bytes += "--b--\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(message.parts().size(), 1000u);
  EXPECT_EQ(names(message.findings()), "too_many_parts");
  EXPECT_EQ(message.parts().back().body, "x");
  EXPECT_EQ(message.root().body.size(), bytes.size() - message.root().header.size());
}

TEST(Bounds, ManyPartsOfNothing) {
  std::string bytes = "Content-Type: multipart/digest; boundary=b\n\n";
  for (size_t i = 0; i < 100'000; ++i) bytes += "--b\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(message.parts().size(), 1000u);
  EXPECT_TRUE(message.findings().has(Defect::too_many_parts));
}

TEST(Bounds, LinesLikeBoundariesAreCheap) {
  std::string bytes;
  std::string boundary;
  for (size_t i = 0; i < 100; ++i) {
    boundary += 'a';
    bytes += fmt::format("Content-Type: multipart/mixed; boundary={0}\n\n--{0}\n", boundary);
  }
  bytes += "\n";
  const size_t begin = bytes.size();
  while (bytes.size() < 10'000'000)
    bytes += "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n--a\xFF\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(message.parts().size(), 101u);
  EXPECT_EQ(message.parts().back().body.size(), bytes.size() - begin);
  EXPECT_TRUE(message.findings().has(Defect::ambiguous_boundary));
  EXPECT_LE(message.findings().all().size(), Findings::kMost);
}

TEST(Bounds, HeaderOfTenMegabytes) {
  std::string bytes = "Subject: a\n";
  while (bytes.size() < 10'000'000) bytes += "X-Field: of a flood of fields\n";
  bytes += "\nbody\n";
  const Message message = Message::read(bytes);
  EXPECT_TRUE(message.findings().has(Defect::header_too_large));
  EXPECT_EQ(message.root().body, "body\n");
  EXPECT_LE(message.header().fields().size(), Bounds{}.fields);
  const Message one_line = Message::read("Subject: " + std::string(10'000'000, 'a') + "\n\nbody\n");
  EXPECT_TRUE(one_line.findings().has(Defect::header_too_large));
}

TEST(Bounds, HundredMegabytes) {
  std::string bytes = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n";
  bytes.reserve(100'100'000);
  while (bytes.size() < 100'000'000) bytes += "A line of text like many others, of some length.\n";
  bytes += "--b--\n";
  const Message message = Message::read(bytes);
  EXPECT_EQ(message.parts().size(), 2u);
  EXPECT_EQ(names(message.findings()), "");
  Findings findings;
  EXPECT_EQ(message.decoded(message.parts()[1], findings).size(), Bounds{}.decoded_bytes);
  EXPECT_EQ(names(findings), "decoded_too_large");
}

// Cut at each of its bytes, a message is still one, and its parts lie within each other.
TEST(Bounds, HalfAMessage) {
  const std::string whole =
      "From a@b Mon Jan  1 00:00:00 2026\r\nSubject: =?utf-8?q?a?=\r\nContent-Type: "
      "multipart/report;\r\n boundary=\"b1\"\r\n\r\npre\r\n--b1\r\nContent-Type: text/plain; "
      "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b1\r\nContent-Type: "
      "message/rfc822\r\n\r\nSubject: b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
      "\r\nx=\r\n--b--\r\n--b1--\r\nepi\r\n";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string bytes = whole.substr(0, size);
    const Message message = Message::read(bytes);
    ASSERT_FALSE(message.parts().empty());
    for (const Part& part : message.parts()) {
      message.text(part);
      if (part.parent == Part::kNone) continue;
      const std::string_view outer = message.parts()[part.parent].body;
      EXPECT_GE(part.raw.data(), outer.data()) << size;
      EXPECT_LE(part.raw.data() + part.raw.size(), outer.data() + outer.size()) << size;
    }
  }
}

}  // namespace
}  // namespace watchpost::mime
