#include "ingest/lines.h"

#include "ingest/test_files.h"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using test::Folder;
using test::gzip;
using test::write_file;
using test::zstd;

struct Read {
  std::vector<std::string> lines;
  std::vector<uint64_t> offsets;
  std::vector<Hash128> ids;
  std::optional<Error> error;
  uint64_t cut = 0;
};

Read read_all(const std::string& path, size_t longest = kLongestLine) {
  Read read;
  auto reader = LineReader::open(path, longest);
  EXPECT_TRUE(reader) << reader.error().text();
  Line line;
  while (reader->next(line)) {
    read.lines.emplace_back(line.text);
    read.offsets.push_back(line.offset);
    read.ids.push_back(reader->id_of(line));
  }
  read.error = reader->error();
  read.cut = reader->cut_lines();
  return read;
}

using Lines = std::vector<std::string>;

TEST(Lines, GivesEachWithItsOffset) {
  const Folder folder;
  write_file(folder / "log", "one\ntwo\r\n\nlast");
  const Read read = read_all(folder / "log");
  EXPECT_EQ(read.lines, (Lines{"one", "two", "", "last"}));
  EXPECT_EQ(read.offsets, (std::vector<uint64_t>{0, 4, 9, 10}));
  EXPECT_FALSE(read.error);
}

TEST(Lines, EmptyFileHasNone) {
  const Folder folder;
  write_file(folder / "log", "");
  EXPECT_TRUE(read_all(folder / "log").lines.empty());
}

TEST(Lines, NulAndControlBytesPassThrough) {
  const Folder folder;
  const std::string odd("a\0b\x01\x1b[0m\xff", 9);
  write_file(folder / "log", odd + "\nnext\n");
  EXPECT_EQ(read_all(folder / "log").lines, (Lines{odd, "next"}));
}

TEST(Lines, LongOnesAreCutAndTheNextIsWhole) {
  const Folder folder;
  const std::string huge(5'000'000, 'x');
  write_file(folder / "log", "first\n" + huge + "\nafter\n" + huge);
  const Read read = read_all(folder / "log", 1000);
  EXPECT_EQ(read.lines, (Lines{"first", std::string(1000, 'x'), "after", std::string(1000, 'x')}));
  EXPECT_EQ(read.offsets, (std::vector<uint64_t>{0, 6, 5'000'007, 5'000'013}));
  EXPECT_EQ(read.cut, 2U);
}

TEST(Lines, PackedFilesGiveTheSameLinesAndIds) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += fmt::format("line {} of a log that is packed\n", i);
  const size_t half = text.find('\n', text.size() / 2) + 4;  // in the middle of a line
  const std::string_view all(text);
  write_file(folder / "plain", text);
  write_file(folder / "gz", gzip(all.substr(0, half)) + gzip(all.substr(half)));
  write_file(folder / "gz_padded", gzip(text) + std::string(1024, '\0'));
  write_file(folder / "zst", zstd(all.substr(0, half)) + zstd(all.substr(half)));
  const Read plain = read_all(folder / "plain");
  ASSERT_EQ(plain.lines.size(), 50'000U);
  EXPECT_EQ(std::set<Hash128>(plain.ids.begin(), plain.ids.end()).size(), 50'000U);
  for (const char* const name : {"gz", "gz_padded", "zst"}) {
    const Read packed = read_all(folder / name);
    EXPECT_FALSE(packed.error) << name << packed.error->text();
    EXPECT_EQ(packed.lines, plain.lines) << name;
    EXPECT_EQ(packed.offsets, plain.offsets) << name;
    EXPECT_EQ(packed.ids, plain.ids) << name;
  }
}

TEST(Lines, DamagedPackingIsAnErrorAfterWhatCameBefore) {
  const Folder folder;
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("{} {}\n", i, random());
  for (const bool with_zstd : {false, true}) {
    const std::string packed = with_zstd ? zstd(text) : gzip(text);
    write_file(folder / "short", packed.substr(0, packed.size() / 2));
    const Read cut_short = read_all(folder / "short");
    ASSERT_TRUE(cut_short.error);
    EXPECT_EQ(cut_short.error->code, Code::corrupt);
    ASSERT_GT(cut_short.lines.size(), 1000U);
    for (size_t i = 0; i < cut_short.lines.size(); ++i) {
      ASSERT_EQ(cut_short.lines[i], text.substr(cut_short.offsets[i], cut_short.lines[i].size()));
      ASSERT_EQ(text[cut_short.offsets[i] + cut_short.lines[i].size()], '\n');
    }
    std::string flipped = packed;
    for (size_t i = 0; i < 64; ++i) flipped[flipped.size() / 2 + i] ^= 0x5a;
    write_file(folder / "flipped", flipped);
    EXPECT_TRUE(read_all(folder / "flipped").error);
  }
  write_file(folder / "garbage", gzip("whole\n") + "garbage behind it");
  const Read garbage = read_all(folder / "garbage");
  EXPECT_EQ(garbage.lines, Lines{"whole"});
  EXPECT_TRUE(garbage.error);
}

TEST(Lines, SaysWhatItCannotRead) {
  const Folder folder;
  EXPECT_EQ(LineReader::open(folder / "missing").error().code, Code::not_found);
  write_file(folder / "xz", std::string("\xfd"
                                        "7zXZ\0rest",
                                        10));
  EXPECT_EQ(LineReader::open(folder / "xz").error().code, Code::refused);
  const auto as_folder = LineReader::open(folder.path());
  EXPECT_FALSE(as_folder);
}

TEST(Lines, IdsDifferBetweenFilesThatBeginAlike) {
  const Folder folder;
  write_file(folder / "a", "header\nsecond of a\n");
  write_file(folder / "b", "header\nsecond of b\n");
  const Read a = read_all(folder / "a");
  const Read b = read_all(folder / "b");
  EXPECT_EQ(a.ids[0], b.ids[0]);
  EXPECT_NE(a.ids[1], b.ids[1]);
}

// Whatever the sizes of the pieces in which bytes come, the lines are those of a plain split.
TEST(Lines, BufferAgreesWithANaiveSplit) {
  std::mt19937 random(42);
  for (int round = 0; round < 200; ++round) {
    const size_t longest = 1 + random() % 40;
    std::string text;
    for (size_t i = random() % 3000; i > 0; --i) {
      text += random() % 20 == 0 ? '\n' : static_cast<char>('a' + random() % 26);
    }
    LineBuffer buffer(longest);
    std::vector<std::pair<std::string, uint64_t>> got;
    Line line;
    size_t fed = 0;
    while (fed < text.size()) {
      const size_t piece = std::min<size_t>(1 + random() % 200, text.size() - fed);
      const auto room = buffer.room();
      std::ranges::copy(text.substr(fed, piece), room.begin());
      buffer.filled(piece);
      fed += piece;
      while (buffer.next(line)) got.emplace_back(line.text, line.offset);
      const uint64_t consumed = buffer.consumed();
      ASSERT_EQ(buffer.tail(), text.substr(consumed - std::min<size_t>(consumed, kTailBytes),
                                           std::min<size_t>(consumed, kTailBytes)));
      ASSERT_EQ(buffer.newest(), text.substr(fed - std::min<size_t>(fed, kTailBytes),
                                             std::min<size_t>(fed, kTailBytes)));
      ASSERT_EQ(buffer.head(), text.substr(0, std::min<size_t>(consumed, kHeadBytes)));
    }
    if (buffer.last(line)) got.emplace_back(line.text, line.offset);
    std::vector<std::pair<std::string, uint64_t>> wanted;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      wanted.emplace_back(text.substr(at, std::min(end - at, longest)), at);
      at = end + 1;
    }
    ASSERT_EQ(got, wanted);
  }
}

}  // namespace
}  // namespace watchpost::ingest
