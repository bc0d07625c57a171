// Killed at any moment, or the power lost: what was said to be kept is there, and what has left is
// known to have.
#include "quarantine/quarantine_fixture.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <random>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

namespace watchpost::quarantine {
namespace {

bool thorough() { return std::getenv("WATCHPOST_LONG") != nullptr; }

// What a process tells of what it was told.
struct Told {
  enum class What : uint64_t { kept, left } what;
  uint64_t number;  // of the message
  HeldId id;
};

std::string bytes_of_number(uint64_t number) {
  return fmt::format("Subject: {}\r\n\r\n{}\r\n", number,
                     std::string(number * 997 % 20'000, static_cast<char>('a' + number % 26)));
}

// A process of its own that keeps mail without end, and releases some of it.
class Keeping {
 public:
  Keeping(const Quarantine::Parts& parts, uint64_t first) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    told_ = ends[0];
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[0]);
      keep_for_ever(parts, first, ends[1]);
    }
    ::close(ends[1]);
  }
  Keeping(const Keeping&) = delete;
  Keeping& operator=(const Keeping&) = delete;
  ~Keeping() { ::close(told_); }

  void wait_for_one() { take(); }
  // What it has told until now.
  std::vector<Told> so_far() {
    pollfd told{.fd = told_, .events = POLLIN, .revents = 0};
    while (::poll(&told, 1, 0) == 1 && take()) {
    }
    return all_;
  }
  std::vector<Told> kill() {
    ::kill(process_, SIGKILL);
    while (take()) {
    }
    int status = 0;
    ::waitpid(process_, &status, 0);
    return all_;
  }

 private:
  [[noreturn]] static void keep_for_ever(const Quarantine::Parts& parts, uint64_t first, int told) {
    auto quarantine = value_of(LiveQuarantine::open(parts));
    std::mutex mutex;
    std::condition_variable answered;
    size_t under_way = 0;
    const auto tell = [&](const Told& one) {
      if (::write(told, &one, sizeof one) != sizeof one) std::_Exit(1);
    };
    for (uint64_t number = first;; ++number) {
      {
        std::unique_lock lock(mutex);
        answered.wait(lock, [&] { return under_way < 16; });
        ++under_way;
      }
      quarantine->keep(message_for({fmt::format("p{}@receiver.example", number)}),
                       content_of(bytes_of_number(number)), [&, number](Result<HeldId> id) {
                         if (id) tell({Told::What::kept, number, *id});
                         const std::lock_guard lock(mutex);
                         if (id) --under_way;  // else the power is gone: there is nothing to do
                         answered.notify_one();
                       });
      if (number % 8 == 0) release_one(*quarantine, tell);
    }
  }
  template <class Tell>
  static void release_one(LiveQuarantine& quarantine, const Tell& tell) {
    const auto page = quarantine.list({.limit = 1});
    if (!page || page->messages.empty()) return;
    if (!quarantine.release(page->messages[0].id, {}, {.by = "eve"})) return;
    const auto due = quarantine.due(1);
    if (!due || due->empty()) return;
    const auto attempt = quarantine.begin(due->front());
    if (!attempt) return;
    const CopyOutcome outcome{.recipient = attempt->message.copies[0].recipient,
                              .kind = CopyOutcome::Kind::released};
    if (quarantine.end(*attempt, {&outcome, 1})) {
      tell({Told::What::left, 0, attempt->message.id});
    }
  }
  bool take() {
    Told one{};
    if (::read(told_, &one, sizeof one) != sizeof one) return false;
    all_.push_back(one);
    return true;
  }

  int told_ = -1;
  pid_t process_ = -1;
  std::vector<Told> all_;
};

class CrashTest : public QuarantineTest {
 protected:
  void live_a_while() { ::usleep(static_cast<useconds_t>(random_() % 60'000)); }

  // Everything that the process was told, and that the index and the files agree.
  void expect_whole(const std::vector<Told>& told) {
    for (const Told& one : told) {
      if (one.what == Told::What::kept) {
        numbers_[one.id] = one.number;
      } else {
        left_.insert(one.id);
      }
    }
    open();
    value_of(it().maintain());
    size_t here = 0;
    for (HeldSearch search{.limit = 1000};;) {
      const HeldPage page = value_of(it().list(search));
      for (const HeldMessage& one : page.messages) {
        ++here;
        value_of(it().read(one.id));
        EXPECT_FALSE(left_.contains(one.id)) << "it came back";
      }
      if (page.next.empty()) break;
      search.after = page.next;
    }
    EXPECT_EQ(files(), here);
    EXPECT_EQ(value_of(it().usage()).messages, here);
    for (const auto& [id, number] : numbers_) {
      const HeldMessage message = value_of(it().find(id));
      if (!is_open(message.copies[0].state)) continue;  // released, and it could not say so
      ASSERT_EQ(value_of(it().read(id)).message, bytes_of_number(number)) << number;
    }
    for (const HeldId& id : left_) EXPECT_EQ(state_of(id), CopyState::released);
    quarantine_.reset();
  }
  void run_rounds(int rounds, const std::function<std::vector<Told>(Keeping&)>& end) {
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      Keeping keeping(parts(), static_cast<uint64_t>(round) * 1'000'000 + 1);
      keeping.wait_for_one();
      live_a_while();
      const std::vector<Told> told = end(keeping);
      if (IsSkipped()) return;
      ASSERT_FALSE(told.empty());
      expect_whole(told);
    }
    EXPECT_TRUE(left_.empty() || !numbers_.empty());
  }

  std::map<HeldId, uint64_t> numbers_;
  std::set<HeldId> left_;

 private:
  std::mt19937 random_{std::random_device{}()};
};

TEST_F(CrashTest, KilledAtAnyMomentItHasWhatItSaidItHas) {
  run_rounds(thorough() ? 1000 : 20, [](Keeping& keeping) { return keeping.kill(); });
}

// An ext4 file system in a file, which can be told to forget all that is not on its disk.
class PowerTest : public CrashTest {
 protected:
  std::string folder() const override { return path_ + "/mounted/quarantine"; }
  void SetUp() override {
    const std::string make = fmt::format(
        "truncate -s 256M {0}/disk && mkfs.ext4 -q {0}/disk 2>/dev/null && mkdir {0}/mounted",
        path_);
    if (::geteuid() != 0 || std::system(make.c_str()) != 0 || !mount()) {
      GTEST_SKIP() << "losing power needs root, mkfs.ext4 and a loop device";
    }
  }
  void TearDown() override {
    quarantine_.reset();
    unmount();
  }
  // Nothing is written by the file system itself for so long as this takes.
  bool mount() {
    return mounted_ = std::system(fmt::format("mount -o loop,commit=300 {0}/disk {0}/mounted "
                                              "2>/dev/null",
                                              path_)
                                      .c_str()) == 0;
  }
  void unmount() {
    if (mounted_) ::umount2((path_ + "/mounted").c_str(), 0);
    mounted_ = false;
  }
  bool lose_power() const {
    const int mounted = ::open((path_ + "/mounted").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t without_flushing_the_log = 2;
    constexpr unsigned long kShutdown = _IOR('X', 125, uint32_t);  // EXT4_IOC_SHUTDOWN
    const bool done = ::ioctl(mounted, kShutdown, &without_flushing_the_log) == 0;
    ::close(mounted);
    return done;
  }

 private:
  bool mounted_ = false;
};

TEST_F(PowerTest, WhatWasSaidToBeKeptIsThereWhenPowerComesBack) {
  run_rounds(thorough() ? 200 : 5, [this](Keeping& keeping) -> std::vector<Told> {
    // What it tells later says nothing: a flush that is under way as the file system is shut down
    // may end well, with nothing written.
    const std::vector<Told> told = keeping.so_far();
    if (!lose_power()) {
      keeping.kill();
      [] { GTEST_SKIP() << "this kernel cannot shut a file system down"; }();
      return {};
    }
    keeping.kill();
    unmount();
    EXPECT_TRUE(mount());
    return told;
  });
}

}  // namespace
}  // namespace watchpost::quarantine
