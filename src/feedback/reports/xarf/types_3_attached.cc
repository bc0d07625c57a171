#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types.h"

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kReporter[] = {
    needed(long_text("ReporterOrg", 1)), needed(email("ReporterOrgEmail")),
    host("ReporterOrgDomain"),           email("ReporterContactEmail"),
    text("ReporterContactName"),         text("ReporterContactPhone"),
};
constexpr XarfRule kSource[] = {ip("IP"), port("Port", 0), uri("URL"), text("Type")};
constexpr XarfRule kAttachmentMembers[] = {needed(text("ContentType")), needed(text("Data")),
                                           text("Description")};
constexpr XarfRule kAttachment = object("", kAttachmentMembers);
constexpr XarfRule kSampleMembers[] = {needed(text("ContentType")), needed(text("Payload")),
                                       text("Description")};
constexpr XarfRule kSample = object("", kSampleMembers);
constexpr XarfRule kReport[] = {
    needed(long_text("ReportClass", 1)),
    needed(long_text("ReportType", 1)),
    needed(time("Date")),
    object("Source", kSource),
    ip("SourceIp"),
    port("SourcePort", 0),
    ip("DestinationIp"),
    port("DestinationPort", 0),
    uri("Url"),
    uri("SourceUrl"),
    email("SmtpMailFromAddress"),
    email("SmtpRcptToAddress"),
    text("SmtpMessageSubject", 500),
    whole("AttackCount", 1),
    list("Attachment", kAttachment),
    list("Samples", kSample),
    object("AdditionalInfo", {}),
};
constexpr XarfRule kAll[] = {
    needed(text("Version")),
    needed(object("ReporterInfo", kReporter)),
    truth("Disclosure"),
    needed(object("Report", kReport)),
};

bool names_a_source(const JsonNode& report) {
  for (const std::string_view name : {"SourceIp", "SourceUrl", "Url"}) {
    if (report.find(name) != nullptr) return true;
  }
  const JsonNode* const source = report.find("Source");
  return source != nullptr && (source->find("IP") != nullptr || source->find("URL") != nullptr);
}

}  // namespace

void check_xarf_3_attached(const JsonNode& report, XarfFaults& faults) {
  check_members(report, kAll, "", faults);
  const JsonNode* const body = report.find("Report");
  if (body != nullptr && body->is_object() && !names_a_source(*body)) {
    faults.add("Report names no source");
  }
}

}  // namespace watchpost::feedback
