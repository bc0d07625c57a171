// cases/powermta_csv/*.case: lines of a file behind ">", under each the event that it makes, as in
// cases/postfix_log; "unread REASON N" at the end.
#include "feedback/classifier.h"
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

// Words between blanks; `words in ticks` are one.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool ticked = false;
  bool open = false;
  for (const char c : text) {
    if (c == '`') ticked = !ticked;
    if (c == ' ' && !ticked) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c != '`') words.back() += c;
  }
  return words;
}

std::string value_of(const Event& event, const std::string& name) {
  if (name == "code") return fmt::format("{}", event.reply_code);
  if (name == "size") return fmt::format("{}", event.size);
  if (name == "delay") return fmt::format("{}", event.delay);
  if (name == "at") return format_time(event.at);
  const auto field = field_from(name);
  return field ? std::string(event[*field]) : "no such field: " + name;
}

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    check_events();
    std::map<std::string, uint64_t> counted;
    for (const auto& [reason, entry] : reader_.unread().by_reason()) counted[reason] = entry.count;
    EXPECT_EQ(counted, unread_) << name_;
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
    ASSERT_EQ(batch_.size(), expected_.size()) << where_ << ": events of this line";
    for (size_t i = 0; i < expected_.size(); ++i) {
      const Event& event = batch_.events()[i];
      const auto words = words_of(expected_[i]);
      EXPECT_EQ(name_of(event.kind), words.at(0)) << where_;
      for (size_t k = 1; k < words.size(); ++k) {
        const size_t equals = words[k].find('=');
        ASSERT_NE(equals, std::string::npos) << where_ << ": what is `" << words[k] << "`?";
        const std::string name = words[k].substr(0, equals);
        EXPECT_EQ(value_of(event, name), words[k].substr(equals + 1)) << where_ << ": " << name;
      }
    }
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
  size_t cases = 0;
  const std::filesystem::path folder =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / "powermta_csv";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".case") continue;
    Case{entry.path()};
    ++cases;
  }
  EXPECT_GE(cases, 3U);
}

}  // namespace
}  // namespace watchpost::feedback
