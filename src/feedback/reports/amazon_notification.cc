#include "feedback/reports/amazon_notification.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/delivery_status.h"
#include "feedback/reports/report_json.h"
#include "feedback/reports/report_text.h"

#include <algorithm>
#include <string>
#include <utility>

namespace watchpost::feedback {
namespace {

// The JSON of the text: from the first brace to the last. Mail servers that broke its long lines
// ended each with '!' and began the next with a blank.
std::string json_of(std::string_view text) {
  const size_t end = text.rfind('}');
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  std::string json;
  json.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("!\n ")) {
      at += 3;
    } else if (rest.front() == '\n') {
      ++at;
    } else {
      json += text[at++];
    }
  }
  return json;
}

RecipientReport recipient_of(const JsonNode& node, Action action) {
  RecipientReport report;
  report.recipient = report_address(node.is_text() ? node.text : node.text_of("emailAddress"));
  // The fields are those of RFC 3464; read as such, so that both are read alike.
  const DeliveryStatus status =
      read_delivery_status("Final-Recipient: x\nAction: " + std::string(node.text_of("action")) +
                           "\nStatus: " + std::string(node.text_of("status")) +
                           "\nDiagnostic-Code: " + one_line(node.text_of("diagnosticCode")) + '\n');
  if (!status.recipients.empty()) {
    report.status = status.recipients.front().status;
    report.diagnostic = status.recipients.front().diagnostic;
  }
  report.action = action;
  return report;
}

void take_recipients(const JsonNode& what, std::string_view list, Action action,
                     FeedbackMail& mail) {
  const JsonNode* const all = what.find(list);
  if (all == nullptr || !all->is_list()) return;
  for (const JsonNode& node : all->items) {
    if (mail.recipients.size() >= kMostReportRecipients) break;
    mail.recipients.push_back(recipient_of(node, action));
  }
  const std::string_view mta = what.text_of("reportingMTA");
  mail.reporting_mta = one_line(mta.substr(std::min(mta.size(), mta.find(';') + 1)));
}

void take_complaint(const JsonNode& what, const JsonNode* sent, FeedbackMail& mail) {
  Complaint complaint;
  complaint.format = "amazon-ses";
  complaint.feedback_type = lower_ascii(one_line(what.text_of("complaintFeedbackType")));
  if (complaint.feedback_type.empty()) complaint.feedback_type = "abuse";
  complaint.user_agent = one_line(what.text_of("userAgent"));
  complaint.arrival_date = one_line(what.text_of("arrivalDate"));
  if (sent != nullptr) complaint.original_mail_from = report_address(sent->text_of("source"));
  for (const RecipientReport& recipient : mail.recipients) {
    complaint.original_rcpt_to.push_back(recipient.recipient);
  }
  mail.recipients.clear();
  mail.complaint = std::move(complaint);
}

void take_original(const JsonNode& sent, FeedbackMail& mail) {
  mail.original.return_path = report_address(sent.text_of("source"));
  const JsonNode* const headers = sent.find("headers");
  if (headers == nullptr || !headers->is_list()) return;
  for (const JsonNode& field : headers->items) {
    const std::string name = one_line(field.text_of("name"), 100);
    const std::string value = one_line(field.text_of("value"));
    if (equal_nocase(name, "From")) mail.original.from = report_address(value);
    if (equal_nocase(name, "To")) mail.original.to = report_address(value);
    if (equal_nocase(name, "Subject")) mail.original.subject = value;
    if (equal_nocase(name, "Date")) mail.original.date = value;
    if (equal_nocase(name, "Message-ID")) mail.original.message_id = bare_message_id(value);
    if (mail.original.fields.size() < 200) mail.original.fields.emplace_back(name, value);
  }
}

bool read_notification(const JsonNode& node, FeedbackMail& mail) {
  std::string_view type = node.text_of("notificationType");
  if (type.empty()) type = node.text_of("eventType");
  const JsonNode* const what = node.find(lower_ascii(type == "DeliveryDelay" ? "" : type));
  FeedbackMail read;
  if (type == "Bounce" && what != nullptr) {
    read.kind = MailKind::bounce;
    take_recipients(*what, "bouncedRecipients", Action::failed, read);
  } else if (type == "Complaint" && what != nullptr) {
    read.kind = MailKind::complaint;
    take_recipients(*what, "complainedRecipients", Action::none, read);
    take_complaint(*what, node.find("mail"), read);
    if (read.complaint->feedback_type == "not-spam") read.kind = MailKind::complaint_withdrawn;
    if (read.complaint->feedback_type == "auth-failure") read.kind = MailKind::auth_failure;
  } else if (type == "Delivery" && what != nullptr) {
    read.kind = MailKind::delivery;
    take_recipients(*what, "recipients", Action::delivered, read);
    for (RecipientReport& recipient : read.recipients) {
      recipient.diagnostic = one_line(what->text_of("smtpResponse"));
    }
  } else if (const JsonNode* delay = node.find("deliveryDelay"); delay != nullptr) {
    read.kind = MailKind::delay;
    take_recipients(*delay, "delayedRecipients", Action::delayed, read);
  } else {
    return false;
  }
  if (const JsonNode* const sent = node.find("mail")) take_original(*sent, read);
  read.form = "amazon-ses";
  read.why = "it is a notification of Amazon SES: " + one_line(type, 40);
  mail = std::move(read);
  return true;
}

}  // namespace

bool read_amazon_notification(const NoticeText& text, FeedbackMail& mail) {
  const std::string_view trimmed = trim(text.text());
  if (!trimmed.starts_with('{') || (trimmed.find("notificationType") == std::string_view::npos &&
                                    trimmed.find("eventType") == std::string_view::npos)) {
    return false;
  }
  const auto outer = read_json(json_of(trimmed));
  if (!outer) return false;
  if (read_notification(*outer, mail)) return true;
  const std::string_view wrapped = outer->text_of("Message");
  if (wrapped.empty()) return false;
  const auto inner = read_json(wrapped);
  return inner && read_notification(*inner, mail);
}

}  // namespace watchpost::feedback
