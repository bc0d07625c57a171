// cases/postfix_log/*.case, in the form of event_cases.h. Head lines set up the reader: "reference
// TIME", "utc_offset MINUTES", "open_messages N"; "evicted N" at the end.
#include "feedback/classifier.h"
#include "feedback/formats/event_cases.h"
#include "feedback/formats/postfix_log.h"

#include <algorithm>
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
    test::expect_unread(reader().unread(), unread_, name_);
    if (evicted_) {
      EXPECT_EQ(reader().evicted(), *evicted_) << name_;
    }
  }

 private:
  void take(const std::string& line) {
    if (line.empty() || line[0] == '#') return;
    const auto words = words_of(line);
    if (line.starts_with("> ")) {
      check_events();
      where_ = fmt::format("{}:{}", name_, number_);
      reader().line(line.substr(2), {1, number_}, batch_);
    } else if (line[0] == ' ') {
      expected_.push_back(line);
    } else if (words.at(0) == "reference") {
      reference_ = parse_time(words.at(1)).value();
      if (log_) log_->set_reference(reference_);
    } else if (words.at(0) == "utc_offset") {
      limits_.utc_offset = std::chrono::minutes(std::stoi(words.at(1)));
    } else if (words.at(0) == "open_messages") {
      limits_.open_messages = std::stoul(words.at(1));
    } else if (words.at(0) == "unread") {
      unread_[words.at(1)] = std::stoul(words.at(2));
    } else if (words.at(0) == "evicted") {
      evicted_ = std::stoul(words.at(1));
    } else {
      ADD_FAILURE() << name_ << ":" << number_ << ": what is `" << words.at(0) << "`?";
    }
  }

  void check_events() {
    test::expect_events(batch_, expected_, where_);
    batch_.clear();
    expected_.clear();
  }

  PostfixLog& reader() {
    if (!log_) log_.emplace(Classifier::shipped(), "mail", reference_, limits_);
    return *log_;
  }

  std::string name_;
  size_t number_ = 1;
  Time reference_ = parse_time("2026-11-24T12:00:00Z").value();
  PostfixLogLimits limits_{.utc_offset = std::chrono::minutes(0)};
  std::optional<PostfixLog> log_;
  EventBatch batch_;
  std::vector<std::string> expected_;
  std::string where_;
  std::map<std::string, uint64_t> unread_;
  std::optional<uint64_t> evicted_;
};

TEST(PostfixCases, EveryCaseHolds) {
  EXPECT_GE(test::each_case("postfix_log", [](const auto& path) { Case{path}; }), 8u);
}

}  // namespace
}  // namespace watchpost::feedback
