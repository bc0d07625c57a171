#include "feedback/reports/cfbl.h"

#include "feedback/reports/carried_mail.h"

#include <string>
#include <string_view>

namespace watchpost::feedback {

std::string cfbl_feedback_id(std::string_view value) {
  std::string id;
  size_t depth = 0;
  for (const char c : value) {
    if (c == '(') ++depth;
    if (depth == 0 && c != ' ' && c != '\t') id += c;
    if (c == ')' && depth > 0) --depth;
  }
  return id;
}

void mark_cfbl(FeedbackMail& mail) {
  if (!mail.complaint) return;
  const std::string id = cfbl_feedback_id(field_of(mail.original, kCfblFeedbackId));
  if (id.empty() && field_of(mail.original, kCfblAddress).empty()) return;
  mail.form = mail.complaint->format = "cfbl";
  if (!id.empty()) {
    mail.complaint->fields.emplace(mail.complaint->fields.begin(), kCfblFeedbackId, id);
  }
}

}  // namespace watchpost::feedback
