#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace watchpost::feedback {
namespace {

using namespace xarf;

// The versions in the order in which they came.
enum class Age : uint8_t { alpha, one, two, three, development };
constexpr std::array<std::string_view, 5> kAges = {"alpha", "1", "2", "3", "development"};

// --- what several types have in common ---

constexpr XarfRule kPort = port("", 0);
constexpr XarfRule or_else(XarfRule rule, const XarfRule& other) {
  rule.instead = &other;
  return rule;
}
constexpr XarfRule kWhole = whole("");
constexpr XarfRule kTextOrWhole = or_else(text(""), kWhole);
constexpr XarfRule kText = text("");

constexpr XarfRule of_texts(std::string_view name, const XarfRule& item) {
  XarfRule rule = object(name, {});
  rule.item = &item;
  return rule;
}

constexpr XarfRule kHashMembers[] = {
    needed(text("HashValue")),
    needed(
        one_of("HashAlgorithm", "sha1 sha2 sha3 sha256 sha512 md5 argon2id scrypt bcrypt pbkdf2")),
    truth("HashComplete"),
};
constexpr XarfRule kOldFile[] = {needed(text("FileName")), whole("FileSize", 0), text("FileHash")};
constexpr XarfRule kFile[] = {needed(text("FileName")), whole("FileSize", 0),
                              object("FileHash", kHashMembers)};
constexpr XarfRule kSampleMembers[] = {
    needed(text("ContentType")),
    needed(text("Payload")),
    truth("Base64Encoded"),
    text("Description"),
};
constexpr XarfRule kOldFileSample = object("", kOldFile);
constexpr XarfRule kFileSample = object("", kFile);
constexpr XarfRule kOldSample = or_else(object("", kSampleMembers), kOldFileSample);
constexpr XarfRule kSample = or_else(object("", kSampleMembers), kFileSample);

constexpr XarfRule kReportBase[] = {
    needed(one_of("ReportClass", "Content Activity Vulnerability")),
    needed(long_text("ReportType", 1)),
    text("ReportSubType"),
    text("ReporterCaseID"),
    one_of("ReporterSeverity", "low medium high"),
    text("ReporterNotes"),
    needed(time("Date")),
    time("FirstSeen"),
};
constexpr XarfRule kCustom[] = {of_texts("Custom", kTextOrWhole)};
constexpr XarfRule kSource[] = {
    ip("SourceIp"),
    port("SourcePort", 0),
    whole("ASN", 1, 4'199'999'999),
    uri("SourceUrl"),
};
constexpr XarfRule kOldCommon[] = {truth("Ongoing"), text("ThreatActor"),
                                   list("Samples", kOldSample, 1)};
constexpr XarfRule kCommon[] = {truth("Ongoing"), text("ThreatActor"), list("Samples", kSample, 1)};
constexpr XarfRule kDestination[] = {ip("DestinationIp"),
                                     or_else(list("DestinationPort", kPort), kPort)};
constexpr XarfRule kAttacker[] = {ip("AttackerIp"), or_else(list("AttackerPort", kPort), kPort)};
constexpr XarfRule kTraffic[] = {whole("ByteCount"), whole("PacketCount")};
constexpr XarfRule kOldMail[] = {email("FromAddress"), email("ToAddress")};
constexpr XarfRule kMail[] = {email("SmtpMailFromAddress"), email("SmtpRcptToAddress")};
constexpr XarfRule kTransport[] = {one_of("TransportProtocol", "tcp udp")};
constexpr XarfRule kService[] = {text("ServiceName"), text("ServiceVersion")};
constexpr XarfRule kServiceNeeded[] = {needed(text("ServiceName"))};
constexpr XarfRule kUrlNeeded[] = {needed(uri("SourceUrl"))};
constexpr XarfRule kPassword[] = {object("PasswordHash", kHashMembers)};

// --- what each type has of its own ---

constexpr XarfRule kBotnet[] = {text("BotnetName")};
constexpr XarfRule kMalware[] = {text("MalwareName")};
constexpr XarfRule kRpz[] = {one_of("ReportSubType", "RPZ-Rewrite"), host("RpzDomain"),
                             text("MalwareName")};
constexpr XarfRule kCsam[] = {one_of("ReportSubType", "Link-Sharing")};
constexpr XarfRule kCopyright[] = {needed(text("InfringedMaterial")), text("MaterialType"),
                                   text("SharingProtocol"), uri("CourtOrder")};
constexpr XarfRule kInfringing[] = {uri("InfringingUrl")};
constexpr XarfRule kTrademark[] = {needed(text("TrademarkedMaterial")), text("RegistrationOffice"),
                                   text("RegistrationNumber")};
constexpr XarfRule kHarassment[] = {
    needed(text("Harasser")),
    needed(text("HarassmentDescription")),
    one_of("HarassmentType", "doxing stalking sexual believes defamation extortion hate"),
    one_of("HarassmentLocation", "website chat game"),
};
constexpr XarfRule kAccountMembers[] = {
    formed("AccountIdentifier", "a name (an address belongs into AccountEmail)", is_no_email),
    text("AccountEmail"),
};
constexpr XarfRule kAccount[] = {needed([] {
  XarfRule rule = object("Account", kAccountMembers);
  rule.least = 1;
  return rule;
}())};
constexpr XarfRule kCvssMembers[] = {
    number("Score"),
    needed(one_of("Version", "3.1 3.0 2")),
    needed(text("Vector")),
    text("Severity"),
};
constexpr XarfRule kExploit[] = {formed("CVE", "a CVE number", is_cve),
                                 object("CVSS", kCvssMembers)};

enum class Where : uint8_t { ip, ip_or_url, account };
using Rules = std::span<const XarfRule>;

struct Type {
  std::string_view name;
  std::string_view report_class;
  Where where;
  std::array<Rules, 6> rules;
  bool common = true;  // Ongoing, ThreatActor, Samples
  Age from = Age::alpha;
  Age to = Age::development;
};
constexpr std::array<Type, 17> kTypes = {{
    {"Botnet", "Content", Where::ip_or_url, {kBotnet}},
    {"ChildAbuse", "Content", Where::ip_or_url, {}, false, Age::alpha, Age::three},
    {"ChildSexualAbuseMaterial", "Content", Where::ip_or_url, {kCsam}, false, Age::development},
    {"Copyright", "Content", Where::ip_or_url, {kCopyright, kInfringing}, false},
    {"DOS", "Activity", Where::ip, {kDestination, kTraffic}},
    {"Exploit",
     "Activity",
     Where::ip,
     {kExploit, kTransport, kDestination, kService},
     true,
     Age::three},
    {"Harassment", "Activity", Where::ip_or_url, {kHarassment}, true, Age::three},
    {"LoginAttack", "Activity", Where::ip, {kDestination, kTraffic}},
    {"Malware", "Content", Where::ip_or_url, {kMalware}},
    {"Malware", "Activity", Where::ip, {kRpz}, false},
    {"OpenService",
     "Vulnerability",
     Where::ip_or_url,
     {kTransport, kServiceNeeded, kService},
     true,
     Age::one},
    {"Phishing", "Content", Where::ip_or_url, {kUrlNeeded}},
    {"PortScan", "Activity", Where::ip, {kDestination, kTraffic}},
    {"PotentiallyCompromisedAccount",
     "Activity",
     Where::account,
     {kAccount, kAttacker, kDestination, kPassword},
     true,
     Age::three},
    {"Spam", "Activity", Where::ip, {kDestination}},
    {"Trademark", "Content", Where::ip_or_url, {kTrademark}, false},
    {"WebCrawler", "Activity", Where::ip_or_url, {}, true, Age::three},
}};

// --- who reports ---

template <size_t N>
struct Person {
  std::array<XarfRule, N> members;
  std::array<std::string_view, 3> of_organisation;
  std::string_view type;
};
constexpr Person<8> kReporter = {
    {one_of("ReporterType", "Org Person"), long_text("ReporterOrg", 3), host("ReporterOrgDomain"),
     email("ReporterOrgEmail"), text("ReporterOrgAddress"), email("ReporterContactEmail"),
     long_text("ReporterContactName", 3), long_text("ReporterContactPhone", 3)},
    {"ReporterOrg", "ReporterOrgDomain", "ReporterOrgEmail"},
    "ReporterType"};
constexpr Person<7> kComplainant = {
    {one_of("ComplainantType", "Org Person"), long_text("ComplainantOrg", 3),
     host("ComplainantOrgDomain"), email("ComplainantOrgEmail"), email("ComplainantContactEmail"),
     long_text("ComplainantContactName", 3), long_text("ComplainantContactPhone", 3)},
    {"ComplainantOrg", "ComplainantOrgDomain", "ComplainantOrgEmail"},
    "ComplainantType"};

constexpr XarfRule kSubscriber[] = {text("ID"), of_texts("SubscriberData", kText)};
constexpr XarfRule kContract[] = {text("ID"), of_texts("ResolverData", kText)};
constexpr XarfRule kProcessing[] = {object("SubscriberInformation", kSubscriber),
                                    object("ContractInformation", kContract),
                                    list("EventTags", kText)};
constexpr XarfRule kInternal[] = {object("InternalProcessing", kProcessing)};
constexpr XarfRule kDisclosure[] = {needed(truth("Disclosure"))};

void check_person(const JsonNode& person, const auto& rules, bool may_be_a_person,
                  const std::string& path, XarfFaults& faults) {
  if (!person.is_object()) {
    faults.add(path + " is not an object");
    return;
  }
  check_members(person, rules.members, path + ".", faults);
  // A person has no organisation to name.
  if (may_be_a_person && person.text_of(rules.type) == "Person") return;
  for (const std::string_view name : rules.of_organisation) {
    if (person.find(name) == nullptr) faults.add(path + "." + std::string(name) + " is missing");
  }
}

void check_cvss(const JsonNode& report, XarfFaults& faults) {
  const JsonNode* const cvss = report.find("CVSS");
  if (cvss == nullptr || !cvss->is_object()) return;
  const bool two = cvss->text_of("Version") == "2";
  const std::string_view vector = cvss->text_of("Vector");
  if (!(two ? is_cvss_2(vector) : is_cvss_3(vector))) {
    faults.add("Report.CVSS.Vector is none of its version");
  }
  const XarfRule severity =
      one_of("Severity", two ? "Low Medium High" : "None Low Medium High Critical");
  check_members(*cvss, {&severity, 1}, "Report.CVSS.", faults);
}

void check_where(const JsonNode& report, Where where, XarfFaults& faults) {
  const bool has_ip = report.find("SourceIp") != nullptr;
  const bool has_url = report.find("SourceUrl") != nullptr;
  if (where == Where::ip && !has_ip) faults.add("Report.SourceIp is missing");
  if (where == Where::ip_or_url && !has_ip && !has_url) {
    faults.add("Report has neither SourceIp nor SourceUrl");
  }
  if (where == Where::account && (has_ip || has_url)) {
    faults.add("Report names a source, where an account is reported");
  }
}

// What changed between the versions.
void check_by_age(const JsonNode& report, const Type& type, Age age, XarfFaults& faults) {
  const bool old = age < Age::three;
  const std::string path = "Report.";
  if (age != Age::alpha) check_members(report, kCustom, path, faults);
  if (type.common) check_members(report, old ? Rules(kOldCommon) : Rules(kCommon), path, faults);
  if (type.name == "Spam") {
    check_members(report, age == Age::alpha ? Rules(kOldMail) : Rules(kMail), path, faults);
  }
  if (type.name == "Copyright") {
    check_members(report, old ? Rules(kOldFile) : Rules(kFile), path, faults);
  }
  if (type.name == "Malware" && type.report_class == "Content" && old) {
    check_members(report, kUrlNeeded, path, faults);
  }
}

const Type* find_type(std::string_view name, std::string_view report_class, Age age) {
  const auto found = std::ranges::find_if(kTypes, [&](const Type& type) {
    return type.name == name && type.report_class == report_class && age >= type.from &&
           age <= type.to;
  });
  return found == kTypes.end() ? nullptr : &*found;
}

void check_report(const JsonNode& report, Age age, XarfFaults& faults) {
  check_members(report, kReportBase, "Report.", faults);
  check_members(report, kSource, "Report.", faults);
  const std::string_view name = report.text_of("ReportType");
  const std::string_view report_class = report.text_of("ReportClass");
  if (name.empty() || report_class.empty()) return;
  const Type* const type = find_type(name, report_class, age);
  if (type == nullptr) {
    faults.add("Report: no type \"" + escaped(name, 60) + "\" of class \"" +
               escaped(report_class, 60) + "\" is known in this version");
    return;
  }
  check_where(report, type->where, faults);
  for (const Rules& rules : type->rules) check_members(report, rules, "Report.", faults);
  check_by_age(report, *type, age, faults);
  check_cvss(report, faults);
}

}  // namespace

void check_xarf_3(const JsonNode& report, XarfFaults& faults) {
  const std::string_view version = report.text_of("Version");
  const auto found = std::ranges::find(kAges, version);
  // The first version did not ask for one; an unknown one is judged as the last that has a number.
  const bool has_version = report.find("Version") != nullptr;
  Age age = has_version ? Age::three : Age::alpha;
  if (found != kAges.end()) {
    age = static_cast<Age>(found - kAges.begin());
  } else if (has_version) {
    faults.add("Version \"" + escaped(version, 60) + "\" is not known");
  }
  const bool may_be_a_person = age >= Age::three;
  if (const JsonNode* const reporter = report.find("ReporterInfo")) {
    check_person(*reporter, kReporter, may_be_a_person, "ReporterInfo", faults);
    if (may_be_a_person) {
      check_no_others(*reporter, kReporter.members, "ReporterInfo.", faults);
    }
  } else {
    faults.add("ReporterInfo is missing");
  }
  if (const JsonNode* const complainant = report.find("OnBehalfOf")) {
    check_person(*complainant, kComplainant, may_be_a_person, "OnBehalfOf", faults);
  }
  check_members(report, kDisclosure, "", faults);
  if (age >= Age::two) check_members(report, kInternal, "", faults);
  const JsonNode* const body = report.find("Report");
  if (body == nullptr) {
    faults.add("Report is missing");
  } else if (!body->is_object()) {
    faults.add("Report is not an object");
  } else {
    check_report(*body, age, faults);
  }
}

}  // namespace watchpost::feedback
