#include "feedback/reports/xarf.h"

#include "base/text.h"
#include "feedback/reports/carried_mail.h"
#include "feedback/reports/cfbl.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/report_json.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types.h"
#include "mime/transfer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace watchpost::feedback {
namespace {

constexpr size_t kMostMailBytes = 8 * 1024 * 1024;  // of one sample

// Where the values of a report are, by its shape; paths from the top.
struct Places {
  std::string_view version, type, date, report_id;
  std::array<std::string_view, 3> source;
  std::array<std::string_view, 2> sender, recipient;
  std::array<std::string_view, 4> uris;
  std::string_view domain, samples, sample_type, sample_data, count, reporter;
};
constexpr Places kCapitals = {
    .version = "Version",
    .type = "Report.ReportType",
    .date = "Report.Date",
    .report_id = "Report.ReporterCaseID",
    .source = {"Report.SourceIp", "Report.Source.IP"},
    .sender = {"Report.SmtpMailFromAddress", "Report.FromAddress"},
    .recipient = {"Report.SmtpRcptToAddress", "Report.ToAddress"},
    .uris = {"Report.SourceUrl", "Report.InfringingUrl", "Report.Source.URL", "Report.Url"},
    .domain = "Report.RpzDomain",
    .samples = "Report.Samples",
    .sample_type = "ContentType",
    .sample_data = "Payload",
    .count = "Report.AttackCount",
    .reporter = "ReporterInfo.ReporterOrg",
};
constexpr Places kSmallLetters = {
    .version = "xarf_version",
    .type = "type",
    .date = "timestamp",
    .report_id = "report_id",
    .source = {"source_identifier"},
    .sender = {"smtp_from"},
    .recipient = {"smtp_to"},
    .uris = {"url", "infringing_url", "target_url"},
    .domain = "domain",
    .samples = "evidence",
    .sample_type = "content_type",
    .sample_data = "payload",
    .count = {},
    .reporter = "reporter.org",
};

const JsonNode* at(const JsonNode& root, std::string_view path) {
  const JsonNode* node = &root;
  while (node != nullptr && !path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    node = node->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node == &root ? nullptr : node;
}

std::string text_at(const JsonNode& root, std::string_view path) {
  const JsonNode* const node = at(root, path);
  return node == nullptr || !node->is_text() ? std::string() : one_line(node->text);
}

std::string first_at(const JsonNode& root, const auto& paths) {
  for (const std::string_view path : paths) {
    std::string value = text_at(root, path);
    if (!value.empty()) return value;
  }
  return {};
}

// All that is no container, by its path; texts that are long are samples of no use here.
void flatten(const JsonNode& node, const std::string& path, Complaint& complaint) {
  if (complaint.fields.size() >= kMostComplaintFields) return;
  if (node.is_object() || node.is_list()) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      const JsonNode& item = node.items[i];
      const std::string name = node.is_list() ? std::to_string(i) : one_line(item.key, 200);
      flatten(item, path.empty() ? name : path + "." + name, complaint);
      if (complaint.fields.size() >= kMostComplaintFields) return;
    }
    return;
  }
  std::string value;
  switch (node.kind) {
    case JsonNode::Kind::truth: value = node.truth ? "true" : "false"; break;
    case JsonNode::Kind::null: value = "null"; break;
    default: value = one_line(node.text, 500);
  }
  complaint.fields.emplace_back(path, std::move(value));
}

bool is_mail_type(std::string_view type) {
  const std::string lower = lower_ascii(type);
  return lower.starts_with("message/") || lower.starts_with("text/rfc822") ||
         lower == "application/rfc822";
}

// Samples are packed in base64; those of old versions say whether.
std::string sample_bytes(const JsonNode& sample, const Places& places) {
  const JsonNode* const packed = sample.find("Base64Encoded");
  const std::string_view data = sample.text_of(places.sample_data);
  const bool plain = packed == nullptr ? data.find(": ") != std::string_view::npos
                                       : packed->kind == JsonNode::Kind::truth && !packed->truth;
  if (plain) return std::string(data.substr(0, kMostMailBytes));
  return mime::decoded(data, mime::Encoding::base64, kMostMailBytes);
}

void find_original(const JsonNode& root, const Places& places, FeedbackMail& mail) {
  const JsonNode* const samples = at(root, places.samples);
  if (samples == nullptr || !samples->is_list()) return;
  for (const JsonNode& sample : samples->items) {
    if (!is_mail_type(sample.text_of(places.sample_type))) continue;
    mail.original = mail_of_text(sample_bytes(sample, places));
    if (!mail.original.fields.empty()) return;
  }
}

void take_source(const std::string& source, FeedbackMail& mail) {
  Complaint& complaint = *mail.complaint;
  if (source.empty()) return;
  if (is_ip(source)) {
    complaint.source_ip = source;
  } else if (is_uri(source)) {
    complaint.reported_uri.push_back(source);
  } else {
    complaint.reported_domain.push_back(source);
  }
}

void add_once(std::vector<std::string>& values, std::string value) {
  if (value.empty() || std::ranges::find(values, value) != values.end()) return;
  values.push_back(std::move(value));
}

void read_values(const JsonNode& root, const Places& places, FeedbackMail& mail) {
  Complaint& complaint = *mail.complaint;
  complaint.version = text_at(root, places.version);
  complaint.feedback_type = feedback_type_of(text_at(root, places.type));
  complaint.arrival_date = text_at(root, places.date);
  complaint.user_agent = text_at(root, places.reporter);
  complaint.original_mail_from = bare_address(first_at(root, places.sender));
  add_once(complaint.original_rcpt_to, bare_address(first_at(root, places.recipient)));
  take_source(first_at(root, places.source), mail);
  for (const std::string_view path : places.uris) {
    if (!path.empty()) add_once(complaint.reported_uri, text_at(root, path));
  }
  add_once(complaint.reported_domain, text_at(root, places.domain));
  const JsonNode* const count = at(root, places.count);
  if (count != nullptr && count->kind == JsonNode::Kind::whole && count->number >= 1) {
    complaint.incidents = static_cast<uint64_t>(std::min(count->number, 1e9));
  }
  flatten(root, "", complaint);
  if (complaint.fields.size() >= kMostComplaintFields) note(mail, "too many fields in the report");
}

// What a report says of a mail that it does not carry.
void complete_original(const JsonNode& root, FeedbackMail& mail) {
  if (mail.original.message_id.empty()) {
    mail.original.message_id = bare_message_id(root.text_of("message_id"));
  }
  if (mail.original.subject.empty()) {
    mail.original.subject = one_line(root.text_of("subject"));
    if (mail.original.subject.empty()) {
      mail.original.subject = text_at(root, "Report.SmtpMessageSubject");
    }
  }
}

FeedbackMail read_report(const JsonNode& root, XarfShape shape) {
  FeedbackMail mail;
  mail.kind = MailKind::complaint;
  mail.form = "xarf";
  mail.complaint.emplace().format = "xarf";
  Places places = shape == XarfShape::small_letters ? kSmallLetters : kCapitals;
  if (shape == XarfShape::attached && at(root, "Report.Attachment") != nullptr) {
    places.samples = "Report.Attachment";
    places.sample_data = "Data";
  }
  XarfFaults faults;
  switch (shape) {
    case XarfShape::capitals: check_xarf_3(root, faults); break;
    case XarfShape::attached: check_xarf_3_attached(root, faults); break;
    case XarfShape::small_letters: check_xarf_4(root, faults); break;
    case XarfShape::none: break;
  }
  read_values(root, places, mail);
  find_original(root, places, mail);
  complete_original(root, mail);
  for (const std::string& fault : faults.all()) note(mail, one_line(fault));
  mail.complaint->redacted = std::ranges::any_of(mail.complaint->original_rcpt_to, is_redacted);
  const std::string type = text_at(root, places.type);
  mail.why = "an XARF report of " + (type.empty() ? std::string("no type") : "type " + type);
  mark_cfbl(mail);
  return mail;
}

// --- XARF in a mail ---

bool says_that_it_is_one(const mime::Header& header) {
  return header.find("X-XARF") != nullptr || header.find("X-ARF") != nullptr;
}

bool is_json_part(const mime::Part& part) {
  const std::string& type = part.type.value;
  return type == "application/json" || type == "text/json" || type == "application/xarf+json" ||
         lower_ascii(mime::Message::file_name(part)).ends_with(".json");
}

FeedbackMail unread(std::string reason) {
  FeedbackMail mail;
  mail.kind = MailKind::complaint;
  mail.form = "xarf";
  mail.complaint.emplace().format = "xarf";
  mail.complaint->feedback_type = "other";
  mail.why = "a mail that says that it is an XARF report";
  note(mail, std::move(reason));
  return mail;
}

// Of X-ARF 0.1 and 0.2: "Report-Type: login-attack", "Source: 192.0.2.1".
FeedbackMail read_lines(std::string_view text) {
  FeedbackMail mail = unread("X-ARF of a version before JSON");
  mail.why = "an X-ARF report";
  Complaint& complaint = *mail.complaint;
  for (const std::string_view line : split(text, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (complaint.fields.size() == kMostComplaintFields) {
      note(mail, "too many fields in the report");
      break;
    }
    const std::string name = one_line(line.substr(0, colon), 200);
    std::string value = one_line(line.substr(colon + 1));
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '\'' || value.front() == '"')) {
      value = value.substr(1, value.size() - 2);
    }
    const std::string lower = lower_ascii(name);
    if (lower == "version") complaint.version = value;
    if (lower == "user-agent") complaint.user_agent = value;
    if (lower == "date") complaint.arrival_date = value;
    if (lower == "source") take_source(value, mail);
    if (lower == "report-type") complaint.feedback_type = feedback_type_of(value);
    complaint.fields.emplace_back(name, std::move(value));
  }
  return mail;
}

bool has_report_lines(std::string_view text) {
  const std::string lower = lower_ascii(text.substr(0, 64 * 1024));
  return lower.find("report-type:") != std::string::npos &&
         lower.find("source:") != std::string::npos;
}

std::optional<FeedbackMail> find_lines(const mime::Message& message) {
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    const std::string& type = parts[i].type.value;
    if (type != "text/plain" && type != "text/yaml" && type != "application/x-yaml") continue;
    if (!is_own_part(message, i)) continue;
    const std::string text = message.text(parts[i]);
    if (has_report_lines(text)) return read_lines(text);
  }
  return std::nullopt;
}

}  // namespace

XarfShape shape_of(const JsonNode& report) {
  if (!report.is_object()) return XarfShape::none;
  if (report.find("xarf_version") != nullptr) return XarfShape::small_letters;
  // Many a file has a "Report".
  const JsonNode* const body = report.find("Report");
  const bool typed = body != nullptr && (body->find("ReportType") || body->find("ReportClass"));
  if (!typed && report.find("ReporterInfo") == nullptr) return XarfShape::none;
  const std::string_view version = report.text_of("Version");
  return version.starts_with("3.") ? XarfShape::attached : XarfShape::capitals;
}

std::string_view feedback_type_of(std::string_view xarf_type) {
  std::string type = lower_ascii(xarf_type);
  std::ranges::replace(type, '-', '_');
  if (type == "spam" || type == "bulk_messaging") return "abuse";
  if (type == "phishing" || type == "fraud") return "fraud";
  if (type == "malware") return "virus";
  return "other";
}

Result<FeedbackMail> read_xarf(std::string_view json) {
  const Result<JsonNode> root = read_json(json);
  if (!root) return fail(root.error());
  const XarfShape shape = shape_of(*root);
  if (shape == XarfShape::none) {
    return fail(Code::bad_input, "no XARF: neither xarf_version nor Report is in it");
  }
  return read_report(*root, shape);
}

bool read_xarf_mail(const mime::Message& message, FeedbackMail& mail) {
  const bool says_so = says_that_it_is_one(message.header());
  std::string reason;
  const auto parts = message.parts();
  for (uint32_t i = 0; i < parts.size(); ++i) {
    if (!is_json_part(parts[i]) || !is_own_part(message, i)) continue;
    const Result<FeedbackMail> read = read_xarf(message.text(parts[i]));
    if (!read) {
      const std::string name = lower_ascii(mime::Message::file_name(parts[i]));
      if (says_so || name.starts_with("xarf")) reason = read.error().what;
      continue;
    }
    mail = *read;
    if (mail.original.fields.empty()) {
      CarriedMail carried = carried_mail(message);
      if (!carried.mail.fields.empty()) {
        mail.original = std::move(carried.mail);
        mark_cfbl(mail);
      }
    }
    return true;
  }
  if (!reason.empty()) {
    mail = unread(std::move(reason));
    mail.original = carried_mail(message).mail;
    return true;
  }
  if (!says_so) return false;
  std::optional<FeedbackMail> lines = find_lines(message);
  if (!lines) return false;
  mail = std::move(*lines);
  mail.original = carried_mail(message).mail;
  return true;
}

}  // namespace watchpost::feedback
