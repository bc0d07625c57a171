#include "feedback/reports/feedback_mail.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/amazon_notification.h"
#include "feedback/reports/arf.h"
#include "feedback/reports/auth_failure.h"
#include "feedback/reports/auto_reply.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/delivery_status.h"
#include "feedback/reports/notice.h"
#include "feedback/reports/notice_text.h"
#include "feedback/reports/provider_complaints.h"
#include "feedback/reports/recipient_verdict.h"
#include "feedback/reports/reply_in_text.h"
#include "feedback/reports/report_text.h"
#include "feedback/reports/unsubscribe.h"
#include "feedback/reports/xarf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace watchpost::feedback {
namespace {

constexpr std::array<std::string_view, kMailKinds> kKindNames{
    "bounce",       "delay",       "delivery",   "complaint", "complaint_withdrawn",
    "auth_failure", "unsubscribe", "auto_reply", "challenge", "other"};
constexpr std::array<std::string_view, 6> kActionNames{"",          "failed",  "delayed",
                                                       "delivered", "relayed", "expanded"};

// The text of a message for people, and what it says of a delivery: read once, and only if asked.
class Lazy {
 public:
  explicit Lazy(const mime::Message& message) : message_(message) {}
  const NoticeText& text() {
    if (!text_) text_.emplace(message_);
    return *text_;
  }
  const Notice& notice() {
    if (!notice_) notice_ = read_notice(message_, text());
    return *notice_;
  }
  bool has_original_in_text() { return !text().original().empty(); }

 private:
  const mime::Message& message_;
  std::optional<NoticeText> text_;
  std::optional<Notice> notice_;
};

class Judge {
 public:
  Judge(const mime::Message& message, const Classifier& classifier, int within = 0)
      : message_(message), classifier_(classifier), within_(within), lazy_(message) {}

  // The order of the readers: a report of a known form says what it is; then what systems write in
  // their own words; then answers of programs, which look like the latter.
  FeedbackMail read() && {
    if (read_arf(message_, mail_) || read_xarf_mail(message_, mail_) ||
        read_auth_failure_text(message_, mail_)) {
      return done();
    }
    if (read_report() || read_amazon() || read_notice_text()) return done();
    if (read_provider_complaint(message_, mail_) || read_unsubscribe(message_, mail_))
      return done();
    if (read_challenge(message_, lazy_.text(), mail_) ||
        read_auto_reply(message_, lazy_.text(), mail_)) {
      return done();
    }
    mail_.why = "nothing in it is that of a report, a notice or an answer of a program";
    return done();
  }

 private:
  bool read_report();
  bool read_amazon();
  bool read_notice_text();
  void take_status(DeliveryStatus status);
  void replace_unusable();
  void take_noticed();
  void judge_reported();
  void add_from_text();
  const NoticedRecipient* noticed(const RecipientReport& report);
  bool read_wrapped();
  void decide_kind();
  FeedbackMail done();

  const mime::Message& message_;
  const Classifier& classifier_;
  int within_;  // how many messages this one stands in
  Lazy lazy_;
  FeedbackMail mail_;
  bool unspoken_ = false;  // the recipients are those of the returned message
};

bool is_status_type(std::string_view type) {
  return type == "message/delivery-status" || type == "message/global-delivery-status";
}

bool Judge::read_report() {
  const auto parts = message_.parts();
  bool found = false;
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (!is_status_type(parts[i].type.value) || !is_own_part(message_, i)) continue;
    found = true;
    take_status(parts[i].encoding == mime::Encoding::identity
                    ? read_delivery_status(parts[i].body)
                    : read_delivery_status(message_.decoded(parts[i])));
  }
  if (!found && has_delivery_status(lazy_.text().text()) &&
      (lazy_.notice().is_notice || message_.root().type.value == "multipart/report")) {
    // The report as text: a gateway rewrote it, or its structure got lost. Within a person's mail
    // it is quoted.
    found = true;
    note(mail_, "the delivery report is no part of its own");
    take_status(read_delivery_status(lazy_.text().text()));
  }
  if (found) {
    mail_.form = "rfc3464";
    replace_unusable();
    if (mail_.recipients.empty()) add_from_text();
    if (mail_.recipients.empty()) {
      mail_.form.clear();
      return false;
    }
    judge_reported();
    decide_kind();
    return true;
  }
  if (!read_disposition(message_, mail_)) return false;
  judge_reported();
  return true;
}

void Judge::take_status(DeliveryStatus status) {
  if (mail_.reporting_mta.empty()) mail_.reporting_mta = std::move(status.reporting_mta);
  if (mail_.envelope_id.empty()) mail_.envelope_id = std::move(status.envelope_id);
  for (std::string& defect : status.defects) note(mail_, std::move(defect));
  std::ranges::move(status.recipients, std::back_inserter(mail_.recipients));
}

// "@mx.example.com" or an X.400 address, where the text names the only recipient.
void Judge::replace_unusable() {
  if (mail_.recipients.size() != 1 || is_address(mail_.recipients.front().recipient)) return;
  const auto& noticed = lazy_.notice().recipients;
  if (noticed.size() == 1) mail_.recipients.front().recipient = noticed.front().address;
}

void Judge::take_noticed() {
  const Notice& notice = lazy_.notice();
  for (const NoticedRecipient& noticed : notice.recipients) {
    RecipientReport report;
    report.recipient = noticed.address;
    report.original_recipient = noticed.original;
    report.action = notice.delayed ? Action::delayed : Action::failed;
    mail_.recipients.push_back(std::move(report));
  }
}

// The recipients of a report without any: from its text, else the only one of the returned message.
void Judge::add_from_text() {
  note(mail_, "the delivery report names no recipient");
  take_noticed();
  if (!mail_.recipients.empty()) return;
  OriginalMail original = carried_mail(message_).mail;
  if (original.to.empty() && lazy_.has_original_in_text()) {
    original = mail_of_text(lazy_.text().original());
  }
  if (original.to.empty()) return;
  unspoken_ = true;
  note(mail_, "the recipient was taken from the returned message");
  RecipientReport report;
  report.recipient = original.to;
  report.action = lazy_.notice().delayed ? Action::delayed : Action::failed;
  mail_.recipients.push_back(std::move(report));
}

const NoticedRecipient* Judge::noticed(const RecipientReport& report) {
  const auto& all = lazy_.notice().recipients;
  const auto found = std::ranges::find_if(all, [&](const NoticedRecipient& noticed) {
    return equal_nocase(noticed.address, report.recipient) ||
           equal_nocase(noticed.address, report.original_recipient);
  });
  if (found != all.end()) return &*found;
  return all.size() == 1 && mail_.recipients.size() == 1 ? &all.front() : nullptr;
}

void Judge::judge_reported() {
  for (RecipientReport& report : mail_.recipients) {
    if (!report.diagnostic.empty()) judge_recipient(report, {}, classifier_);
    if (!leaves_open(report)) continue;
    const NoticedRecipient* const noticed_here = noticed(report);
    std::vector<std::string> words;
    if (noticed_here != nullptr) words = noticed_here->words;
    if (noticed_here == nullptr || words.empty() || mail_.recipients.size() == 1) {
      std::ranges::copy(lazy_.notice().words, std::back_inserter(words));
    }
    std::string_view stage;
    for (const std::string& piece : words) {
      if (stage.empty()) stage = stage_in(piece);
    }
    judge_recipient(report,
                    {.words = words,
                     .stage = stage,
                     .in_charge = lazy_.notice().in_charge,
                     .unspoken = unspoken_},
                    classifier_);
  }
}

bool Judge::read_amazon() {
  if (!read_amazon_notification(lazy_.text(), mail_)) return false;
  for (RecipientReport& report : mail_.recipients) judge_recipient(report, {}, classifier_);
  return true;
}

bool Judge::read_notice_text() {
  const Notice& notice = lazy_.notice();
  if (!notice.is_notice) return false;
  mail_.form = notice.form;
  mail_.why = notice.sign;
  take_noticed();
  if (mail_.recipients.empty()) {
    if (read_wrapped()) return true;
    add_from_text();
  }
  judge_reported();
  decide_kind();
  return true;
}

// A notice that names nobody and carries another notice: a gateway wrapped it, or it was sent on.
bool Judge::read_wrapped() {
  constexpr int kMostWithin = 2;
  if (within_ >= kMostWithin) return false;
  std::string decoded;
  std::string_view inner = lazy_.text().original();
  for (const mime::Part& part : message_.parts()) {
    if (part.holds_message()) {
      inner = part.body;
      break;
    }
    if (part.type.value == "message/rfc822") {
      decoded = message_.decoded(part);
      inner = decoded;
      break;
    }
  }
  if (inner.empty()) return false;
  const mime::Message message = mime::Message::read(inner);
  FeedbackMail read = Judge(message, classifier_, within_ + 1).read();
  const bool is_notice = read.kind == MailKind::bounce || read.kind == MailKind::delay;
  if (!is_notice || read.recipients.empty()) return false;
  for (std::string& defect : mail_.defects) note(read, std::move(defect));
  note(read, "the notice stands within another one");
  mail_ = std::move(read);
  return true;
}

void Judge::decide_kind() {
  size_t failed = 0;
  size_t delayed = 0;
  for (const RecipientReport& report : mail_.recipients) {
    failed += report.action == Action::failed ? 1u : 0u;
    delayed += report.action == Action::delayed ? 1u : 0u;
  }
  const size_t all = mail_.recipients.size();
  if (failed > 0 || all == 0) {
    mail_.kind = MailKind::bounce;
    mail_.why += fmt::format("{}given up for {} of {} recipients", mail_.why.empty() ? "" : "; ",
                             failed, all);
  } else if (delayed > 0) {
    mail_.kind = MailKind::delay;
    mail_.why += fmt::format("{}still being tried for {} of {} recipients",
                             mail_.why.empty() ? "" : "; ", delayed, all);
  } else {
    mail_.kind = MailKind::delivery;
    mail_.why += fmt::format("{}it reached all {} recipients", mail_.why.empty() ? "" : "; ", all);
  }
  const bool challenged = std::ranges::any_of(mail_.recipients, [](const RecipientReport& report) {
    return is_challenge(report.diagnostic);
  });
  if (challenged) {
    mail_.kind = MailKind::challenge;
    mail_.why = "its report asks the sender to be approved first";
  }
}

FeedbackMail Judge::done() {
  if (mail_.original.fields.empty()) {
    mail_.original = carried_mail(message_).mail;
    const bool notice = mail_.kind == MailKind::bounce || mail_.kind == MailKind::delay;
    if (mail_.original.fields.empty() && notice && lazy_.has_original_in_text()) {
      mail_.original = mail_of_text(lazy_.text().original());
    }
  }
  for (const mime::Finding& finding : message_.findings().all()) {
    note(mail_, std::string(mime::name_of(finding.what)));
  }
  return std::move(mail_);
}

}  // namespace

std::string_view name_of(MailKind kind) { return kKindNames[static_cast<size_t>(kind)]; }
std::string_view name_of(Action action) { return kActionNames[static_cast<size_t>(action)]; }

FeedbackMail read_feedback(const mime::Message& message, const Classifier& classifier) {
  return Judge(message, classifier).read();
}

FeedbackMail read_feedback(std::string_view message, const Classifier& classifier) {
  return read_feedback(mime::Message::read(message), classifier);
}

}  // namespace watchpost::feedback
