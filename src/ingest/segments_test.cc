#include "ingest/segments.h"

#include "ingest/growing_bytes.h"
#include "ingest/test_files.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

using Lines = std::vector<std::string>;

// Writes a segment as kumod does: one frame, whose blocks come out as they fill or are flushed.
class SegmentWriter {
 public:
  explicit SegmentWriter(std::string path)
      : path_(std::move(path)), stream_(ZSTD_createCStream(), &ZSTD_freeCStream) {}
  void write(std::string_view text) { put(text, ZSTD_e_flush); }
  void keep_back(std::string_view text) { put(text, ZSTD_e_continue); }
  void end() {
    put({}, ZSTD_e_end);
    done();
  }
  // The mark of a segment that nobody writes to any more.
  void done() const { fs::permissions(path_, fs::perms::owner_read | fs::perms::group_read); }
  const std::string& path() const { return path_; }

 private:
  void put(std::string_view text, ZSTD_EndDirective how) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    size_t left = 1;
    std::string out(ZSTD_CStreamOutSize() + text.size() * 2, '\0');
    while (left != 0 || in.pos < in.size) {
      ZSTD_outBuffer to{out.data(), out.size(), 0};
      left = ZSTD_compressStream2(stream_.get(), &to, &in, how);
      ASSERT_FALSE(ZSTD_isError(left));
      append_file(path_, std::string_view(out.data(), to.pos));
      if (how == ZSTD_e_continue && in.pos == in.size) break;
    }
  }
  std::string path_;
  std::unique_ptr<ZSTD_CStream, size_t (*)(ZSTD_CStream*)> stream_;
};

struct Follow {
  explicit Follow(const std::string& folder, std::string_view position = {}, bool from_end = false,
                  size_t longest_line = 1000)
      : follower({.folder = folder, .longest_line = longest_line, .from_end = from_end}) {
    EXPECT_TRUE(follower.start(position));
  }
  Lines all() {
    Lines lines;
    while (follower.read(3, [&](const Line& line, const Hash128& id) {
      lines.emplace_back(line.text);
      ids.push_back(id);
    }) > 0) {
    }
    return lines;
  }
  uint64_t unread(const std::string& reason) const {
    Follower::Unread found;
    follower.count_unread(found);
    const auto one = found.find(reason);
    return one == found.end() ? 0 : one->second.count;
  }
  SegmentFollower follower;
  std::vector<Hash128> ids;
};

TEST(SegmentName, IsATimeAndASuffix) {
  const auto full = SegmentName::parse("20261124-104500.123456789_recv");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->since(), "20261124-104500.123456789");
  EXPECT_EQ(full->suffix(), "_recv");
  EXPECT_EQ(SegmentName::parse("20261124-104500")->suffix(), "");
  EXPECT_EQ(SegmentName::parse("20261124-104500.csv")->suffix(), ".csv");
  for (const char* const no :
       {"", ".", "20261124", "20261124-10450", "20261124_104500", "2026112a-104500",
        "20261124-104500 x", "20261124-104500,x", "20261124-104500\n", "checkpoint"}) {
    EXPECT_FALSE(SegmentName::parse(no)) << no;
  }
  EXPECT_FALSE(SegmentName::parse("20261124-104500" + std::string(300, 'x')));
}

TEST(SegmentPosition, ReadsBackWhatItWritesAndNothingElse) {
  const std::vector<SegmentPlace> places{
      {*SegmentName::parse("20261124-104500"), 77, {1, 2}, false},
      {*SegmentName::parse("20261124-104501_r"), 0, {}, true}};
  const std::string text = text_of(places);
  const auto read = segment_places_from(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(text_of(*read), text);
  for (const std::string& bad :
       {std::string(), std::string("segments1 "), text + " ", text + " x", "x" + text,
        std::string("segments1 20261124-104500,077,00000000000000000000000000000000,0"),
        std::string("segments1 20261124-104500,7,0,0"), std::string("follow1 1 2 3 4 5 6 7")}) {
    const auto refused = segment_places_from(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::corrupt);
  }
}

TEST(Segments, AreReadAsTheyGrow) {
  const Folder folder;
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), IsEmpty());
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\nhal");
  EXPECT_THAT(follow.all(), ElementsAre("a", "b"));
  first.keep_back("f\n");
  EXPECT_THAT(follow.all(), IsEmpty());
  first.write("c\n");
  EXPECT_THAT(follow.all(), ElementsAre("half", "c"));
  first.end();
  SegmentWriter second(folder / "20261124-104501.5");
  second.write("d\n");
  EXPECT_THAT(follow.all(), ElementsAre("d"));
  second.write("e\n");
  EXPECT_THAT(follow.all(), ElementsAre("e"));
  EXPECT_TRUE(follow.follower.healthy());
  EXPECT_EQ(follow.follower.bytes_behind(), 0u);
}

// Byte by byte: no part of a frame is an error, and each line comes once.
TEST(Segments, WaitForTheRestOfAFrame) {
  const Folder folder;
  SegmentWriter whole(folder / "whole");
  whole.write("one\ntwo\n");
  whole.write("three\n");
  whole.end();
  const std::string packed = read_file(whole.path()) + zstd("four\n");
  Follow follow(folder.path());
  Lines all;
  for (const char byte : packed) {
    append_file(folder / "20261124-104500", std::string(1, byte));
    for (std::string& line : follow.all()) all.push_back(std::move(line));
  }
  EXPECT_THAT(all, ElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(follow.unread("segment_damaged"), 0u);
}

TEST(Segments, GoOnWhereTheLastStartStopped) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\n");
  std::string position;
  {
    Follow follow(folder.path());
    EXPECT_THAT(follow.all(), ElementsAre("a", "b"));
    position = *follow.follower.position();
  }
  first.write("c\n");
  first.end();
  SegmentWriter second(folder / "20261124-104501");
  second.write("d\n");
  {
    Follow follow(folder.path(), position);
    EXPECT_EQ(follow.follower.position(), position);
    EXPECT_THAT(follow.all(), ElementsAre("c", "d"));
    position = *follow.follower.position();
  }
  second.end();
  {
    Follow follow(folder.path(), position);
    EXPECT_THAT(follow.all(), IsEmpty());
    position = *follow.follower.position();
  }
  // All that was read is gone, and new ones have come.
  fs::remove(first.path());
  fs::remove(second.path());
  SegmentWriter(folder / "20261124-104503").write("e\n");
  Follow follow(folder.path(), position);
  EXPECT_THAT(follow.all(), ElementsAre("e"));
  EXPECT_EQ(follow.unread("segment_gone"), 0u);
}

TEST(Segments, GiveEachLineTheSameIdAtEachReading) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\na\nb\n");
  Follow one(folder.path());
  Follow two(folder.path());
  one.all();
  two.all();
  ASSERT_EQ(one.ids.size(), 3u);
  EXPECT_EQ(one.ids, two.ids);
  EXPECT_NE(one.ids[0], one.ids[1]);
}

TEST(Segments, BeginAtTheEndWhereTheyAreToldTo) {
  const Folder folder;
  SegmentWriter(folder / "20261124-104459").write("older\n");
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\n");
  Follow follow(folder.path(), {}, true);
  EXPECT_THAT(follow.all(), IsEmpty());
  first.write("c\n");
  EXPECT_THAT(follow.all(), ElementsAre("c"));
  SegmentWriter(folder / "20261124-104501").write("d\n");
  EXPECT_THAT(follow.all(), ElementsAre("d"));
}

// Else the next start would read what was before the first one, from where this one came to.
TEST(Segments, StoppedOnTheWayToTheEndHaveNoPosition) {
  const Folder folder;
  SegmentWriter segment(folder / "20261124-104459");
  segment.write(std::string(20'000, 'x') + "\n" + std::string(20'000, 'y') + "\n");
  std::stop_source stop;
  SegmentFollower follower({.folder = folder.path(), .longest_line = 1024, .from_end = true});
  follower.stop_with(stop.get_token());
  ASSERT_TRUE(follower.start({}).has_value());
  EXPECT_TRUE(follower.position().has_value());
  stop.request_stop();
  ASSERT_TRUE(follower.start({}).has_value());
  EXPECT_FALSE(follower.position().has_value());
}

TEST(Segments, OfSeveralSuffixesAreOpenAtOnce) {
  const Folder folder;
  SegmentWriter received(folder / "20261124-104500_recv");
  SegmentWriter delivered(folder / "20261124-104501_dlv");
  received.write("r1\n");
  delivered.write("d1\n");
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), ElementsAre("r1", "d1"));
  delivered.write("d2\n");
  received.write("r2\n");
  EXPECT_THAT(follow.all(), ElementsAre("r2", "d2"));
  received.end();
  SegmentWriter more(folder / "20261124-104502_recv");
  more.write("r3\n");
  delivered.write("d3\n");
  EXPECT_THAT(follow.all(), ElementsAre("d3", "r3"));
  Follow again(folder.path(), *follow.follower.position());
  EXPECT_THAT(again.all(), IsEmpty());
  // A suffix that is new is read from its beginning.
  SegmentWriter(folder / "20261124-104400_new").write("n1\n");
  EXPECT_THAT(again.all(), ElementsAre("n1"));
}

TEST(Segments, ThatAreDamagedAreLeftThere) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\n");
  append_file(first.path(), std::string(64, '\xFF'));
  SegmentWriter(folder / "20261124-104501").write("c\n");
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(follow.unread("segment_damaged"), 1u);
  Follow again(folder.path(), *follow.follower.position());
  EXPECT_THAT(again.all(), IsEmpty());
  EXPECT_EQ(again.unread("segment_damaged"), 0u);
}

// Room that is too small for a block must not cost its rest when the next one is damaged.
TEST(Segments, WhatCameBeforeTheDamageIsReadWhateverTheRoom) {
  const Folder folder;
  SegmentWriter written(folder / "20261124-104500");
  const std::string good(50'000, 'a');
  written.write(good);
  append_file(written.path(), std::string(64, '\xFF'));
  auto bytes = GrowingBytes::open(written.path());
  ASSERT_TRUE(bytes);
  std::string came;
  std::array<char, 4096> room;
  auto got = bytes->read(room);
  for (; got && *got > 0; got = bytes->read(room)) came.append(room.data(), *got);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::corrupt);
  EXPECT_TRUE(came == good) << came.size();
}

// kumod was killed: the frame has no end. It marks the segment when it starts again.
TEST(Segments, ThatBreakOffAreLeftWhenTheyAreDone) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\nhal");
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), ElementsAre("a", "b"));
  EXPECT_EQ(follow.unread("segment_broken_off"), 0u);
  first.done();
  EXPECT_THAT(follow.all(), IsEmpty());
  EXPECT_EQ(follow.unread("segment_broken_off"), 1u);
  SegmentWriter(folder / "20261124-104501").write("c\n");
  EXPECT_THAT(follow.all(), ElementsAre("c"));
}

TEST(Segments, ThatAreDeletedWhileTheyAreReadAreReadToTheirEnd) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\nb\n");
  Follow follow(folder.path());
  Lines lines;
  EXPECT_EQ(follow.follower.read(
                1, [&](const Line& line, const Hash128&) { lines.emplace_back(line.text); }),
            1u);
  fs::remove(first.path());
  EXPECT_THAT(follow.all(), ElementsAre("b"));
  Follow again(folder.path(), *follow.follower.position());
  EXPECT_THAT(again.all(), IsEmpty());
}

TEST(Segments, ThatAreGoneBeforeTheyWereReadAreSaid) {
  const Folder folder;
  SegmentWriter first(folder / "20261124-104500");
  first.write("a\n");
  std::string position;
  {
    Follow follow(folder.path());
    follow.all();
    position = *follow.follower.position();
  }
  fs::remove(first.path());
  SegmentWriter(folder / "20261124-104501").write("b\n");
  Follow follow(folder.path(), position);
  EXPECT_THAT(follow.all(), ElementsAre("b"));
  EXPECT_EQ(follow.unread("segment_gone"), 1u);
}

TEST(Segments, OfTheSameNameAndOtherLinesAreReadAnew) {
  const Folder folder;
  write_file(folder / "20261124-104500", zstd("a\nb\n"));
  std::string position;
  {
    Follow follow(folder.path());
    follow.all();
    position = *follow.follower.position();
  }
  write_file(folder / "20261124-104500", zstd("other\nlines\nhere\n"));
  Follow follow(folder.path(), position);
  EXPECT_THAT(follow.all(), ElementsAre("other", "lines", "here"));
}

TEST(Segments, MayBePlainAndOtherFilesAreLeftAlone) {
  const Folder folder;
  write_file(folder / ".checkpoint", "no\n");
  write_file(folder / "readme", "no\n");
  fs::create_directory(folder / "20261124-104400");
  write_file(folder / "20261124-104500", "a\nb");
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), ElementsAre("a"));
  fs::permissions(folder / "20261124-104500", fs::perms::owner_read);
  EXPECT_THAT(follow.all(), ElementsAre("b"));
}

TEST(Segments, CutLongLinesAndCountThem) {
  const Folder folder;
  SegmentWriter(folder / "20261124-104500").write(std::string(5000, 'x') + "\nshort\n");
  Follow follow(folder.path());
  EXPECT_THAT(follow.all(), ElementsAre(std::string(1000, 'x'), "short"));
  EXPECT_EQ(follow.unread("line_too_long"), 1u);
}

TEST(Segments, WaitForTheirFolder) {
  const Folder folder;
  Follow follow(folder / "logs/", {}, true);
  EXPECT_THAT(follow.all(), IsEmpty());
  EXPECT_FALSE(follow.follower.healthy());
  EXPECT_THAT(follow.follower.state(), testing::HasSubstr("does not exist"));
  fs::create_directory(folder / "logs");
  SegmentWriter(folder / "logs/20261124-104500").write("a\n");
  EXPECT_THAT(follow.all(), ElementsAre("a"));
  follow.follower.wait(1ms, {});
  EXPECT_TRUE(follow.follower.healthy());
  EXPECT_EQ(follow.follower.state(), "following");
}

TEST(Segments, RefuseAPositionThatIsNone) {
  const Folder folder;
  SegmentFollower follower({.folder = folder.path()});
  const auto refused = follower.start("nonsense");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
}

}  // namespace
}  // namespace watchpost::ingest
