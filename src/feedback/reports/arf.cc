#include "feedback/reports/arf.h"

#include "base/ascii.h"
#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/cfbl.h"
#include "feedback/reports/complaint_text.h"
#include "mime/header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr uint64_t kMostIncidents = 1'000'000'000;
constexpr size_t kMostBlocks = 20;  // of fields, with blank lines between them

// Where the value of a field goes, and how it is read.
using Read = std::string (*)(std::string_view);
struct SingleField {
  std::string_view name;
  std::string Complaint::* to;
  Read read;
  bool needed = false;  // RFC 5965 section 3.1
};
struct RepeatedField {
  std::string_view name;
  std::vector<std::string> Complaint::* to;
  Read read;
};

std::string plain(std::string_view value) { return one_line(value); }
// "dns; mx.example.com" (RFC 3464 section 2.1.2)
std::string host(std::string_view value) {
  const size_t type = value.find(';');
  return one_line(type == std::string_view::npos ? value : value.substr(type + 1));
}
// "Abuse", "abuse; by a person": the token in front, in lower case.
std::string type_token(std::string_view value) {
  const std::string lower = lower_ascii(trim(value));
  const size_t end = std::min(lower.find_first_of(" \t;,("), lower.size());
  return one_line(std::string_view(lower).substr(0, end), 100);
}

constexpr std::array<SingleField, 10> kSingle = {{
    {"Feedback-Type", &Complaint::feedback_type, type_token, true},
    {"User-Agent", &Complaint::user_agent, plain, true},
    {"Version", &Complaint::version, plain, true},
    {"Original-Envelope-Id", &Complaint::original_envelope_id, plain},
    {"Original-Mail-From", &Complaint::original_mail_from, bare_address},
    {"Arrival-Date", &Complaint::arrival_date, plain},
    // Its name before RFC 5965, which a large provider still sends.
    {"Received-Date", &Complaint::arrival_date, plain},
    {"Reporting-MTA", &Complaint::reporting_mta, host},
    {"Source-IP", &Complaint::source_ip, bare_ip},
    {"Source", &Complaint::source_ip, bare_ip},
}};
constexpr std::array<RepeatedField, 4> kRepeated = {{
    {"Original-Rcpt-To", &Complaint::original_rcpt_to, bare_address},
    {"Authentication-Results", &Complaint::authentication_results, plain},
    {"Reported-Domain", &Complaint::reported_domain, plain},
    {"Reported-URI", &Complaint::reported_uri, plain},
}};
// Fields of RFC 6591 section 3.2 and RFC 6692 that may be there once.
constexpr std::array<std::string_view, 13> kOnce = {
    "Incidents",         "Source-Port",
    "Auth-Failure",      "Delivery-Result",
    "DKIM-ADSP-DNS",     "DKIM-Canonicalized-Body",
    "DKIM-Domain",       "DKIM-Canonicalized-Header",
    "DKIM-Identity",     "DKIM-Selector",
    "DKIM-Selector-DNS", "Identity-Alignment",
    "Removal-Recipient",
};

class FieldReader {
 public:
  explicit FieldReader(FeedbackMail& mail) : mail_(mail), complaint_(*mail.complaint) {}

  void read(const mime::Field& field) {
    const std::string body = mime::unfolded(field.body);
    if (single(field.name, body) || repeated(field.name, body)) return;
    if (equal_nocase(field.name, "Incidents")) incidents(body);
    once(field.name);
    keep(field.name, body);
  }
  void finish() {
    for (const SingleField& known : kSingle) {
      if (known.needed && (complaint_.*known.to).empty()) {
        note(mail_, "the report has no " + std::string(known.name));
      }
    }
    if (complaint_.feedback_type.empty()) complaint_.feedback_type = guessed_type();
    if (complaint_.feedback_type == "auth-failure") finish_auth_failure();
    if (complaint_.original_rcpt_to.empty()) {
      // Who wants to be left alone, where nobody says who the mail was for.
      const std::string_view removal = value_of("Removal-Recipient");
      if (!removal.empty()) complaint_.original_rcpt_to.push_back(bare_address(removal));
    }
  }

 private:
  // RFC 6591 section 3.1: what such a report has to have as well.
  void finish_auth_failure() {
    const auto missing = [&](std::string_view name) {
      note(mail_, "the report has no " + std::string(name));
    };
    if (value_of("Auth-Failure").empty()) missing("Auth-Failure");
    if (complaint_.authentication_results.empty()) missing("Authentication-Results");
    if (complaint_.reported_domain.empty()) missing("Reported-Domain");
  }
  bool single(std::string_view name, std::string_view body) {
    for (size_t i = 0; i < kSingle.size(); ++i) {
      const SingleField& known = kSingle[i];
      if (!equal_nocase(name, known.name)) continue;
      std::string value = known.read(body);
      // "Source" is whatever a reporter wants it to be: only an address is the one meant.
      if (known.name == "Source" && !is_ip(value)) return false;
      if (seen_single_[i]) note(mail_, std::string(known.name) + " is given more than once");
      seen_single_[i] = true;
      std::string& to = complaint_.*known.to;
      if (to.empty()) {
        to = std::move(value);
      } else if (value != to) {
        keep(name, body);
      }
      return true;
    }
    return false;
  }
  bool repeated(std::string_view name, std::string_view body) {
    for (const RepeatedField& known : kRepeated) {
      if (!equal_nocase(name, known.name)) continue;
      std::vector<std::string>& to = complaint_.*known.to;
      std::string value = known.read(body);
      if (value.empty()) return true;
      if (to.size() == kMostComplaintValues) {
        note(mail_, "too many fields " + std::string(known.name));
      } else if (std::ranges::find(to, value) == to.end()) {
        to.push_back(std::move(value));
      }
      return true;
    }
    return false;
  }
  void incidents(std::string_view body) {
    const std::string_view digits = trim(body);
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number == 0) {
      note(mail_, "Incidents is not a whole number above 0");
      return;
    }
    complaint_.incidents = std::min(number, kMostIncidents);
  }
  void once(std::string_view name) {
    for (size_t i = 0; i < kOnce.size(); ++i) {
      if (!equal_nocase(name, kOnce[i])) continue;
      if (seen_[i]) note(mail_, std::string(kOnce[i]) + " is given more than once");
      seen_[i] = true;
    }
  }
  void keep(std::string_view name, std::string_view body) {
    if (complaint_.fields.size() == kMostComplaintFields) {
      note(mail_, "too many fields in the report");
      return;
    }
    complaint_.fields.emplace_back(one_line(name, 200), one_line(body));
  }
  std::string_view value_of(std::string_view name) const {
    for (const auto& [key, value] : complaint_.fields) {
      if (equal_nocase(key, name)) return value;
    }
    return {};
  }
  std::string guessed_type() const {
    return value_of("Auth-Failure").empty() ? "other" : "auth-failure";
  }

  FeedbackMail& mail_;
  Complaint& complaint_;
  std::array<bool, kSingle.size()> seen_single_{};
  std::array<bool, kOnce.size()> seen_{};
};

bool has_report_fields(const mime::Message& message, const mime::Part& part) {
  constexpr size_t kFar = 4'000;  // bytes within which a report names its type
  // Asked of every text of every mail, so only where its name is to be seen.
  if (part.type.value != "text/plain" || part.body.size() > mime::Bounds{}.header_bytes ||
      part.body.substr(0, kFar).find("eedback-") == std::string_view::npos) {
    return false;
  }
  const std::string text = message.text(part);
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  mime::Findings findings;
  const mime::Header header =
      mime::Header::read(std::string_view(text).substr(begin, kFar), 0, mime::Bounds{}, findings);
  return header.find("Feedback-Type") != nullptr &&
         (header.find("User-Agent") != nullptr || header.find("Version") != nullptr);
}

// The first message/feedback-report of the message itself; else the first text that is one but for
// its type, as gateways leave it behind.
std::optional<uint32_t> report_part(const mime::Message& message) {
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (parts[i].type.value == "message/feedback-report" && is_own_part(message, i)) return i;
  }
  for (uint32_t i = 1; i < parts.size(); ++i) {
    if (is_own_part(message, i) && has_report_fields(message, parts[i])) return i;
  }
  return std::nullopt;
}

bool claims_to_be_one(const mime::Part& part) {
  if (part.type.value != "multipart/report") return false;
  const std::string* type = part.type.find("report-type");
  return type != nullptr && lower_ascii(trim(*type)) == "feedback-report";
}

// A list or a gateway may have put the report into something else.
bool within_one(const mime::Message& message, uint32_t part) {
  const uint32_t parent = message.parts()[part].parent;
  return parent != mime::Part::kNone && claims_to_be_one(message.parts()[parent]);
}

// What the message is by its type (RFC 5965 section 7.3, RFC 6591 section 3.1; `opt-out` is of the
// drafts before them).
void set_kind(FeedbackMail& mail) {
  const Complaint& complaint = *mail.complaint;
  const std::string& type = complaint.feedback_type;
  mail.kind = MailKind::complaint;
  if (type == "not-spam") mail.kind = MailKind::complaint_withdrawn;
  if (type == "auth-failure" || type == "dmarc") mail.kind = MailKind::auth_failure;
  if (type == "opt-out" || type == "opt-out-list") {
    mail.kind = MailKind::unsubscribe;
    if (!complaint.original_rcpt_to.empty()) mail.unsubscribe = complaint.original_rcpt_to.front();
  }
  mail.why = "an abuse report of type " + type;
}

// The mail's header as a text behind the report.
CarriedMail header_in_text(const mime::Message& message, uint32_t behind) {
  constexpr size_t kFewest = 2;  // of the fields that a mail has
  const auto parts = message.parts();
  for (uint32_t i = behind + 1; i < parts.size(); ++i) {
    if (parts[i].type.value != "text/plain" || !is_own_part(message, i)) continue;
    CarriedMail carried{.there = true, .mail = mail_of_text(message.text(parts[i]))};
    size_t known = 0;
    for (const std::string_view name : {"From", "To", "Subject", "Date", "Message-ID"}) {
      known += field_of(carried.mail, name).empty() ? 0u : 1u;
    }
    if (known >= kFewest) return carried;
  }
  return {};
}

void read_original(const mime::Message& message, uint32_t behind, FeedbackMail& mail) {
  CarriedMail carried = carried_mail(message, behind);
  if (!carried.there) carried = header_in_text(message, behind);
  // Some put it in front of the report.
  if (!carried.there && behind > 0) carried = carried_mail(message);
  if (!carried.there) {
    note(mail, "the report does not carry the mail");
  } else if (carried.withheld) {
    note(mail, "the mail was taken out of the report");
    mail.complaint->redacted = true;
  } else if (carried.mail.fields.empty()) {
    note(mail, "the mail in the report has no header");
  }
  mail.original = std::move(carried.mail);
}

}  // namespace

void read_arf_fields(std::string_view report, FeedbackMail& mail) {
  if (!mail.complaint) mail.complaint.emplace();
  FieldReader reader(mail);
  size_t blocks = 0;
  for (; blocks < kMostBlocks; ++blocks) {
    report.remove_prefix(std::min(report.find_first_not_of(" \t\r\n"), report.size()));
    if (report.empty()) break;
    if (blocks > 0) note(mail, "blank lines within the report");
    mime::Findings findings;
    const mime::Header header = mime::Header::read(report, 0, mime::Bounds{}, findings);
    if (!findings.all().empty() && findings.has(mime::Defect::field_without_colon)) {
      note(mail, "a line of the report is no field");
    }
    for (const mime::Field& field : header.fields()) reader.read(field);
    if (header.size() == 0) break;
    report.remove_prefix(std::min(header.size(), report.size()));
  }
  if (blocks == 0) note(mail, "the report is empty");
  if (blocks == kMostBlocks && !report.empty()) note(mail, "too many blank lines in the report");
  reader.finish();
}

bool read_arf(const mime::Message& message, FeedbackMail& mail) {
  const std::optional<uint32_t> part = report_part(message);
  if (!part && !claims_to_be_one(message.root())) return false;
  mail = FeedbackMail{};
  Complaint& complaint = mail.complaint.emplace();
  complaint.format = mail.form = "arf";
  if (part) {
    read_arf_fields(message.text(message.parts()[*part]), mail);
    if (!within_one(message, *part)) note(mail, "not a multipart/report of feedback-report");
    if (message.parts()[*part].type.value != "message/feedback-report") {
      note(mail, "the report is " + message.parts()[*part].type.value);
    }
  } else {
    note(mail, "there is no message/feedback-report in the report");
    complaint.feedback_type = "other";
  }
  read_original(message, part.value_or(0), mail);
  mail.envelope_id = complaint.original_envelope_id;
  mail.reporting_mta = complaint.reporting_mta;
  if (std::ranges::any_of(complaint.original_rcpt_to, is_redacted) ||
      (complaint.original_rcpt_to.empty() && is_redacted(mail.original.to) &&
       !mail.original.to.empty())) {
    complaint.redacted = true;
  }
  set_kind(mail);
  mark_cfbl(mail);
  return true;
}

}  // namespace watchpost::feedback
