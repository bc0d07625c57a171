#include "ingest/dated_files.h"

#include "ingest/test_files.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
using testing::ElementsAre;
namespace fs = std::filesystem;

DatedFiles over(const Folder& folder, bool from_end = false) {
  return DatedFiles(
      {.name = DatedName::parse(folder / "acct-*.csv").value(), .from_end = from_end});
}

std::vector<std::string> read(DatedFiles& files) {
  std::vector<std::string> lines;
  while (
      files.read(100, [&](const Line& line, const Hash128&) { lines.emplace_back(line.text); })) {
  }
  return lines;
}

TEST(DatedName, TakesDatesAndNumbersOnly) {
  const auto name = DatedName::parse("/var/log/pmta/acct-*.csv");
  ASSERT_TRUE(name);
  for (const char* fits : {"acct-2026-11-24-0000.csv", "acct-20261124.csv", "acct-1.csv"}) {
    EXPECT_TRUE(name->fits(fits)) << fits;
  }
  for (const char* other : {"acct-.csv", "acct.csv", "acct-fbl-2026-11-24.csv", "acct-2026.csv.gz",
                            "acct--1.csv", "xacct-1.csv", ""}) {
    EXPECT_FALSE(name->fits(other)) << other;
  }
  for (const char* bad :
       {"/var/log/acct.csv", "/var/*/acct.csv", "/var/*/acct-*.csv", "a-*-*.csv"}) {
    EXPECT_FALSE(DatedName::parse(bad)) << bad;
  }
}

TEST(DatedFiles, ReadsThemInOrderAndTheNewestAsItGrows) {
  const Folder folder;
  write_file(folder / "acct-2026-11-24-0001.csv", "c\nd\nhalf");
  write_file(folder / "acct-2026-11-24-0000.csv", "a\nb\n");
  DatedFiles files = over(folder);
  ASSERT_TRUE(files.start({}));
  EXPECT_THAT(read(files), ElementsAre("a", "b", "c", "d"));
  EXPECT_TRUE(files.healthy());
  EXPECT_EQ(files.state(), "following acct-2026-11-24-0001.csv");
  append_file(folder / "acct-2026-11-24-0001.csv", " line\n");
  EXPECT_THAT(read(files), ElementsAre("half line"));
  EXPECT_EQ(files.bytes_behind(), 0U);
  // An empty one is not begun.
  write_file(folder / "acct-2026-11-25-0000.csv", "");
  append_file(folder / "acct-2026-11-24-0001.csv", "late\n");
  EXPECT_THAT(read(files), ElementsAre("late"));
  append_file(folder / "acct-2026-11-25-0000.csv", "e\n");
  EXPECT_THAT(read(files), ElementsAre("e"));
}

TEST(DatedFiles, GoesOnWhereItStopped) {
  const Folder folder;
  write_file(folder / "acct-1.csv", "a\nb\n");
  std::string position;
  {
    DatedFiles files = over(folder);
    ASSERT_TRUE(files.start({}));
    EXPECT_THAT(read(files), ElementsAre("a", "b"));
    position = files.position().value();
  }
  append_file(folder / "acct-1.csv", "c\n");
  write_file(folder / "acct-2.csv", "d\n");
  {
    DatedFiles files = over(folder);
    ASSERT_TRUE(files.start(position));
    EXPECT_THAT(read(files), ElementsAre("c", "d"));
  }
  // Gone meanwhile: counted, and the later ones are read.
  fs::remove(folder / "acct-1.csv");
  DatedFiles files = over(folder);
  ASSERT_TRUE(files.start(position));
  EXPECT_THAT(read(files), ElementsAre("d"));
  Follower::Unread unread;
  files.count_unread(unread);
  EXPECT_EQ(unread.at("file_cut_off").count, 1U);
}

TEST(DatedFiles, AFirstStartAtTheEndReadsWhatComes) {
  const Folder folder;
  write_file(folder / "acct-1.csv", "a\n");
  write_file(folder / "acct-2.csv", "b\n");
  DatedFiles files = over(folder, true);
  ASSERT_TRUE(files.start({}));
  EXPECT_THAT(read(files), ElementsAre());
  append_file(folder / "acct-2.csv", "c\n");
  EXPECT_THAT(read(files), ElementsAre("c"));
  write_file(folder / "acct-3.csv", "d\n");
  EXPECT_THAT(read(files), ElementsAre("d"));
}

TEST(DatedFiles, WaitsForTheFirstFileAndRefusesOtherPositions) {
  const Folder folder;
  DatedFiles files = over(folder);
  ASSERT_TRUE(files.start({}));
  EXPECT_THAT(read(files), ElementsAre());
  EXPECT_FALSE(files.healthy());
  EXPECT_NE(files.state().find("waiting"), std::string::npos);
  EXPECT_FALSE(files.position());
  write_file(folder / "acct-1.csv", "a\n");
  EXPECT_THAT(read(files), ElementsAre("a"));
  const std::string position = files.position().value();
  for (const std::string& bad :
       {std::string("x"), std::string("dated1 "), std::string("dated1 acct-1.csv"),
        "dated1 ../" + position.substr(7), position + "x"}) {
    EXPECT_FALSE(over(folder).start(bad)) << bad;
  }
}

}  // namespace
}  // namespace watchpost::ingest
