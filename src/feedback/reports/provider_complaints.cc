#include "feedback/reports/provider_complaints.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/cfbl.h"
#include "feedback/reports/complaint_text.h"
#include "mime/words.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr std::string_view kMicrosoftRecipient = "X-HmXmrOriginalRecipient";
constexpr size_t kFarInText = 64 * 1024;  // bytes of a text that are looked through

std::string subject_of(const mime::Message& message) {
  const mime::Field* field = message.header().find("Subject");
  return field == nullptr ? std::string() : one_line(mime::readable(field->body));
}

FeedbackMail begun(std::string_view format) {
  FeedbackMail mail;
  mail.kind = MailKind::complaint;
  mail.form = format;
  mail.complaint.emplace();
  mail.complaint->format = format;
  mail.complaint->feedback_type = "abuse";
  return mail;
}

// What the header of the mail itself says of its way.
void take_original(OriginalMail original, FeedbackMail& mail) {
  Complaint& complaint = *mail.complaint;
  for (const auto& [name, value] : original.fields) {
    if (equal_nocase(name, "Authentication-Results") &&
        complaint.authentication_results.size() < kMostComplaintValues) {
      complaint.authentication_results.push_back(one_line(value));
    }
  }
  if (complaint.original_mail_from.empty()) complaint.original_mail_from = original.return_path;
  mail.original = std::move(original);
}

// "complaint about message from 192.0.2.1", "[SpamCop (192.0.2.1) id:5]"
std::string ip_in(std::string_view text) {
  std::string found = bare_ip(text);
  return is_ip(found) ? found : std::string();
}

std::string microsoft_source(const mime::Message& message, const OriginalMail& original) {
  std::string found = ip_in(subject_of(message));
  if (!found.empty()) return found;
  // "spf=pass (sender IP is 192.0.2.1)"
  const std::string_view results = field_of(original, "Authentication-Results");
  constexpr std::string_view kSays = "sender IP is ";
  const size_t at = results.find(kSays);
  return at == std::string_view::npos ? found : ip_in(results.substr(at + kSays.size(), 60));
}

bool read_microsoft(const mime::Message& message, FeedbackMail& mail) {
  CarriedMail carried = carried_mail(message);
  OriginalMail original = std::move(carried.mail);
  bool attached = true;
  if (field_of(original, kMicrosoftRecipient).empty()) {
    if (message.header().find(kMicrosoftRecipient) == nullptr) return false;
    original = mail_of_header(message.header());
    attached = false;
  }
  FeedbackMail read = begun("microsoft");
  read.why = "the mail in it has " + std::string(kMicrosoftRecipient);
  Complaint& complaint = *read.complaint;
  const std::string recipient = bare_address(field_of(original, kMicrosoftRecipient));
  if (!recipient.empty()) complaint.original_rcpt_to.push_back(recipient);
  complaint.redacted = is_redacted(recipient);
  complaint.source_ip = microsoft_source(message, original);
  if (attached) complaint.arrival_date = one_line(message.header().text("Date").value_or(""));
  take_original(std::move(original), read);
  mail = std::move(read);
  return true;
}

bool read_spamcop(const mime::Message& message, FeedbackMail& mail) {
  constexpr std::string_view kMark = "[ Offending message ]";
  const std::string subject = subject_of(message);
  const bool says_so = lower_ascii(subject).starts_with("[spamcop (") ||
                       message.header().find("X-SpamCop-sourceip") != nullptr;
  if (!says_so) return false;
  FeedbackMail read = begun("spamcop");
  read.why = "a report of SpamCop";
  Complaint& complaint = *read.complaint;
  complaint.user_agent = one_line(message.header().text("X-Mailer").value_or(""));
  complaint.source_ip = ip_in(message.header().text("X-SpamCop-sourceip").value_or(subject));
  complaint.arrival_date = one_line(message.header().text("Date").value_or(""));
  const std::string text = first_text(message, kFarInText);
  const size_t at = text.find(kMark);
  CarriedMail carried = carried_mail(message);
  if (at != std::string::npos) {
    take_original(mail_of_text(std::string_view(text).substr(at + kMark.size())), read);
  } else if (carried.there) {
    take_original(std::move(carried.mail), read);
  } else {
    note(read, "the report does not carry the mail");
  }
  mail = std::move(read);
  return true;
}

// Words by which a subject calls a mail a complaint about another. A person who only speaks of one
// does not attach it as well.
bool subject_complains(std::string_view subject) {
  constexpr std::array<std::string_view, 12> kSays = {
      "abuse report",    "spam report",   "spam complaint",   "abuse complaint",
      "complaint about", "complaint for", "complaint from",   "email complaint",
      "feedback report", "feedback loop", "reported as spam", "junk report",
  };
  const std::string lower = lower_ascii(subject);
  return std::ranges::any_of(
      kSays, [&](std::string_view words) { return lower.find(words) != std::string::npos; });
}

bool read_attached(const mime::Message& message, FeedbackMail& mail) {
  const std::string subject = subject_of(message);
  if (!subject_complains(subject)) return false;
  CarriedMail carried = carried_mail(message);
  if (!carried.there || carried.mail.fields.empty()) return false;
  FeedbackMail read = begun("attached");
  read.why = "its subject says that it is a complaint, and it carries a mail";
  read.complaint->source_ip = ip_in(subject);
  read.complaint->arrival_date = one_line(message.header().text("Date").value_or(""));
  take_original(std::move(carried.mail), read);
  read.complaint->redacted = is_redacted(read.original.to) && !read.original.to.empty();
  mail = std::move(read);
  return true;
}

}  // namespace

bool read_provider_complaint(const mime::Message& message, FeedbackMail& mail) {
  if (!read_microsoft(message, mail) && !read_spamcop(message, mail) &&
      !read_attached(message, mail)) {
    return false;
  }
  mark_cfbl(mail);
  return true;
}

}  // namespace watchpost::feedback
