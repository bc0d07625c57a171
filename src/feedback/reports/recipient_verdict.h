#pragma once
#include "feedback/classifier.h"
#include "feedback/reports/feedback_mail.h"

#include <span>
#include <string>
#include <string_view>

namespace watchpost::feedback {

// What a report offers for judging one of its recipients, beside what stands in the report itself.
struct Evidence {
  // Pieces of text that may be the reason, the likeliest first.
  std::span<const std::string> words;
  std::string_view stage;  // the SMTP command that was answered, where known
  // The writer of the report answers for the mailbox itself.
  bool in_charge = false;
  // Nothing was said of this recipient: it was taken from the returned message.
  bool unspoken = false;
};

// Gives a recipient its reply code, status, class and what follows from it. Nothing for those whom
// it reached.
void judge_recipient(RecipientReport& report, const Evidence& evidence,
                     const Classifier& classifier);

// The report alone leaves something open that the text for people may answer.
bool leaves_open(const RecipientReport& report);

}  // namespace watchpost::feedback
