// cases/kumomta_log/*.case, in the form of event_cases.h. "+ " puts its JSON members in place of
// those of the record before: a case says only what is new. Head lines set up the reader: "customer
// NAME...", "campaign NAME...", "credential NAME...", "client NAME...".
#include "feedback/classifier.h"
#include "feedback/formats/event_cases.h"
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

using test::words_of;

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    check_events();
    test::expect_unread(reader().unread(), unread_, name_);
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
    test::expect_events(batch_, expected_, where_);
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
  EXPECT_GE(test::each_case("kumomta_log", [](const auto& path) { Case{path}; }), 5u);
}

}  // namespace
}  // namespace watchpost::feedback
