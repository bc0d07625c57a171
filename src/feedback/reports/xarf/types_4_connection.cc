#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types_4.h"

#include <array>

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kDdos[] = {
    one_of("evidence_source",
           "firewall_logs ids_detection flow_analysis traffic_monitoring honeypot"),
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp icmp sctp")),
    text("attack_vector"),
    whole("peak_pps", 1),
    whole("peak_bps", 1),
    whole("duration_seconds", 1),
    number("amplification_factor", 1),
    needed(time("first_seen")),
    time("last_seen"),
    time("threshold_exceeded"),
    truth("mitigation_applied"),
    one_of("service_impact", "none degraded unavailable"),
};
constexpr XarfRule kAText = text("");
constexpr XarfRule kInfectedHost[] = {
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp")),
    needed(one_of("bot_type",
                  "search_engine ai_agent monitoring seo_analyzer link_checker feed_reader "
                  "social_media advertising malicious unknown")),
    text("bot_name"),
    text("user_agent"),
    one_of("behavior_pattern",
           "legitimate_crawling aggressive_crawling api_abuse form_submission comment_spam "
           "account_creation content_harvesting vulnerability_probing mixed"),
    number("request_rate"),
    whole("total_requests", 1),
    truth("respects_robots_txt"),
    truth("follows_crawl_delay"),
    truth("javascript_execution"),
    truth("accepts_cookies"),
    list("api_endpoints_accessed", kAText),
    one_of("verification_status", "verified unverified spoofed unknown"),
    needed(time("first_seen")),
    time("last_seen"),
};
constexpr XarfRule kLoginAttack[] = {
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp icmp sctp")),
    needed(time("first_seen")),
    time("last_seen"),
};
constexpr XarfRule kReconnaissanceResourceCategories =
    one_of("",
           "environment_files version_control configuration_files backup_files admin_panels "
           "database_files log_files credential_files api_endpoints debug_endpoints other");
constexpr XarfRule kReconnaissanceHttpMethods =
    one_of("", "GET POST HEAD OPTIONS PUT DELETE TRACE CONNECT");
constexpr XarfRule kReconnaissanceResponseCodes = whole("");
constexpr XarfRule kReconnaissance[] = {
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp")),
    needed(list("probed_resources", kAText)),
    list("resource_categories", kReconnaissanceResourceCategories),
    list("http_methods", kReconnaissanceHttpMethods),
    list("response_codes", kReconnaissanceResponseCodes),
    list("successful_probes", kAText),
    text("user_agent"),
    needed(time("first_seen")),
    time("last_seen"),
    whole("total_probes", 1),
    truth("automated_tool"),
};
constexpr XarfRule kScraping[] = {
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp")),
    one_of("scraping_pattern",
           "sequential random targeted sitemap_following api_harvesting deep_crawling "
           "breadth_first depth_first"),
    one_of("target_content",
           "product_data pricing_information user_profiles contact_information news_articles "
           "images documents api_data search_results general_content other"),
    text("user_agent"),
    text("bot_signature"),
    number("request_rate"),
    needed(whole("total_requests", 1)),
    whole("unique_urls", 1),
    whole("data_volume"),
    truth("respects_robots_txt"),
    whole("session_duration"),
    whole("concurrent_connections"),
    needed(time("first_seen")),
    time("last_seen"),
};
constexpr XarfRule kSqlInjection[] = {
    ip("destination_ip"),
    port("destination_port"),
    needed(one_of("protocol", "tcp udp")),
    one_of("http_method", "GET POST PUT DELETE PATCH HEAD OPTIONS"),
    uri("target_url"),
    one_of("injection_point", "query_parameter post_body cookie header path json_parameter"),
    text("payload_sample", 1'000),
    one_of("attack_technique",
           "union_based error_based boolean_blind time_blind stacked_queries out_of_band "
           "second_order other"),
    needed(time("first_seen")),
    time("last_seen"),
    whole("attempts_count", 1),
};
constexpr XarfRule kVulnerabilityScanTargetedPorts = port("");
constexpr XarfRule kVulnerabilityScan[] = {
    ip("destination_ip"),
    needed(one_of("scan_type",
                  "port_scan vulnerability_scan version_detection os_fingerprinting "
                  "service_enumeration web_vuln_scan directory_brute_force mixed")),
    text("scanner_signature"),
    list("targeted_ports", kVulnerabilityScanTargetedPorts),
    list("targeted_services", kAText),
    list("vulnerabilities_probed", kAText),
    number("scan_rate"),
    needed(one_of("protocol", "tcp udp icmp mixed")),
    needed(time("first_seen")),
    time("last_seen"),
    whole("total_requests", 1),
    text("user_agent"),
};

constexpr std::array<XarfType4, 8> kTypes = {{
    {"connection", "ddos", kDdos, XarfType4::Asks::port_of_address},
    {"connection", "infected_host", kInfectedHost},
    {"connection", "login_attack", kLoginAttack, XarfType4::Asks::port_of_address},
    {"connection", "port_scan", kLoginAttack, XarfType4::Asks::port_of_address},
    {"connection", "reconnaissance", kReconnaissance},
    {"connection", "scraping", kScraping},
    {"connection", "sql_injection", kSqlInjection},
    {"connection", "vulnerability_scan", kVulnerabilityScan},
}};

}  // namespace

std::span<const XarfType4> connection_types_4() { return kTypes; }

}  // namespace watchpost::feedback
