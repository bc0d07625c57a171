// A message that came back, any bytes. What is read of it is bounded, its texts are clean, classes
// are known ones, and nothing is called dead that did not fail. Read twice it is the same.
#include "feedback/reports/feedback_mail.h"

#include "feedback/reply_words.h"
#include "feedback/reports/delivery_status.h"
#include "feedback/reports/report_text.h"
#include "mime/charset.h"
#include "model/event.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace watchpost;

namespace {

void need(bool holds) {
  if (!holds) std::abort();
}

bool is_clean(std::string_view text) {
  return mime::is_utf8(text) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
         });
}

void check(const feedback::RecipientReport& report) {
  need(is_clean(report.recipient) && is_clean(report.original_recipient));
  need(is_clean(report.diagnostic) && is_clean(report.remote_mta));
  need(report.diagnostic.size() <= feedback::kMostReportText * 3);
  need(report.confidence >= 0 && report.confidence <= 1);
  need(report.reply_code == 0 || (report.reply_code >= 400 && report.reply_code < 600));
  need(report.status.empty() || feedback::parse_status(report.status).kind >= 0);
  const bool failing =
      report.action == feedback::Action::failed || report.action == feedback::Action::delayed;
  const auto known = reply_class_names();
  need(report.class_name.empty() || std::ranges::find(known, report.class_name) != known.end());
  need(failing == !report.class_name.empty());
  need(!report.hard || report.action == feedback::Action::failed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const feedback::Classifier& classifier = feedback::Classifier::shipped();
  const feedback::FeedbackMail mail = feedback::read_feedback(bytes, classifier);
  need(!mail.why.empty());
  need(mail.kind == feedback::MailKind::other || !mail.form.empty());
  need(mail.recipients.size() <= 4 * feedback::kMostReportRecipients);
  for (const feedback::RecipientReport& report : mail.recipients) check(report);
  need(is_clean(mail.envelope_id) && is_clean(mail.reporting_mta));
  if (mail.kind == feedback::MailKind::delivery) {
    need(std::ranges::none_of(mail.recipients, [](const feedback::RecipientReport& report) {
      return report.action == feedback::Action::failed;
    }));
  }
  const feedback::FeedbackMail again = feedback::read_feedback(bytes, classifier);
  need(again.kind == mail.kind && again.form == mail.form && again.why == mail.why &&
       again.recipients.size() == mail.recipients.size() && again.defects == mail.defects);

  const feedback::DeliveryStatus status = feedback::read_delivery_status(bytes);
  need(status.recipients.size() <= feedback::kMostReportRecipients);
  for (const feedback::RecipientReport& report : status.recipients) {
    need(is_clean(report.recipient) && is_clean(report.diagnostic));
  }
  return 0;
}
