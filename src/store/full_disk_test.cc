// A disk that is full: nothing of a refused commit is kept, and it may be tried again.
#include "store/numbered_commits.h"
#include "store/store_fixture.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;

// A small file system of its own, where that is permitted.
class FullDiskTest : public StoreTest {
 protected:
  void SetUp() override {
    if (::mount("none", folder_.path().c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "mounting a small file system needs root";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  void fill() const {
    std::ofstream out(file("filler"), std::ios::binary);
    const std::string block(4096, 'f');
    while (out.write(block.data(), 4096).flush()) {
    }
  }
  void make_room() const { std::filesystem::remove(file("filler")); }

 private:
  bool mounted_ = false;
};

TEST_F(FullDiskTest, NothingOfARefusedCommitIsKeptAndItMayBeTriedAgain) {
  const auto store = open();
  EventBatch first;
  value_of(store->commit(numbered_commit(first, 1, 1)));
  fill();
  EventBatch batch;
  for (uint64_t i = 0; i < 3000; ++i) {
    add_event(batch, kNoon + (i % 4) * 1h, 3 + i, std::string(100, 'r'));
  }
  Commit commit = events_only(batch);
  commit.facts = {{"commit", "2"}};
  commit.audit = {{kNoon, "watchpost", "commit", "2", ""}};
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto refused = store->commit(commit);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::exhausted) << refused.error().text();
    EXPECT_EQ(store->last_event(), 2u);
    make_room();  // for readers: they need a few pages to begin with
    EXPECT_EQ(last_commit(settings()), 1u);
    EXPECT_EQ(all().size(), 2u);
    EXPECT_EQ(value_of(reader()->verify_audit()), 1u);
    fill();
  }
  const auto unsaved = store->save_detector_state(std::string(1 << 20, 's'), 2);
  ASSERT_FALSE(unsaved);
  EXPECT_EQ(unsaved.error().code, Code::exhausted);
  make_room();
  value_of(store->commit(commit));
  EXPECT_EQ(store->last_event(), 3002u);
  EXPECT_EQ(last_commit(settings()), 2u);
  EXPECT_EQ(all().size(), 3002u);
  EXPECT_EQ(value_of(reader()->verify_audit()), 2u);
  EXPECT_EQ(value_of(reader()->event_ids_since(Time::min())).size(), 3002u);
}

TEST_F(FullDiskTest, AFullDiskAtAnyPageOfACommitLosesNothing) {
  const auto store = open();
  uint64_t commits = 0;
  uint64_t refusals = 0;
  for (size_t free_bytes = 0; free_bytes < 300'000; free_bytes += 20'000) {
    fill();
    std::filesystem::resize_file(file("filler"), std::filesystem::file_size(file("filler")) -
                                                     std::min<size_t>(free_bytes, 200'000));
    EventBatch batch;
    const Commit commit = numbered_commit(batch, commits + 1, store->last_event() + 1);
    if (!store->commit(commit)) {
      ++refusals;
      make_room();
      value_of(store->commit(commit));
    }
    ++commits;
    make_room();
    ASSERT_EQ(last_commit(settings()), commits);
    ASSERT_EQ(all().size(), store->last_event());
    ASSERT_EQ(value_of(reader()->verify_audit()), commits);
  }
  EXPECT_GT(refusals, 0u);
}

// The measures in force are needed then as well.
TEST_F(FullDiskTest, AStartFindsRoomToOpenWhatIsThere) {
  {
    const auto store = open();
    EventBatch batch;
    value_of(store->commit(numbered_commit(batch, 1, 1)));
  }
  for (int start = 0; start < 2; ++start) {
    fill();
    const auto store = Store::open(settings());
    ASSERT_TRUE(store) << store.error().text();
    EXPECT_EQ((*store)->last_event(), 2u);
    EXPECT_EQ(last_commit(settings()), 1u);
  }
}

// Writes that fail half way, without root: files may not become longer than so much.
using FileLimitTest = StoreTest;
TEST_F(FileLimitTest, ALimitOnFileSizesLosesNothing) {
  const auto store = open();
  EventBatch first;
  value_of(store->commit(numbered_commit(first, 1, 1)));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100'000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  EventBatch batch;
  for (uint64_t i = 0; i < 5000; ++i) add_event(batch, kNoon, 3 + i, std::string(100, 'r'));
  const auto refused = store->commit(events_only(batch));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  ASSERT_FALSE(refused);
  // SQLite does not always tell why a write failed.
  EXPECT_TRUE(refused.error().code == Code::exhausted || refused.error().code == Code::unavailable)
      << refused.error().text();
  EXPECT_EQ(all().size(), 2u);
  value_of(store->commit(events_only(batch)));
  EXPECT_EQ(all().size(), 5002u);
}

}  // namespace
}  // namespace watchpost::store
