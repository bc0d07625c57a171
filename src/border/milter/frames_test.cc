#include "border/milter/frames.h"

#include "border/milter/test_client.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

void put(FrameReader& reader, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = reader.room();
    ASSERT_FALSE(room.empty());
    const size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), count, room.begin());
    reader.put(count);
    bytes.remove_prefix(count);
  }
}

TEST(MilterFrames, ComeOutHoweverTheyAreCut) {
  std::string bytes;
  std::vector<Said> wanted;
  for (size_t size = 0; size < 400; size += 7) {
    wanted.push_back({.command = 'B', .data = std::string(size, static_cast<char>(size))});
    bytes += say('B', wanted.back().data);
  }
  for (const size_t piece : {1u, 3u, 5u, 100u, 4096u}) {
    FrameReader reader(1000);
    std::vector<Said> got;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      put(reader, std::string_view(bytes).substr(at, piece));
      while (const auto frame = reader.next()) {
        got.push_back({.command = frame->command, .data = std::string(frame->data)});
      }
    }
    EXPECT_EQ(got, wanted);
    EXPECT_FALSE(reader.within_frame());
  }
}

TEST(MilterFrames, TheBufferGrowsByWhatComesAndIsGivenBack) {
  FrameReader reader(256 * 1024);
  EXPECT_EQ(reader.room().size(), 4096u);
  // A length that only announces much costs nothing.
  put(reader, be32(256 * 1024) + "B");
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.held(), 4096u);
  put(reader, std::string(256 * 1024 - 1, 'x'));
  EXPECT_LE(reader.held(), 256 * 1024 + 8u);
  const auto frame = reader.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->data.size(), 256 * 1024 - 1u);
  put(reader, say('E').substr(0, 3));
  reader.release();
  EXPECT_EQ(reader.held(), 4096u);
  put(reader, say('E').substr(3));
  EXPECT_EQ(reader.next()->command, 'E');
}

TEST(MilterFrames, ALengthThatNoFrameHasIsTheEnd) {
  for (const uint32_t length : {0u, 1001u, 0x80000000u, 0xFFFFFFFFu}) {
    FrameReader reader(1000);
    put(reader, say('A') + be32(length) + say('A'));
    EXPECT_TRUE(reader.next());
    EXPECT_FALSE(reader.broken());
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.broken());
    EXPECT_EQ(reader.broken_length(), length);
    EXPECT_TRUE(reader.room().empty());
    EXPECT_FALSE(reader.next());
  }
  FrameReader reader(1000);
  put(reader, say('A', std::string(999, 'x')));
  EXPECT_TRUE(reader.next());
}

TEST(MilterFrames, ThingsAreReadOffTheFront) {
  std::string_view data("\x01\x02\x03\x04\x05\x06text\0rest", 15);
  EXPECT_EQ(take_number(data), 0x01020304u);
  EXPECT_EQ(take_port(data), 0x0506);
  EXPECT_EQ(take_text(data), "text");
  EXPECT_EQ(data, "rest");
  EXPECT_FALSE(take_text(data));
  data = "abc";
  EXPECT_FALSE(take_number(data));
  data = "a";
  EXPECT_FALSE(take_port(data));
}

TEST(MilterFrames, AreWrittenAsOthersReadThem) {
  std::string out;
  std::string data;
  add_number(data, 0xDEADBEEF);
  add_text(data, "a\nb");
  add_frame(out, MilterReply::insert_header, data);
  add_frame(out, MilterReply::go_on);
  const auto said = frames_in(out);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0], (Said{'i', be32(0xDEADBEEF) + texts({"a\nb"})}));
  EXPECT_EQ(said[1], (Said{'c', ""}));
}

}  // namespace
}  // namespace watchpost::border
