// One JSON text as an XARF report: taken with texts that are bounded, one line each and valid
// UTF-8, or refused with a reason; and in a mail it is the same report.
#include "feedback/reports/xarf.h"

#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/rules.h"
#include "mime/charset.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace watchpost;
using namespace watchpost::feedback;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_line(std::string_view text) {
  require(text.size() <= 20'000 && mime::is_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

void require_sound(const FeedbackMail& mail) {
  require(mail.kind == MailKind::complaint && mail.complaint.has_value());
  const Complaint& complaint = *mail.complaint;
  require(complaint.format == mail.form && complaint.incidents >= 1);
  require(!complaint.feedback_type.empty() && complaint.original_rcpt_to.size() <= 1);
  // One more for the bound of fields.
  require(mail.defects.size() <= XarfFaults::kMost + 1);
  for (const std::string& defect : mail.defects) require_line(defect);
  for (const std::string* text : {&complaint.version, &complaint.user_agent, &complaint.source_ip,
                                  &complaint.arrival_date, &complaint.original_mail_from, &mail.why,
                                  &mail.original.message_id, &mail.original.subject}) {
    require_line(*text);
  }
  require(complaint.source_ip.empty() || is_ip(complaint.source_ip));
  require(complaint.fields.size() <= kMostComplaintFields + 1);
  for (const auto& [name, value] : complaint.fields) {
    require_line(name);
    require_line(value);
  }
}

std::string in_base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kDigits[three >> (18 - 6 * k) & 63];
    }
    if (i % 57 == 54) out += "\r\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto report = read_xarf(bytes);
  if (report) {
    require_sound(*report);
  } else {
    require(!report.error().what.empty());
  }
  const std::string text =
      "Content-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      in_base64(bytes);
  FeedbackMail mail;
  const bool taken = read_xarf_mail(mime::Message::read(text), mail);
  if (!mime::is_utf8(bytes)) return 0;
  require(taken == report.has_value());
  if (taken) {
    require(mail.complaint->fields == report->complaint->fields && mail.defects == report->defects);
  }
  return 0;
}
