// A writer killed, or its machine losing power, at any moment: what it acknowledged is there.
#include "store/numbered_commits.h"
#include "store/store_fixture.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <string>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;

bool thorough() { return std::getenv("WATCHPOST_LONG") != nullptr; }

// A process of its own that commits without end, and tells of each commit that was acknowledged.
class Writer {
 public:
  explicit Writer(const StoreSettings& settings) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    acknowledged_ = ends[0];
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[0]);
      commit_for_ever(settings, ends[1]);
    }
    ::close(ends[1]);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { ::close(acknowledged_); }

  void wait_for_one() { take(); }
  // The last commit that it acknowledged.
  uint64_t kill() {
    ::kill(process_, SIGKILL);
    while (take()) {
    }
    int status = 0;
    ::waitpid(process_, &status, 0);
    return last_;
  }

 private:
  [[noreturn]] static void commit_for_ever(const StoreSettings& settings, int acknowledged) {
    auto store = value_of(Store::open(settings));
    uint64_t number = last_commit(settings);
    while (true) {
      EventBatch batch;
      ++number;
      // On the disk that lost its power nothing works any more: only being killed is left.
      while (!store->commit(numbered_commit(batch, number, store->last_event() + 1))) ::pause();
      if (::write(acknowledged, &number, sizeof number) != sizeof number) std::_Exit(1);
      if (number % 16 == 0) (void)store->maintain(kNoon + std::chrono::hours(number), 1s);
    }
  }
  bool take() {
    uint64_t number = 0;
    if (::read(acknowledged_, &number, sizeof number) != sizeof number) return false;
    last_ = number;
    return true;
  }

  int acknowledged_ = -1;
  pid_t process_ = -1;
  uint64_t last_ = 0;
};

class CrashTest : public StoreTest {
 protected:
  // The moment of the end is random; nothing depends on it.
  void live_a_while() { ::usleep(static_cast<useconds_t>(random_() % 60'000)); }
  StoreSettings kept_for_ever(const std::string& path) const {
    return {.path = path, .keep = std::chrono::hours(24 * 3650)};
  }

 private:
  std::mt19937 random_{std::random_device{}()};
};

TEST_F(CrashTest, KilledAtAnyMomentItKeepsWhatItAcknowledgedAndNoMore) {
  const StoreSettings settings = kept_for_ever(folder_.path());
  const int rounds = thorough() ? 1000 : 20;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Writer writer(settings);
    writer.wait_for_one();
    live_a_while();
    const uint64_t acknowledged = writer.kill();
    ASSERT_GT(acknowledged, 0u);
    expect_whole(settings, acknowledged);  // before a writer opens it again, and after
    const uint64_t last = last_commit(settings);
    (void)value_of(Store::open(settings));
    expect_whole(settings, last);
  }
}

// An ext4 file system in a file, which can be told to forget all that is not on its disk.
class PowerTest : public CrashTest {
 protected:
  void SetUp() override {
    const std::string make = fmt::format(
        "truncate -s 64M {0}/disk && mkfs.ext4 -q {0}/disk 2>/dev/null && mkdir {0}/mounted",
        folder_.path());
    if (::geteuid() != 0 || std::system(make.c_str()) != 0 || !mount()) {
      GTEST_SKIP() << "losing power needs root, mkfs.ext4 and a loop device";
    }
  }
  void TearDown() override { unmount(); }

  std::string mounted() const { return folder_.path() + "/mounted"; }
  // Nothing is written by the file system itself for so long as this takes.
  bool mount() {
    const std::string command =
        fmt::format("mount -o loop,commit=300 {0}/disk {0}/mounted 2>/dev/null", folder_.path());
    return mounted_ = std::system(command.c_str()) == 0;
  }
  void unmount() {
    if (mounted_) ::umount2(mounted().c_str(), 0);
    mounted_ = false;
  }
  bool lose_power() const {
    const int folder = ::open(mounted().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t without_flushing_the_log = 2;
    constexpr unsigned long kShutdown = _IOR('X', 125, uint32_t);  // EXT4_IOC_SHUTDOWN
    const bool done = ::ioctl(folder, kShutdown, &without_flushing_the_log) == 0;
    ::close(folder);
    return done;
  }

 private:
  bool mounted_ = false;
};

TEST_F(PowerTest, WhatWasAcknowledgedIsThereWhenPowerComesBack) {
  const StoreSettings settings = kept_for_ever(mounted() + "/store");
  const int rounds = thorough() ? 200 : 5;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Writer writer(settings);
    writer.wait_for_one();
    live_a_while();
    if (!lose_power()) GTEST_SKIP() << "this kernel cannot shut a file system down";
    const uint64_t acknowledged = writer.kill();
    unmount();
    ASSERT_TRUE(mount());
    expect_whole(settings, acknowledged);
    const uint64_t last = last_commit(settings);
    (void)value_of(Store::open(settings));
    expect_whole(settings, last);
  }
}

}  // namespace
}  // namespace watchpost::store
