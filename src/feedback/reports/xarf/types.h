#pragma once
#include "feedback/reports/report_json.h"
#include "feedback/reports/xarf/rules.h"

#include <cstdint>
#include <string_view>

namespace watchpost::feedback {

// What each type of XARF asks for. The facts are those of the published schemas (xarf.org, and
// abusix's before them); the tables and the checking are our own.

// The shapes in which reports come.
enum class XarfShape : uint8_t {
  none,          // no XARF at all
  capitals,      // Version, ReporterInfo, Report.SourceIp ...: "alpha", "1" to "3", "development"
  attached,      // Version "3.0.0": Report.Source.IP, Report.Attachment
  small_letters  // xarf_version "4.x.y"
};
XarfShape shape_of(const JsonNode& report);

// Checks a report of that shape against what its version, class and type ask for.
void check_xarf_3(const JsonNode& report, XarfFaults& faults);           // capitals
void check_xarf_3_attached(const JsonNode& report, XarfFaults& faults);  // attached
void check_xarf_4(const JsonNode& report, XarfFaults& faults);           // small_letters

// The type as ARF has it: "abuse" for spam and bulk mail, "fraud" for phishing, "virus" for
// malware, "other" for what has nothing to do with mail.
std::string_view feedback_type_of(std::string_view xarf_type);

}  // namespace watchpost::feedback
