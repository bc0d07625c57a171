#include "feedback/reports/auth_failure.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/complaint_text.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kFarInText = 64 * 1024;
constexpr size_t kMostLines = 60;  // before the mail's header begins

bool subject_says_so(const mime::Message& message) {
  const mime::Field* field = message.header().find("Subject");
  if (field == nullptr) return false;
  const std::string lower = lower_ascii(one_line(mime::readable(field->body)));
  if (lower.starts_with("re:") || lower.starts_with("aw:")) return false;
  constexpr std::array<std::string_view, 4> kSays = {"dmarc forensic report",
                                                     "dmarc failure report", "dmarc fail report",
                                                     "authentication failure report"};
  return std::ranges::any_of(
      kSays, [&](std::string_view words) { return lower.find(words) != std::string::npos; });
}

// What a label of the text is about.
void read_line(std::string_view line, FeedbackMail& mail) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon > 60) return;
  const std::string label = lower_ascii(trim(line.substr(0, colon)));
  const std::string value = one_line(line.substr(colon + 1));
  if (label.empty() || value.empty()) return;
  Complaint& complaint = *mail.complaint;
  const auto says = [&](std::string_view word) { return label.find(word) != std::string::npos; };
  if (says("ip") && is_ip(bare_ip(value)) && complaint.source_ip.empty()) {
    complaint.source_ip = bare_ip(value);
  } else if (says("domain") && complaint.reported_domain.empty()) {
    complaint.reported_domain.push_back(value);
  } else if (says("date") && complaint.arrival_date.empty()) {
    complaint.arrival_date = value;
  } else if (complaint.fields.size() < kMostComplaintFields) {
    complaint.fields.emplace_back(one_line(line.substr(0, colon), 200), value);
  }
}

// The line behind which the mail's header is: "------ This is a copy of the headers ..."
bool begins_copy(std::string_view line) {
  const std::string lower = lower_ascii(trim(line));
  return lower.starts_with("---") &&
         (lower.find("header") != std::string::npos || lower.find("message") != std::string::npos);
}

bool read_text(std::string_view text, FeedbackMail& mail) {
  for (size_t lines = 0; !text.empty() && lines < kMostLines; ++lines) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (begins_copy(line)) {
      mail.original = mail_of_text(text);
      break;
    }
    read_line(line, mail);
  }
  return !mail.complaint->source_ip.empty() || !mail.complaint->reported_domain.empty();
}

}  // namespace

bool read_auth_failure_text(const mime::Message& message, FeedbackMail& mail) {
  if (!subject_says_so(message)) return false;
  FeedbackMail read;
  read.kind = MailKind::auth_failure;
  read.form = "dmarc_text";
  read.why = "its subject says that a mail failed authentication";
  Complaint& complaint = read.complaint.emplace();
  complaint.format = read.form;
  complaint.feedback_type = "auth-failure";
  if (!read_text(first_text(message, kFarInText), read)) return false;
  CarriedMail carried = carried_mail(message);
  if (read.original.fields.empty()) read.original = std::move(carried.mail);
  for (const auto& [name, value] : read.original.fields) {
    if (equal_nocase(name, "Authentication-Results")) {
      complaint.authentication_results.push_back(one_line(value));
    }
  }
  note(read, "a report in words, not in the format of RFC 6591");
  mail = std::move(read);
  return true;
}

}  // namespace watchpost::feedback
