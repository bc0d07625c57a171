// Mails that complain, by all the readers of them. What is said of a mail is bounded, one line each
// and valid UTF-8; a reader that says no leaves its mail alone; reading again says the same; and
// the input as the report within a multipart/report is always a report.
#include "feedback/reports/arf.h"

#include "feedback/reports/auth_failure.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/provider_complaints.h"
#include "feedback/reports/unsubscribe.h"
#include "feedback/reports/xarf.h"
#include "mime/charset.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

namespace {

using namespace watchpost;
using namespace watchpost::feedback;

constexpr size_t kLongest = 20'000;  // of one text

void require(bool condition) {
  if (!condition) std::abort();
}

void require_line(std::string_view text) {
  require(text.size() <= kLongest);
  require(mime::is_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

void require_lines(const std::vector<std::string>& texts) {
  require(texts.size() <= kMostComplaintValues);
  for (const std::string& text : texts) require_line(text);
}

void require_complaint(const Complaint& complaint) {
  for (const std::string* text :
       {&complaint.format, &complaint.feedback_type, &complaint.version, &complaint.user_agent,
        &complaint.source_ip, &complaint.arrival_date, &complaint.reporting_mta,
        &complaint.original_envelope_id, &complaint.original_mail_from}) {
    require_line(*text);
  }
  require(!complaint.format.empty() && !complaint.feedback_type.empty());
  require(complaint.incidents >= 1);
  require_lines(complaint.original_rcpt_to);
  require_lines(complaint.authentication_results);
  require_lines(complaint.reported_domain);
  require_lines(complaint.reported_uri);
  // One more for the identifier of CFBL.
  require(complaint.fields.size() <= kMostComplaintFields + 1);
  for (const auto& [name, value] : complaint.fields) {
    require_line(name);
    require_line(value);
  }
}

void require_sound(const FeedbackMail& mail) {
  require(!mail.form.empty());
  require_line(mail.form);
  require_line(mail.why);
  require_line(mail.unsubscribe);
  require_lines(mail.defects);
  require(std::set<std::string>(mail.defects.begin(), mail.defects.end()).size() ==
          mail.defects.size());
  if (mail.complaint) require_complaint(*mail.complaint);
  for (const std::string* text :
       {&mail.original.message_id, &mail.original.from, &mail.original.to, &mail.original.subject,
        &mail.original.date, &mail.original.return_path}) {
    require_line(*text);
  }
  for (const auto& [name, value] : mail.original.fields) {
    require_line(name);
    require_line(value);
  }
}

bool same(const FeedbackMail& a, const FeedbackMail& b) {
  const bool same_complaint =
      a.complaint.has_value() == b.complaint.has_value() &&
      (!a.complaint || (a.complaint->fields == b.complaint->fields &&
                        a.complaint->original_rcpt_to == b.complaint->original_rcpt_to &&
                        a.complaint->feedback_type == b.complaint->feedback_type));
  return a.kind == b.kind && a.form == b.form && a.why == b.why && a.defects == b.defects &&
         a.unsubscribe == b.unsubscribe && a.original.fields == b.original.fields && same_complaint;
}

template <class Reader>
bool read(Reader reader, const mime::Message& message) {
  FeedbackMail mail;
  mail.why = "untouched";
  if (!reader(message, mail)) {
    require(mail.why == "untouched" && mail.form.empty() && !mail.complaint);
    require(mail.kind == MailKind::other && mail.defects.empty() && mail.original.fields.empty());
    return false;
  }
  require_sound(mail);
  FeedbackMail again;
  require(reader(message, again) && same(mail, again));
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const mime::Message message = mime::Message::read(bytes);
  read(read_arf, message);
  read(read_xarf_mail, message);
  read(read_auth_failure_text, message);
  read(read_provider_complaint, message);
  read(read_unsubscribe, message);

  const std::string report =
      "Content-Type: multipart/report; report-type=feedback-report; boundary=\"-=_fuzz_=-\"\r\n\r\n"
      "---=_fuzz_=-\r\nContent-Type: message/feedback-report\r\n\r\n" +
      std::string(bytes);
  require(read(read_arf, mime::Message::read(report)));
  return 0;
}
