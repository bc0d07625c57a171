// cases/postfix_log/*.case: log lines behind "> ", under each the events that it makes, one a line:
//   kind field=value field="value with blanks" code=550 size=1234 inbound self_inflicted
// Fields that are not named are not looked at; "field=" means that it is empty. Head lines set up
// the reader: "reference TIME", "utc_offset MINUTES", "open_messages N"; "unread REASON N" and
// "evicted N" at the end.
#include "feedback/classifier.h"
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

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : text) {
    if (c == '`') quoted = !quoted;
    if (c == ' ' && !quoted) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c != '`') words.back() += c;
  }
  return words;
}

// The value that the event has under a name of a case.
std::string value_of(const Event& event, const std::string& name) {
  if (name == "code") return fmt::format("{}", event.reply_code);
  if (name == "size") return fmt::format("{}", event.size);
  if (name == "recipients") return fmt::format("{}", event.recipients);
  if (name == "delay") return fmt::format("{}", event.delay);
  if (name == "at") return format_time(event.at);
  const auto field = field_from(name);
  return field ? std::string(event[*field]) : "no such field: " + name;
}

void expect_event(const Event& event, std::string_view expected, const std::string& where) {
  const auto words = words_of(expected);
  EXPECT_EQ(name_of(event.kind), words.at(0)) << where;
  bool self_inflicted = false;
  bool inbound = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (words[i] == "self_inflicted") {
      self_inflicted = true;
    } else if (words[i] == "inbound") {
      inbound = true;
    } else if (equals == std::string::npos) {
      ADD_FAILURE() << where << ": what is `" << words[i] << "`?";
    } else {
      const std::string name = words[i].substr(0, equals);
      EXPECT_EQ(value_of(event, name), words[i].substr(equals + 1)) << where << ": " << name;
    }
  }
  EXPECT_EQ(event.self_inflicted, self_inflicted) << where;
  EXPECT_EQ(event.direction == Direction::inbound, inbound) << where;
}

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    check_events();
    for (const auto& [reason, count] : unread_) {
      const auto found = reader().unread().by_reason().find(reason);
      const bool known = found != reader().unread().by_reason().end();
      EXPECT_EQ(known ? found->second.count : 0, count) << name_ << ": unread " << reason;
    }
    uint64_t expected = 0;
    for (const auto& [reason, count] : unread_) expected += count;
    EXPECT_EQ(reader().unread().total(), expected) << name_ << ": unread lines";
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
    EXPECT_EQ(batch_.size(), expected_.size()) << where_ << ": events of this line";
    for (size_t i = 0; i < std::min(batch_.size(), expected_.size()); ++i) {
      expect_event(batch_.events()[i], expected_[i], where_);
    }
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
  size_t cases = 0;
  const std::filesystem::path folder =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / "postfix_log";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".case") continue;
    Case{entry.path()};
    ++cases;
  }
  EXPECT_GE(cases, 8u);
}

}  // namespace
}  // namespace watchpost::feedback
