// cases/complaints/*.case. A message, or a JSON text, stands behind "> " line by line; under it
// what is read, one "key value" a line:
//   kind complaint          of MailKind; "none" where it is no complaint and no request
//   refused WORDS           of a JSON text: the reason has these words
//   form, unsubscribe, and the texts of Complaint and OriginalMail by their names
//   rcpt, auth, domain, uri one line for each value
//   field NAME=VALUE        it is among the complaint's fields
//   header NAME=VALUE       it is among the original mail's
//   defect WORDS            one line for each, in order; without one there must be none
// Keys that are not named are not looked at, but for the defects.
#include "feedback/formats/event_cases.h"
#include "feedback/reports/arf.h"
#include "feedback/reports/auth_failure.h"
#include "feedback/reports/feedback_mail.h"
#include "feedback/reports/provider_complaints.h"
#include "feedback/reports/unsubscribe.h"
#include "feedback/reports/xarf.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

struct Taken {
  bool taken = false;
  FeedbackMail mail;
  std::string refused;
};

Taken read(const std::string& bytes) {
  Taken read;
  if (bytes.starts_with('{') || bytes.starts_with('[')) {
    Result<FeedbackMail> report = read_xarf(bytes);
    read.taken = report.has_value();
    if (report) {
      read.mail = std::move(*report);
    } else {
      read.refused = report.error().what;
    }
    return read;
  }
  const mime::Message message = mime::Message::read(bytes);
  read.taken = read_arf(message, read.mail) || read_xarf_mail(message, read.mail) ||
               read_auth_failure_text(message, read.mail) ||
               read_provider_complaint(message, read.mail) || read_unsubscribe(message, read.mail);
  return read;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

bool holds(const Pairs& fields, std::string_view expected) {
  return std::ranges::any_of(fields, [&](const auto& field) {
    return fmt::format("{}={}", field.first, field.second) == expected;
  });
}

std::string text_of(const FeedbackMail& mail, const std::string& key) {
  const Complaint none;
  const Complaint& complaint = mail.complaint ? *mail.complaint : none;
  const std::map<std::string, std::string> texts = {
      {"form", mail.form},
      {"unsubscribe", mail.unsubscribe},
      {"feedback_type", complaint.feedback_type},
      {"version", complaint.version},
      {"user_agent", complaint.user_agent},
      {"source_ip", complaint.source_ip},
      {"arrival_date", complaint.arrival_date},
      {"reporting_mta", complaint.reporting_mta},
      {"envelope_id", complaint.original_envelope_id},
      {"mail_from", complaint.original_mail_from},
      {"incidents", fmt::format("{}", complaint.incidents)},
      {"redacted", complaint.redacted ? "yes" : "no"},
      {"message_id", mail.original.message_id},
      {"from", mail.original.from},
      {"to", mail.original.to},
      {"subject", mail.original.subject},
      {"date", mail.original.date},
      {"return_path", mail.original.return_path},
  };
  const auto found = texts.find(key);
  return found == texts.end() ? "no such key: " + key : found->second;
}

class Case {
 public:
  explicit Case(const std::filesystem::path& path) : name_(path.filename().string()) {
    std::ifstream in(path);
    std::string line;
    for (size_t number = 1; std::getline(in, line); ++number) {
      if (line.starts_with('>')) {
        if (!expected_.empty()) check();
        if (mail_.empty()) number_ = number;
        mail_ += line.size() > 2 ? line.substr(2) : "";
        mail_ += '\n';
      } else if (!line.empty() && !line.starts_with('#')) {
        const size_t blank = std::min(line.find(' '), line.size());
        expected_.emplace_back(line.substr(0, blank),
                               line.substr(std::min(blank + 1, line.size())));
      }
    }
    check();
  }

 private:
  void check() {
    const Taken taken = read(mail_);
    const std::string where = fmt::format("{}:{}", name_, number_);
    std::map<std::string, std::vector<std::string>> lists = {
        {"rcpt", {}}, {"auth", {}}, {"domain", {}}, {"uri", {}}, {"defect", {}}};
    for (const auto& [key, value] : expected_) {
      if (lists.contains(key)) {
        lists[key].push_back(value);
      } else {
        check_one(taken, key, value, where);
      }
    }
    EXPECT_EQ(taken.mail.defects, lists["defect"]) << where;
    const Complaint none;
    const Complaint& complaint = taken.mail.complaint ? *taken.mail.complaint : none;
    const auto check_list = [&](const char* key, const std::vector<std::string>& values) {
      if (lists[key].empty()) return;
      EXPECT_EQ(values, lists[key]) << where << ": " << key;
    };
    check_list("rcpt", complaint.original_rcpt_to);
    check_list("auth", complaint.authentication_results);
    check_list("domain", complaint.reported_domain);
    check_list("uri", complaint.reported_uri);
    mail_.clear();
    expected_.clear();
  }

  static void check_one(const Taken& taken, const std::string& key, const std::string& value,
                        const std::string& where) {
    if (key == "kind") {
      EXPECT_EQ(taken.taken ? std::string(name_of(taken.mail.kind)) : "none", value) << where;
    } else if (key == "refused") {
      EXPECT_FALSE(taken.taken) << where;
      EXPECT_NE(taken.refused.find(value), std::string::npos) << where << ": " << taken.refused;
    } else if (key == "field") {
      EXPECT_TRUE(taken.mail.complaint && holds(taken.mail.complaint->fields, value))
          << where << ": " << value;
    } else if (key == "header") {
      EXPECT_TRUE(holds(taken.mail.original.fields, value)) << where << ": " << value;
    } else {
      EXPECT_EQ(text_of(taken.mail, key), value) << where << ": " << key;
    }
  }

  std::string name_;
  size_t number_ = 0;
  std::string mail_;
  std::vector<std::pair<std::string, std::string>> expected_;
};

TEST(ComplaintCases, EveryCaseHolds) {
  EXPECT_GE(test::each_case("complaints", [](const auto& path) { Case{path}; }), 10u);
}

}  // namespace
}  // namespace watchpost::feedback
