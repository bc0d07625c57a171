// cases/returned_mail/*.case: messages behind "> ", and below each what is read of it:
//   expect KIND form=FORM
//     RECIPIENT action=failed status=5.1.1 code=550 class=unknown_user hard
// Fields that are not named are not looked at but for `hard`; all recipients must be named.
#include "feedback/formats/event_cases.h"
#include "feedback/reports/feedback_mail.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

using test::words_of;

std::string value_of(const RecipientReport& report, const std::string& name) {
  if (name == "original") return report.original_recipient;
  if (name == "action") return std::string(name_of(report.action));
  if (name == "status") return report.status;
  if (name == "code") return fmt::format("{}", report.reply_code);
  if (name == "class") return report.class_name;
  if (name == "detail") return report.detail;
  if (name == "mta") return report.remote_mta;
  if (name == "says") return report.diagnostic;
  return "no such field: " + name;
}

std::string value_of(const FeedbackMail& mail, const std::string& name) {
  if (name == "form") return mail.form;
  if (name == "envelope") return mail.envelope_id;
  if (name == "reporter") return mail.reporting_mta;
  if (name == "message_id") return mail.original.message_id;
  if (name == "from") return mail.original.from;
  if (name == "to") return mail.original.to;
  if (name == "defect") return mail.defects.empty() ? "" : mail.defects.front();
  return "no such field: " + name;
}

template <class Of>
void expect_fields(const Of& of, const std::vector<std::string>& words, const std::string& where) {
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) continue;
    const std::string name = words[i].substr(0, equals);
    EXPECT_EQ(value_of(of, name), words[i].substr(equals + 1)) << where << ": " << name;
  }
}

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line); ++number_) take(line);
    finish();
  }

 private:
  void take(const std::string& line) {
    if (line == ">" || line.starts_with("> ")) {
      if (judged_) finish();
      message_ += line.substr(std::min<size_t>(2, line.size())) + "\r\n";
      return;
    }
    if (line.empty() || line[0] == '#') return;
    const auto words = words_of(line);
    where_ = fmt::format("{}:{}", name_, number_);
    if (words.at(0) == "expect") {
      judged_ = true;
      mail_ = read_feedback(message_, Classifier::shipped());
      EXPECT_EQ(name_of(mail_.kind), words.at(1)) << where_ << ": " << mail_.why;
      expect_fields(mail_, words, where_);
    } else {
      expect_recipient(words);
    }
  }

  void expect_recipient(const std::vector<std::string>& words) {
    if (next_ >= mail_.recipients.size()) {
      ADD_FAILURE() << where_ << ": no such recipient, " << mail_.recipients.size() << " found";
      return;
    }
    const RecipientReport& report = mail_.recipients[next_++];
    EXPECT_EQ(report.recipient, words.at(0)) << where_;
    expect_fields(report, words, where_);
    const bool hard = std::ranges::find(words, "hard") != words.end();
    EXPECT_EQ(report.hard, hard) << where_ << ": " << report.rule << ": " << report.diagnostic;
  }

  void finish() {
    EXPECT_TRUE(judged_) << name_ << ": a message without expectations";
    EXPECT_EQ(next_, mail_.recipients.size()) << where_ << ": recipients";
    message_.clear();
    judged_ = false;
    next_ = 0;
  }

  std::string name_;
  size_t number_ = 1;
  std::string where_;
  std::string message_;
  FeedbackMail mail_;
  bool judged_ = false;
  size_t next_ = 0;
};

TEST(ReturnedMailCases, EveryCaseHolds) {
  EXPECT_GE(test::each_case("returned_mail", [](const auto& path) { Case{path}; }), 3u);
}

}  // namespace
}  // namespace watchpost::feedback
