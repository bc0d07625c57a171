// cases/powermta_csv/*.case, in the form of event_cases.h.
#include "feedback/classifier.h"
#include "feedback/formats/event_cases.h"
#include "feedback/formats/powermta_csv.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using test::words_of;

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    check_events();
    test::expect_unread(reader_.unread(), unread_, name_);
  }

 private:
  void take(const std::string& line) {
    if (line.empty() || line[0] == '#') return;
    if (line[0] == '>') {
      check_events();
      where_ = fmt::format("{}:{}", name_, number_);
      reader_.line(line.size() > 2 ? line.substr(2) : "", {1, number_}, batch_);
    } else if (line[0] == ' ') {
      expected_.push_back(line);
    } else {
      const auto words = words_of(line);
      ASSERT_EQ(words.at(0), "unread") << name_ << ":" << number_;
      unread_[words.at(1)] = std::stoul(words.at(2));
    }
  }

  void check_events() {
    test::expect_events(batch_, expected_, where_);
    batch_.clear();
    expected_.clear();
  }

  std::string name_;
  size_t number_ = 1;
  PowermtaCsv reader_{Classifier::shipped(), "acct"};
  EventBatch batch_;
  std::vector<std::string> expected_;
  std::string where_;
  std::map<std::string, uint64_t> unread_;
};

TEST(PowermtaCases, EveryCaseHolds) {
  EXPECT_GE(test::each_case("powermta_csv", [](const auto& path) { Case{path}; }), 3U);
}

}  // namespace
}  // namespace watchpost::feedback
