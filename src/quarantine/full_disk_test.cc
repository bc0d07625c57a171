// A disk that is full, or does not write: nothing is said to be kept that is not, nothing is lost,
// and it goes on by itself when it can.
#include "base/files.h"
#include "quarantine/quarantine_fixture.h"

#include <csignal>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

namespace watchpost::quarantine {
namespace {

class DiskTest : public QuarantineTest {
 protected:
  // What the quarantine finds out by itself, each second.
  bool takes_again() {
    for (int i = 0; i < 100 && !it().takes(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return it().takes();
  }
};

// A file system of its own, where that is permitted.
class FullDiskTest : public DiskTest {
 protected:
  std::string folder() const override { return path_ + "/mounted/quarantine"; }
  std::string filler() const { return path_ + "/mounted/filler"; }
  void SetUp() override {
    const std::string mounted = path_ + "/mounted";
    ::mkdir(mounted.c_str(), 0700);
    if (::mount("none", mounted.c_str(), "tmpfs", 0, "size=80m") != 0) {
      GTEST_SKIP() << "mounting a small file system needs root";
    }
    mounted_ = true;
  }
  void TearDown() override {
    quarantine_.reset();
    if (mounted_) ::umount2((path_ + "/mounted").c_str(), MNT_DETACH);
  }
  // Leaves so many bytes.
  void fill(size_t left) const {
    std::ofstream out(filler(), std::ios::binary);
    const std::string block(4096, 'f');
    while (out.write(block.data(), 4096).flush()) {
    }
    out.close();
    std::filesystem::resize_file(filler(), std::filesystem::file_size(filler()) - left);
  }
  void make_room() const { std::filesystem::remove(filler()); }

 private:
  bool mounted_ = false;
};

TEST_F(FullDiskTest, TheLastOfTheDiskIsLeftToOthers) {
  const HeldId before = keep_one();
  fill(32U << 20U);
  const auto refused = try_to_keep(message_for({"ann@receiver.example"}), content_of("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  EXPECT_FALSE(it().takes());
  EXPECT_NE(value_of(it().usage()).trouble.find("MiB left"), std::string::npos);
  // What is here can be looked at, released and thrown away as ever.
  EXPECT_EQ(ids({}), std::vector{before});
  EXPECT_EQ(value_of(it().release(before, {}, {.by = "eve"})), 1u);
  make_room();
  EXPECT_TRUE(takes_again());
  keep_one();
}

TEST_F(FullDiskTest, AStartFindsRoomToOpenWhatIsThere) {
  const HeldId id = keep_one();
  for (int start = 0; start < 2; ++start) {
    quarantine_.reset();
    fill(0);
    EXPECT_EQ(value_of(it().read(id)).message, "Subject: 1\r\n\r\nText\r\n");
    EXPECT_FALSE(try_to_keep(message_for({"ann@receiver.example"}), content_of("x")));
    make_room();
  }
}

// The folder of a message's file cannot be written for a while.
TEST_F(DiskTest, WhatCannotBeWrittenIsNotKeptAndItGoesOnByItself) {
  const HeldId before = keep_one();
  // Files in the place of folders: even root cannot make anything in those.
  const std::string mail = folder() + "/mail";
  std::filesystem::rename(mail, folder() + "/away");
  value_of(replace_file(mail, "", 0600));
  const auto refused = try_to_keep(message_for({"ann@receiver.example"}), content_of("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_NE(value_of(it().usage()).trouble, "");
  std::filesystem::remove(mail);
  std::filesystem::rename(folder() + "/away", mail);
  EXPECT_TRUE(takes_again());
  EXPECT_EQ(value_of(it().usage()).trouble, "");
  const HeldId after = keep_one();
  EXPECT_EQ(ids({}), (std::vector{after, before}));
  EXPECT_EQ(files(), 2u);
}

// Writes that fail half way, without root: files may not become longer than so much.
class FileLimitTest : public DiskTest {
 protected:
  void limit(rlim_t most) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ignored_ = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before_;
    small.rlim_cur = most;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  void lift() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }

 private:
  rlimit before_{};
  void (*ignored_)(int) = nullptr;
};

TEST_F(FileLimitTest, AFileWrittenHalfIsNotThere) {
  const HeldId before = keep_one();
  limit(50'000);
  const auto refused =
      try_to_keep(message_for({"ann@receiver.example"}), content_of(std::string(200'000, 'x')));
  lift();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::exhausted);
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(takes_again());
  EXPECT_EQ(ids({}), std::vector{before});
}

// The file is written, the commit fails: nothing was kept, and its file goes when that is certain.
TEST_F(FileLimitTest, ACommitThatFailsLosesNothing) {
  const HeldId before = keep_one();
  std::vector<Result<HeldId>> answers;
  limit(std::filesystem::file_size(folder() + "/index.db-wal") + 1000);
  const auto refused =
      try_to_keep(message_for({"bob@receiver.example"}), content_of("Subject: x\r\n\r\n"));
  const auto unchanged = it().discard(before, {}, "eve");
  lift();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().code == Code::exhausted || refused.error().code == Code::unavailable)
      << refused.error().text();
  EXPECT_FALSE(unchanged);
  EXPECT_EQ(state_of(before), CopyState::held);
  EXPECT_EQ(value_of(it().usage()).messages, 1u);
  EXPECT_EQ(value_of(it().read(before)).verdict, "{\"v\":1}");
  EXPECT_TRUE(takes_again());
  EXPECT_EQ(files(), 1u);
  const HeldId again = keep(message_for({"bob@receiver.example"}), "Subject: x\r\n\r\n");
  EXPECT_EQ(ids({}), (std::vector{again, before}));
  open();
  EXPECT_EQ(ids({}), (std::vector{again, before}));
}

}  // namespace
}  // namespace watchpost::quarantine
