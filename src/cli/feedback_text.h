#pragma once
#include "cli/terminal.h"
#include "feedback/reports/feedback_mail.h"
#include "ingest/mail_files.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace watchpost::cli {

// A message of a file and what it is, for people: several lines, the last without its end.
std::string to_text(const Terminal& terminal, const ingest::MailItem& item,
                    const feedback::FeedbackMail& mail);

// What a whole reading came to.
class FeedbackTally {
 public:
  void add(const feedback::FeedbackMail& mail);
  void add_trouble() { ++troubles_; }
  uint64_t messages() const { return messages_; }
  // Files, folders and messages that could not be read.
  uint64_t troubles() const { return troubles_; }
  void print(const Terminal& terminal, size_t files) const;

 private:
  struct OfClass {
    uint64_t recipients = 0;
    uint64_t hard = 0;
  };
  uint64_t messages_ = 0;
  uint64_t troubles_ = 0;
  std::array<uint64_t, feedback::kMailKinds> kinds_{};
  std::map<std::string, OfClass, std::less<>> classes_;  // there are only so many classes
};

}  // namespace watchpost::cli
