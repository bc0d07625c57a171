#include "relate/reputation_file.h"

#include "base/files.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace watchpost::relate {
namespace {

constexpr Time kNow{std::chrono::seconds(1'795'000'000)};

class ReputationFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "watchpost-reputation-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = reputation_path(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
  Reputation reputation_{{}};
};

TEST_F(ReputationFileTest, WhatWasKnownAtTheStopIsKnownAtTheStart) {
  {
    const auto file = ReputationFile::open(path_, reputation_);
    reputation_.note(Party::ip, "192.0.2.1", Deed::bad, kNow);
  }
  Reputation next({});
  const auto file = ReputationFile::open(path_, next);
  EXPECT_EQ(next.of(Party::ip, "192.0.2.1", kNow).messages(), 1);
}

TEST_F(ReputationFileTest, IsForNobodyElseAndLeavesNothingBeside) {
  ReputationFile::open(path_, reputation_)->stop();
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(ReputationFileTest, WritesWhileItRuns) {
  const auto file = ReputationFile::open(path_, reputation_, std::chrono::milliseconds(5));
  reputation_.note(Party::domain, "shop.example", Deed::good, kNow);
  for (int i = 0; i < 2000; ++i) {
    Reputation seen({});
    const auto saved = read_file(path_);
    if (saved && seen.restore(*saved) && seen.size() == 1) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  FAIL() << "not written within ten seconds";
}

TEST_F(ReputationFileTest, ADamagedFileIsSetAside) {
  std::ofstream(path_) << "not what was written";
  reputation_.note(Party::ip, "192.0.2.1", Deed::bad, kNow);
  ReputationFile::open(path_, reputation_)->stop();
  EXPECT_EQ(reputation_.size(), 0);
  EXPECT_EQ(read_file(path_ + ".damaged"), "not what was written");
  Reputation next({});
  EXPECT_TRUE(next.restore(read_file(path_).value()));
}

TEST_F(ReputationFileTest, WhatCannotBeReadIsSetAsideToo) {
  std::filesystem::create_directory(path_);
  ReputationFile::open(path_, reputation_)->stop();
  EXPECT_TRUE(std::filesystem::is_directory(path_ + ".damaged"));
  EXPECT_TRUE(read_file(path_));
}

TEST_F(ReputationFileTest, AFolderThatIsGoneIsNoReasonToStop) {
  const auto file = ReputationFile::open(folder_ + "/none/reputation.state", reputation_);
  EXPECT_FALSE(file->write());
  file->stop();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/none"));
}

}  // namespace
}  // namespace watchpost::relate
