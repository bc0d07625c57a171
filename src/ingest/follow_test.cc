#include "ingest/follow.h"

#include "ingest/test_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using test::append_file;
using test::Folder;
using test::write_file;
using Lines = std::vector<std::string>;
namespace fs = std::filesystem;

// A follower with what it gave out; can be stopped and started again.
struct Following {
  FollowOptions options;
  std::optional<FileFollower> follower;
  Lines lines;
  std::vector<Hash128> ids;

  explicit Following(const std::string& path, bool from_end = false)
      : options{.path = path, .longest_line = 1000, .from_end = from_end} {
    begin(std::nullopt);
  }
  void begin(std::optional<FollowPosition> position) {
    follower.emplace(options);
    follower->start(position);
  }
  size_t read(size_t most = 1000) {
    size_t all = 0;
    const auto each = [&](const Line& line, const Hash128& id) {
      lines.emplace_back(line.text);
      ids.push_back(id);
    };
    while (const size_t given = follower->read(most, each)) all += given;
    return all;
  }
  // As a restart of the daemon: only the position's text is left.
  void restart() {
    const auto at = follower->position();
    if (!at) return begin(std::nullopt);
    const auto again = FollowPosition::parse(at->text());
    ASSERT_TRUE(again);
    ASSERT_EQ(*again, *at);
    begin(*again);
  }
};

std::string numbered(int from, int to, std::string_view what = "line") {
  std::string text;
  for (int i = from; i < to; ++i) text += fmt::format("{} {}\n", what, i);
  return text;
}
Lines numbers(int from, int to) {
  Lines lines;
  for (int i = from; i < to; ++i) lines.push_back(fmt::format("line {}", i));
  return lines;
}

TEST(Follow, PositionTextIsStrict) {
  const FollowPosition position{.device = 1,
                                .inode = 2,
                                .born_ns = 9,
                                .offset = 3,
                                .head = {4, 5},
                                .tail = {6, 7},
                                .written_ns = -8};
  EXPECT_EQ(FollowPosition::parse(position.text()).value(), position);
  const std::string text = position.text();
  for (const std::string& bad :
       {std::string(), text + " ", " " + text, text.substr(1), "follow2" + text.substr(7),
        text + "\n", "follow1 01 2 3 " + text.substr(14), std::string("follow1 1 2 3 4 5 6 7")}) {
    EXPECT_FALSE(FollowPosition::parse(bad)) << bad;
  }
}

TEST(Follow, WaitsForAFileThatDoesNotExist) {
  const Folder folder;
  Following log(folder / "log", true);
  EXPECT_EQ(log.read(), 0U);
  EXPECT_NE(log.follower->state().find("does not exist"), std::string::npos);
  EXPECT_FALSE(log.follower->healthy());
  // It came into being after the start: read whole, although the start is "end".
  write_file(folder / "log", numbered(0, 3));
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 3));
  EXPECT_EQ(log.follower->state(), "following");
}

TEST(Follow, FirstStartAtTheEndGivesOnlyWhatComes) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 3) + "line ");
  Following log(folder / "log", true);
  log.read();
  EXPECT_TRUE(log.lines.empty());
  ASSERT_TRUE(log.follower->position());
  log.restart();
  append_file(folder / "log", "3\nline 4\n");
  log.read();
  EXPECT_EQ(log.lines, numbers(3, 5));
}

TEST(Follow, APartialLastLineWaits) {
  const Folder folder;
  write_file(folder / "log", "line 0\nli");
  Following log(folder / "log");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 1));
  append_file(folder / "log", "ne ");
  log.read();
  log.restart();
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 1));
  append_file(folder / "log", "1\n");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 2));
}

TEST(Follow, RenameAndCreate) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 3));
  Following log(folder / "log");
  log.read();
  append_file(folder / "log", numbered(3, 5));
  fs::rename(folder / "log", folder / "log.1");
  log.read();
  // The writer has not noticed yet.
  append_file(folder / "log.1", numbered(5, 6));
  write_file(folder / "log", "");
  log.read();
  append_file(folder / "log.1", numbered(6, 7));
  write_file(folder / "log", numbered(7, 9));
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 9));
  EXPECT_EQ(log.follower->losses(), 0U);
}

TEST(Follow, ARenamedFilesLastLineWithoutNewlineIsGivenWhenItIsDone) {
  const Folder folder;
  write_file(folder / "log", "line 0\nline 1");
  Following log(folder / "log");
  log.read();
  fs::rename(folder / "log", folder / "log.1");
  write_file(folder / "log", "line 2\n");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 3));
}

TEST(Follow, SeveralRotationsWhileAway) {
  for (const std::string_view packing : {"", ".gz", ".zst"}) {
    const Folder folder;
    write_file(folder / "log", numbered(0, 5));
    Following log(folder / "log");
    log.read();
    append_file(folder / "log", numbered(5, 8));
    fs::rename(folder / "log", folder / "log.3");
    write_file(folder / "log.2", numbered(8, 12));
    write_file(folder / "log.1", numbered(12, 15));
    write_file(folder / "log", numbered(15, 20));
    if (!packing.empty()) {
      test::pack(folder / "log.3", packing == ".zst");
      test::pack(folder / "log.2", packing == ".zst");
    }
    log.restart();
    log.read();
    EXPECT_EQ(log.lines, numbers(0, 20)) << packing;
    EXPECT_EQ(log.follower->losses(), 0U);
  }
}

TEST(Follow, DatedNames) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 5));
  Following log(folder / "log");
  log.read();
  fs::rename(folder / "log", folder / "log-20261123");
  append_file(folder / "log-20261123", numbered(5, 6));
  test::pack(folder / "log-20261123", false);
  write_file(folder / "log-20261124", numbered(6, 9));
  write_file(folder / "log", numbered(9, 10));
  log.restart();
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 10));
}

TEST(Follow, IdenticalFirstLines) {
  const Folder folder;
  const std::string header(2000, 'h');
  write_file(folder / "log", header + "\n" + numbered(0, 3));
  Following log(folder / "log");
  log.read();
  fs::rename(folder / "log", folder / "log.1");
  append_file(folder / "log.1", numbered(3, 4));
  write_file(folder / "log", header + "\n" + numbered(4, 9));
  log.restart();
  log.read();
  std::erase_if(log.lines, [](const std::string& line) { return line[0] == 'h'; });
  EXPECT_EQ(log.lines, numbers(0, 9));
  EXPECT_EQ(log.follower->losses(), 0U);
}

TEST(Follow, CopyAndTruncate) {
  const Folder folder;
  for (const bool packed : {false, true}) {
    for (const bool away : {false, true}) {
      fs::remove(folder / "log.1");
      fs::remove(folder / "log.1.gz");
      write_file(folder / "log", numbered(0, 3));
      Following log(folder / "log");
      log.read();
      append_file(folder / "log", numbered(3, 6));
      fs::copy_file(folder / "log", folder / "log.1");
      fs::resize_file(folder / "log", 0);
      if (packed) test::pack(folder / "log.1", false);
      // Longer than the old one was, so that its size says nothing.
      append_file(folder / "log", numbered(6, 30));
      if (away) log.restart();
      log.read();
      EXPECT_EQ(log.lines, numbers(0, 30)) << packed << away;
      EXPECT_EQ(log.follower->losses(), 0U);
      const std::set<Hash128> ids(log.ids.begin(), log.ids.end());
      EXPECT_EQ(ids.size(), log.ids.size());
    }
  }
}

TEST(Follow, TruncationWithoutACopyIsCountedAndReadFromTheBeginning) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 3));
  Following log(folder / "log");
  log.read();
  fs::resize_file(folder / "log", 0);
  append_file(folder / "log", numbered(3, 20));
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 20));
  EXPECT_EQ(log.follower->losses(), 1U);
  // Shorter than before.
  fs::resize_file(folder / "log", 0);
  log.read();
  append_file(folder / "log", "line 20\n");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 21));
}

TEST(Follow, SymlinkSwitch) {
  const Folder folder;
  write_file(folder / "monday", numbered(0, 3));
  fs::create_symlink(folder / "monday", folder / "log");
  Following log(folder / "log");
  log.read();
  append_file(folder / "monday", numbered(3, 4));
  write_file(folder / "tuesday", numbered(4, 6));
  fs::remove(folder / "log");
  fs::create_symlink(folder / "tuesday", folder / "log");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 6));
  // The same while away: the old target is found beside the link.
  append_file(folder / "tuesday", numbered(6, 7));
  write_file(folder / "wednesday", numbered(7, 9));
  fs::remove(folder / "log");
  fs::create_symlink(folder / "wednesday", folder / "log");
  log.restart();
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 9));
}

TEST(Follow, AVanishedFileIsWaitedFor) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 2));
  Following log(folder / "log");
  log.read();
  append_file(folder / "log", numbered(2, 3));
  fs::remove(folder / "log");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 3));
  log.follower->wait(0s, {});
  EXPECT_NE(log.follower->state().find("does not exist"), std::string::npos);
  log.restart();
  EXPECT_EQ(log.read(), 0U);
  write_file(folder / "log", numbered(3, 5));
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 5));
}

TEST(Follow, ANewLogThatIsStillEmptyIsFollowed) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 2));
  Following log(folder / "log");
  log.read();
  fs::rename(folder / "log", folder / "log.1");
  log.read();
  log.follower->wait(0s, {});
  EXPECT_FALSE(log.follower->healthy());
  write_file(folder / "log", "");
  for (int restarted = 0; restarted < 2; ++restarted) {
    log.read();
    log.follower->wait(0s, {});
    EXPECT_EQ(log.follower->state(), "following");
    EXPECT_TRUE(log.follower->healthy());
    log.restart();
  }
  // Whoever has the old one open may still write to it.
  append_file(folder / "log.1", numbered(2, 3));
  log.read();
  append_file(folder / "log", numbered(3, 5));
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 5));
  EXPECT_EQ(log.follower->state(), "following");
  // Its old one gone for good, and while nobody looked.
  fs::remove(folder / "log");
  fs::remove(folder / "log.1");
  write_file(folder / "log", "");
  log.restart();
  log.read();
  log.follower->wait(0s, {});
  EXPECT_EQ(log.follower->state(), "following");
  EXPECT_TRUE(log.follower->healthy());
}

TEST(Follow, WaitingAndFollowingAgainAreLoggedOnce) {
  const Folder folder;
  Following log(folder / "log");
  testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) log.read();
  write_file(folder / "log", numbered(0, 1));
  for (int i = 0; i < 3; ++i) {
    log.read();
    log.follower->wait(0s, {});
  }
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(logged, '\n'), 2) << logged;
  EXPECT_NE(logged.find("log: following"), std::string::npos) << logged;
}

TEST(Follow, LongLinesAreCutAlsoAcrossARestart) {
  const Folder folder;
  write_file(folder / "log", "line 0\n" + std::string(3'000'000, 'x'));
  Following log(folder / "log");
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 1));
  log.restart();
  log.read();
  append_file(folder / "log", std::string(3'000'000, 'x') + "\nline 2\n");
  log.read();
  EXPECT_EQ(log.lines, (Lines{"line 0", std::string(1000, 'x'), "line 2"}));
  EXPECT_EQ(log.follower->cut_lines(), 1U);
}

TEST(Follow, UnreadableIsSaidAndTriedAgain) {
  if (::geteuid() == 0 && ::seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root";
  const Folder folder;
  write_file(folder / "log", numbered(0, 2));
  ::chmod((folder / "log").c_str(), 0);
  Following log(folder / "log");
  EXPECT_EQ(log.read(), 0U);
  EXPECT_FALSE(log.follower->healthy());
  EXPECT_NE(log.follower->state().find("denied"), std::string::npos) << log.follower->state();
  ::chmod((folder / "log").c_str(), 0600);
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 2));
  EXPECT_TRUE(log.follower->healthy());
  EXPECT_EQ(::seteuid(::getuid()), 0);
}

TEST(Follow, WakesWhenSomethingIsWritten) {
  const Folder folder;
  write_file(folder / "log", numbered(0, 1));
  Following log(folder / "log");
  log.read();
  log.follower->wait(0s, {});  // begins to watch
  append_file(folder / "log", numbered(1, 2));
  log.follower->wait(1min, {});
  log.read();
  // A rename, too.
  fs::rename(folder / "log", folder / "log.1");
  write_file(folder / "log", numbered(2, 3));
  log.follower->wait(1min, {});
  log.read();
  EXPECT_EQ(log.lines, numbers(0, 3));
}

TEST(Follow, StopEndsTheWait) {
  const Folder folder;
  Following log(folder / "log");
  log.follower->wait(0s, {});
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  log.follower->wait(1min, stop.get_token());
  log.follower->wait(1min, stop.get_token());
  EXPECT_TRUE(stop.stop_requested());
}

TEST(Follow, APackedLogIsRefusedWithAdvice) {
  const Folder folder;
  write_file(folder / "log", test::gzip("line 0\n"));
  Following log(folder / "log");
  EXPECT_EQ(log.read(), 0U);
  EXPECT_NE(log.follower->state().find("packed"), std::string::npos);
}

}  // namespace
}  // namespace watchpost::ingest
