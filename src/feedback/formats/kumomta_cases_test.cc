// cases/kumomta_log/*.case: records behind "> ", under each the events that it makes, one a line:
//   kind field=value field=`value with blanks` code=550 size=1234 self_inflicted
// Fields that are not named are not looked at; "field=" means that it is empty. "+ " puts its JSON
// members in place of those of the record before: a case says only what is new. Head lines set up
// the reader: "customer NAME...", "campaign NAME...", "credential NAME...", "client NAME...";
// "unread REASON N" at the end.
#include "feedback/classifier.h"
#include "feedback/formats/kumomta_log.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
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
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (words[i] == "self_inflicted") {
      self_inflicted = true;
    } else if (equals == std::string::npos) {
      ADD_FAILURE() << where << ": what is `" << words[i] << "`?";
    } else {
      const std::string name = words[i].substr(0, equals);
      EXPECT_EQ(value_of(event, name), words[i].substr(equals + 1)) << where << ": " << name;
    }
  }
  EXPECT_EQ(event.self_inflicted, self_inflicted) << where;
  EXPECT_EQ(event.direction, Direction::outbound) << where;
}

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    check_events();
    uint64_t expected = 0;
    for (const auto& [reason, count] : unread_) {
      expected += count;
      const auto found = reader().unread().by_reason().find(reason);
      const bool known = found != reader().unread().by_reason().end();
      EXPECT_EQ(known ? found->second.count : 0, count) << name_ << ": unread " << reason;
    }
    EXPECT_EQ(reader().unread().total(), expected) << name_ << ": unread records";
  }

 private:
  void take(const std::string& line) {
    if (line.empty() || line[0] == '#') return;
    const auto words = words_of(line);
    const std::map<std::string, std::vector<std::string>*> lists{{"customer", &names_.customer},
                                                                 {"campaign", &names_.campaign},
                                                                 {"credential", &names_.credential},
                                                                 {"client", &names_.client}};
    if (line.starts_with("> ")) {
      record_ = line.substr(2);
      read(record_);
    } else if (line.starts_with("+ ")) {
      // Of a key that stands there twice the last one counts.
      read(record_.substr(0, record_.rfind('}')) + "," + line.substr(2) + "}");
    } else if (line[0] == ' ') {
      expected_.push_back(line);
    } else if (lists.contains(words.at(0))) {
      *lists.at(words.at(0)) = std::vector<std::string>(words.begin() + 1, words.end());
    } else if (words.at(0) == "unread") {
      unread_[words.at(1)] = std::stoul(words.at(2));
    } else {
      ADD_FAILURE() << name_ << ":" << number_ << ": what is `" << words.at(0) << "`?";
    }
  }

  void read(const std::string& record) {
    check_events();
    where_ = fmt::format("{}:{}", name_, number_);
    const auto done = reader().record(record, {1, number_}, batch_);
    EXPECT_TRUE(done || batch_.empty()) << where_ << ": an event of a record that was refused";
  }

  void check_events() {
    EXPECT_EQ(batch_.size(), expected_.size()) << where_ << ": events of this record";
    for (size_t i = 0; i < std::min(batch_.size(), expected_.size()); ++i) {
      expect_event(batch_.events()[i], expected_[i], where_);
    }
    batch_.clear();
    expected_.clear();
  }

  KumomtaLog& reader() {
    if (!log_) {
      auto made = KumomtaLog::with(Classifier::shipped(), "kumo", names_);
      EXPECT_TRUE(made.has_value()) << name_;
      log_.emplace(std::move(made.value()));
    }
    return *log_;
  }

  std::string name_;
  size_t number_ = 1;
  KumomtaNames names_;
  std::optional<KumomtaLog> log_;
  EventBatch batch_;
  std::string record_;
  std::vector<std::string> expected_;
  std::string where_;
  std::map<std::string, uint64_t> unread_;
};

TEST(KumomtaCases, EveryCaseHolds) {
  size_t cases = 0;
  const std::filesystem::path folder =
      std::filesystem::path(WATCHPOST_SOURCE_DIR) / "cases" / "kumomta_log";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".case") continue;
    Case{entry.path()};
    ++cases;
  }
  EXPECT_GE(cases, 5u);
}

}  // namespace
}  // namespace watchpost::feedback
