#include "feedback/reports/xarf/types_4.h"

#include "base/text.h"
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types.h"

#include <algorithm>
#include <string>

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kContact[] = {needed(text("org", 200)), needed(email("contact")),
                                 needed(host("domain"))};
constexpr XarfRule kEvidenceMembers[] = {
    needed(text("content_type")), needed(text("payload")),
    text("description", 500),     formed("hash", "a digest with its algorithm", is_digest),
    whole("size", 0, 5'242'880),
};
constexpr XarfRule kEvidence = closed(object("", kEvidenceMembers));
constexpr XarfRule kTag = formed("", "a tag", is_tag);
constexpr std::string_view kCategories =
    "messaging content copyright connection vulnerability infrastructure reputation";
constexpr XarfRule kCore[] = {
    needed(formed("xarf_version", "a version 4.x.y", is_version_4)),
    needed(formed("report_id", "a UUID", is_uuid)),
    needed(time("timestamp")),
    needed(closed(object("reporter", kContact))),
    needed(closed(object("sender", kContact))),
    needed(text("source_identifier")),
    port("source_port"),
    needed(one_of("category", kCategories)),
    needed(text("type")),
    text("evidence_source"),
    list("evidence", kEvidence, 0, 50),
    list("tags", kTag, 0, 20),
    number("confidence", 0, 1),
    text("description", 1'000),
    one_of("legacy_version", "3"),
    object("_internal", {}),
};

bool is_category(std::string_view category) {
  const auto categories = words(kCategories);
  return std::ranges::find(categories, category) != categories.end();
}

const XarfType4* find_type(std::string_view category, std::string_view name) {
  for (const auto& types :
       {connection_types_4(), content_types_4(), copyright_types_4(), other_types_4()}) {
    for (const XarfType4& type : types) {
      if (type.category == category && type.name == name) return &type;
    }
  }
  return nullptr;
}

void check_asked_together(const JsonNode& report, const XarfType4& type, XarfFaults& faults) {
  const auto missing = [&](std::string_view name) {
    if (report.find(name) == nullptr) faults.add(std::string(name) + " is missing");
  };
  switch (type.asks) {
    case XarfType4::Asks::nothing: return;
    case XarfType4::Asks::port_of_address:
      if (is_ip(report.text_of("source_identifier"))) missing("source_port");
      return;
    case XarfType4::Asks::smtp_sender:
      if (report.text_of("protocol") != "smtp") return;
      missing("smtp_from");
      missing("source_port");
      return;
    case XarfType4::Asks::swarm: {
      const JsonNode* const swarm = report.find("swarm_info");
      if (swarm == nullptr ||
          (swarm->find("info_hash") == nullptr && swarm->find("magnet_uri") == nullptr)) {
        faults.add("swarm_info has neither info_hash nor magnet_uri");
      }
      return;
    }
    case XarfType4::Asks::news_message: {
      const JsonNode* const news = report.find("message_info");
      if (news == nullptr || news->find("message_id") == nullptr) {
        faults.add("message_info.message_id is missing");
      }
      return;
    }
  }
}

}  // namespace

void check_xarf_4(const JsonNode& report, XarfFaults& faults) {
  check_members(report, kCore, "", faults);
  const std::string_view category = report.text_of("category");
  const std::string_view name = report.text_of("type");
  if (name.empty() || !is_category(category)) return;
  if (const XarfType4* const type = find_type(category, name)) {
    if (category == "content") check_members(report, any_content_4(), "", faults);
    check_members(report, type->rules, "", faults);
    check_asked_together(report, *type, faults);
    return;
  }
  faults.add("no type \"" + escaped(name, 60) + "\" of category \"" + escaped(category, 60) +
             "\" is known");
}

}  // namespace watchpost::feedback
