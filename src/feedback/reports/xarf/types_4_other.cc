#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types_4.h"

#include <array>

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kBotnetBotCapabilities = one_of(
    "", "ddos spam proxy keylogger file_download remote_shell cryptocurrency_mining data_theft");
constexpr XarfRule kBotnet[] = {
    text("malware_family", 200),
    text("c2_server"),
    one_of("c2_protocol", "http https tcp udp dns irc p2p custom"),
    list("bot_capabilities", kBotnetBotCapabilities),
    needed(text("compromise_evidence")),
};
constexpr XarfRule kCompromisedServer[] = {
    needed(text("compromise_method")),
};
constexpr XarfRule kBulkMessagingBulkIndicators[] = {
    truth("high_volume"),
    truth("template_based"),
    truth("commercial_sender"),
};
constexpr XarfRule kBulkMessaging[] = {
    one_of("evidence_source", "user_complaint automated_filter reputation_feed volume_analysis"),
    needed(one_of("protocol", "smtp sms whatsapp telegram social_media push_notification other")),
    email("smtp_from"),
    text("subject", 500),
    text("sender_name", 200),
    needed(whole("recipient_count", 100)),
    truth("unsubscribe_provided"),
    truth("opt_in_evidence"),
    closed(object("bulk_indicators", kBulkMessagingBulkIndicators)),
};
constexpr XarfRule kAUri = uri("");
constexpr XarfRule kSpamSpamIndicators[] = {
    list("suspicious_links", kAUri),
    truth("commercial_content"),
    truth("bulk_characteristics"),
};
constexpr XarfRule kSpam[] = {
    one_of("evidence_source",
           "spamtrap user_complaint automated_filter honeypot content_analysis reputation_feed"),
    needed(one_of("protocol",
                  "smtp sms whatsapp telegram signal chat social_media push_notification other")),
    email("smtp_from"),
    email("smtp_to"),
    text("subject", 500),
    text("sender_name", 200),
    text("message_id", 200),
    text("user_agent", 200),
    whole("recipient_count", 1),
    formed("language", "a language", is_language),
    closed(object("spam_indicators", kSpamSpamIndicators)),
};
constexpr XarfRule kBlocklist[] = {
    needed(text("threat_type")),
};
constexpr XarfRule kCveCveIds = formed("", "a CVE number", is_cve);
constexpr XarfRule kCveImpactAssessment[] = {
    one_of("confidentiality", "none low high"),
    one_of("integrity", "none low high"),
    one_of("availability", "none low high"),
};
constexpr XarfRule kCve[] = {
    one_of("evidence_source",
           "vulnerability_scan researcher_analysis automated_discovery penetration_testing"),
    needed(text("service", 200)),
    text("service_version", 100),
    needed(port("service_port")),
    needed(formed("cve_id", "a CVE number", is_cve)),
    unlike(list("cve_ids", kCveCveIds, 0, 10)),
    number("cvss_score", 0, 10),
    formed("cvss_vector", "a CVSS 3 vector", is_cvss_3_prefix),
    one_of("cvss_version", "2.0 3.0 3.1"),
    one_of("risk_level", "info low medium high critical"),
    one_of("severity", "informational low medium high critical"),
    one_of("exploitability", "theoretical poc_available functional weaponized"),
    truth("patch_available"),
    text("patch_version", 100),
    uri("patch_url"),
    uri("vendor_advisory"),
    time("disclosure_date"),
    closed(object("impact_assessment", kCveImpactAssessment)),
    one_of("remediation_priority", "low medium high critical emergency"),
};
constexpr XarfRule kMisconfiguration[] = {
    needed(text("service")),
};

constexpr std::array<XarfType4, 9> kTypes = {{
    {"infrastructure", "botnet", kBotnet},
    {"infrastructure", "compromised_server", kCompromisedServer},
    {"messaging", "bulk_messaging", kBulkMessaging, XarfType4::Asks::smtp_sender},
    {"messaging", "spam", kSpam, XarfType4::Asks::smtp_sender},
    {"reputation", "blocklist", kBlocklist},
    {"reputation", "threat_intelligence", kBlocklist},
    {"vulnerability", "cve", kCve},
    {"vulnerability", "misconfiguration", kMisconfiguration},
    {"vulnerability", "open_service", kMisconfiguration},
}};

}  // namespace

std::span<const XarfType4> other_types_4() { return kTypes; }

}  // namespace watchpost::feedback
