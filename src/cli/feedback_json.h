#pragma once
#include "feedback/reports/feedback_mail.h"
#include "ingest/mail_files.h"

#include <string>

namespace watchpost::cli {

// A message of a file and what it is, as one JSON object on one line: docs/guide/feedback.md.
std::string to_json(const ingest::MailItem& item, const feedback::FeedbackMail& mail);

}  // namespace watchpost::cli
