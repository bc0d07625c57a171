#include "ingest/rotation.h"

#include "ingest/follow.h"
#include "ingest/test_files.h"

#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using test::append_file;
using test::Folder;
using test::write_file;
namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<LogFile>& files) {
  std::vector<std::string> all;
  for (const LogFile& file : files) all.push_back(fs::path(file.path).filename());
  return all;
}

TEST(Rotation, OlderGenerationsStandOldestFirst) {
  const Folder folder;
  for (const char* const name : {"log", "log.1", "log.2.gz", "log.10.zst", "log.2.gz.tmp",
                                 "log.old", "logs", "log.1.gz", "other.1"}) {
    write_file(folder / name, name);
  }
  // log.1.gz is not whole yet, as log.1 is still there.
  EXPECT_EQ(names(generations_of(folder / "log", {}).older),
            (std::vector<std::string>{"log.10.zst", "log.2.gz", "log.1"}));
}

TEST(Rotation, DatedGenerationsStandOldestFirst) {
  const Folder folder;
  for (const char* const name :
       {"log", "log-20261123", "log-20261122.gz", "log-20261124-1700000000", "log-2026", "log-x",
        "log-20261121.xz"}) {
    write_file(folder / name, name);
  }
  EXPECT_EQ(
      names(generations_of(folder / "log", {}).older),
      (std::vector<std::string>{"log-20261122.gz", "log-20261123", "log-20261124-1700000000"}));
}

// A log with a writer and a rotation that does as it likes. Every line has the next number.
class RotatedLog {
 public:
  RotatedLog(const Folder& folder, uint32_t seed) : path_(folder / "mail.log"), random_(seed) {
    header_ = random_() % 2 == 0 ? "" : std::string(random_() % 2000, 'h') + "\n";
    create();
  }
  const std::string& path() const { return path_; }
  uint64_t written() const { return next_; }

  void write_some() {
    std::string text;
    if (!partial_.empty()) text = std::exchange(partial_, {});
    for (size_t i = random_() % 40; i > 0; --i) text += line();
    if (random_() % 4 == 0) {
      const std::string whole = line();
      const size_t some = random_() % whole.size();
      text += whole.substr(0, some);
      partial_ = whole.substr(some);
    }
    append_file(writing_, text);
  }
  // The writer goes on writing into the renamed file for a while.
  void rename_away() {
    shift();
    fs::rename(path_, path_ + ".1");
    writing_ = path_ + ".1";
    renamed_ = true;
  }
  void reopen() {
    append_file(writing_, std::exchange(partial_, {}));
    create();
    if (random_() % 2 == 0) pack_one(1);
  }
  void copy_and_truncate(const std::function<void()>& meanwhile) {
    append_file(path_, std::exchange(partial_, {}));  // half a line cannot survive this
    shift();
    fs::copy_file(path_, path_ + ".1");
    meanwhile();
    fs::resize_file(path_, 0);
    if (random_() % 2 == 0) pack_one(1);
  }
  void pack_one(size_t number) {
    const std::string file = fmt::format("{}.{}", path_, number);
    if (fs::exists(file)) test::pack(file, random_() % 2 == 0);
  }
  void finish() { append_file(writing_, std::exchange(partial_, {})); }
  bool renamed() const { return renamed_; }

 private:
  void create() {
    writing_ = path_;
    renamed_ = false;
    write_file(path_, "");
    if (random_() % 2 == 0) append_file(path_, header_);
  }
  std::string line() { return fmt::format("line {}\n", next_++); }
  void shift() {
    for (size_t number = 60; number > 0; --number) {
      for (const char* const packing : {"", ".gz", ".zst"}) {
        const std::string from = fmt::format("{}.{}{}", path_, number, packing);
        if (!fs::exists(from)) continue;
        fs::rename(from, fmt::format("{}.{}{}", path_, number + 1, packing));
      }
    }
  }

  std::string path_;
  std::string writing_;
  std::string partial_;
  std::string header_;
  std::mt19937 random_;
  uint64_t next_ = 1;
  bool renamed_ = false;
};

struct Oracle {
  uint64_t next = 0;  // the number that must come

  // Where copies stand beside what they are copied from, lines may come twice, and are known by
  // their ids.
  bool copies = false;
  std::set<Hash128> seen;

  void on(const Line& line, const Hash128& id) {
    if (copies && !seen.insert(id).second) return;
    if (line.text.empty() || line.text[0] == 'h' || testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(line.text, fmt::format("line {}", next));
    ++next;
  }
};

// Writes, rotates, reads and restarts in any order: every line comes once and in order.
void run_rounds(uint32_t seed, bool with_renames, bool with_copies) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  const Folder folder;
  std::mt19937 random(seed * 7919);
  RotatedLog log(folder, seed);
  const FollowOptions options{.path = log.path(), .longest_line = 4096, .from_end = false};
  std::optional<FileFollower> follower(std::in_place, options);
  follower->start(std::nullopt);
  Oracle oracle;
  oracle.copies = with_copies;
  std::optional<FollowPosition> committed;
  uint64_t committed_next = 0;
  std::set<Hash128> committed_seen;
  const auto read = [&] {
    const auto each = [&](const Line& line, const Hash128& id) { oracle.on(line, id); };
    for (size_t rounds = 1 + random() % 4; rounds > 0; --rounds) {
      if (follower->read(1 + random() % 50, each) == 0) break;
    }
    if (random() % 2 == 0) {
      committed = follower->position();
      committed_next = oracle.next;
      committed_seen = oracle.seen;
    }
  };
  append_file(log.path(), "line 0\n");
  read();
  committed = follower->position();
  committed_next = oracle.next;
  committed_seen = oracle.seen;
  ASSERT_EQ(committed_next, 1U);
  const auto restart = [&] {
    follower.emplace(options);
    follower->start(committed);
    oracle.next = committed_next;
    oracle.seen = committed_seen;
  };
  for (int step = 0; step < 120 && !testing::Test::HasFatalFailure(); ++step) {
    switch (random() % 10) {
      case 0:
        if (log.renamed()) {
          log.reopen();
        } else if (with_renames) {
          log.rename_away();
        }
        break;
      case 1:
        if (with_copies && !log.renamed()) log.copy_and_truncate(read);
        break;
      case 2: restart(); break;
      case 3:
        if (!log.renamed()) log.pack_one(1 + random() % 3);
        break;
      case 4:
      case 5:
      case 6: read(); break;
      default: log.write_some();
    }
  }
  if (log.renamed()) log.reopen();
  log.write_some();
  log.finish();
  const auto rest = [&](const Line& line, const Hash128& id) { oracle.on(line, id); };
  while (!testing::Test::HasFatalFailure() && follower->read(1000, rest) > 0) {
  }
  EXPECT_EQ(follower->losses(), 0U);
  EXPECT_EQ(oracle.next, log.written());
}

TEST(Rotation, RandomRenamesLoseAndRepeatNothing) {
  for (uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) run_rounds(seed, true, false);
}
TEST(Rotation, RandomCopiesLoseAndRepeatNothing) {
  for (uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) run_rounds(seed, false, true);
}
TEST(Rotation, RandomMixturesLoseAndRepeatNothing) {
  for (uint32_t seed = 1; seed <= 60 && !HasFailure(); ++seed) run_rounds(seed, true, true);
}

}  // namespace
}  // namespace watchpost::ingest
