#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/formats.h"
#include "feedback/reports/xarf/types_4.h"

#include <array>

namespace watchpost::feedback {
namespace {

using namespace xarf;

constexpr XarfRule kAText = text("");
constexpr XarfRule kContentDnsRecordsA = formed("", "an IPv4 address", is_ipv4);
constexpr XarfRule kContentDnsRecordsAaaa = formed("", "an IPv6 address", is_ipv6);
constexpr XarfRule kContentDnsRecords[] = {
    list("a", kContentDnsRecordsA),
    list("aaaa", kContentDnsRecordsAaaa),
    list("mx", kAText),
    list("txt", kAText),
};
constexpr XarfRule kContentSslCertificate[] = {
    text("issuer"), text("subject"), time("valid_from"), time("valid_to"), text("fingerprint"),
};
constexpr XarfRule kContentWhois[] = {
    text("registrant"),
    time("created_date"),
    time("updated_date"),
    time("expiry_date"),
    email("registrar_abuse_contact"),
};
constexpr XarfRule kContentDnsResponse[] = {
    time("query_time"),
    truth("authoritative"),
    one_of("response_code", "NOERROR NXDOMAIN SERVFAIL REFUSED"),
};
constexpr XarfRule kContent[] = {
    needed(uri("url")),
    formed("domain", "a domain", is_small_domain),
    text("registrar"),
    list("nameservers", kAText),
    object("dns_records", kContentDnsRecords),
    uri("screenshot_url"),
    time("verified_at"),
    one_of("verification_method",
           "manual automated_crawler user_report honeypot threat_intelligence"),
    one_of("attack_vector",
           "phishing malware fraud brand_infringement copyright_infringement data_leak "
           "remote_compromise suspicious_registration"),
    text("target_brand"),
    text("hosting_provider"),
    whole("asn", 1, 4'294'967'295),
    formed("country_code", "a country", is_country),
    object("ssl_certificate", kContentSslCertificate),
    object("whois", kContentWhois),
    object("dns_response", kContentDnsResponse),
};
constexpr XarfRule kBrandInfringementTrademarkDetailsCategory = whole("", 1, 45);
constexpr XarfRule kBrandInfringementTrademarkDetails[] = {
    text("registration_number"),
    text("jurisdiction"),
    list("category", kBrandInfringementTrademarkDetailsCategory),
};
constexpr XarfRule kBrandInfringementInfringingElements =
    one_of("", "logo brand_name tagline color_scheme layout product_images domain_name other");
constexpr XarfRule kBrandInfringementPreviousEnforcementItem[] = {
    formed("date", "a date", is_date),
    one_of("action", "cease_desist takedown_notice domain_dispute legal_action other"),
    text("result"),
};
constexpr XarfRule kBrandInfringementPreviousEnforcement =
    object("", kBrandInfringementPreviousEnforcementItem);
constexpr XarfRule kBrandInfringement[] = {
    needed(one_of("infringement_type",
                  "counterfeit typosquatting lookalike homograph unauthorized_reseller "
                  "trademark_violation brand_impersonation logo_misuse other")),
    needed(uri("legitimate_site")),
    number("similarity_score", 0, 1),
    object("trademark_details", kBrandInfringementTrademarkDetails),
    list("infringing_elements", kBrandInfringementInfringingElements),
    list("products_offered", kAText),
    list("previous_enforcement", kBrandInfringementPreviousEnforcement),
};
constexpr XarfRule kCsamHashValues[] = {
    formed("md5", "an MD5 digest", is_md5),
    formed("sha1", "a SHA-1 digest", is_sha1),
    formed("sha256", "a SHA-256 digest", is_sha256),
    text("photodna"),
};
constexpr XarfRule kCsam[] = {
    needed(one_of("classification", "baseline A1 A2 B1 B2")),
    one_of("media_type", "image video audio text mixed"),
    needed(one_of("detection_method",
                  "hash_match ai_detection manual_review user_report automated_scan")),
    object("hash_values", kCsamHashValues),
    text("ncmec_report_id"),
    truth("content_removed"),
    truth("account_suspended"),
};
constexpr XarfRule kCsemEvidenceType = one_of("", "chat_logs images videos user_profile metadata");
constexpr XarfRule kCsemPerpetratorIndicators[] = {
    text("account_id"),
    list("ip_addresses", kContentDnsRecordsA),
    text("pattern_of_behavior"),
};
constexpr XarfRule kCsemReportingObligations =
    one_of("", "NCMEC IWF local_law_enforcement europol interpol platform_safety_team other");
constexpr XarfRule kCsem[] = {
    needed(
        one_of("exploitation_type",
               "grooming solicitation sextortion trafficking distribution production possession")),
    one_of("victim_age_range", "infant toddler prepubescent pubescent unknown"),
    one_of("platform", "social_media messaging_app gaming_platform forum email darkweb other"),
    needed(one_of("detection_method",
                  "behavioral_analysis keyword_detection user_report ai_detection manual_review "
                  "law_enforcement_referral")),
    list("evidence_type", kCsemEvidenceType),
    object("perpetrator_indicators", kCsemPerpetratorIndicators),
    list("reporting_obligations", kCsemReportingObligations),
};
constexpr XarfRule kExposedDataDataTypes =
    one_of("",
           "personal_information credentials financial medical government_id email_addresses "
           "phone_numbers api_keys database_dumps source_code internal_documents customer_data "
           "employee_data intellectual_property other");
constexpr XarfRule kExposedDataSampleRecordsItem[] = {
    text("description"),
    text("redacted_sample"),
};
constexpr XarfRule kExposedDataSampleRecords = object("", kExposedDataSampleRecordsItem);
constexpr XarfRule kExposedData[] = {
    needed(list("data_types", kExposedDataDataTypes, 1)),
    needed(one_of(
        "exposure_method",
        "misconfigured_server open_directory database_exposure git_repository backup_file log_file "
        "cloud_storage paste_site forum_post ransomware_leak intentional_leak other")),
    whole("record_count", 0),
    text("affected_organization"),
    one_of("data_format", "plaintext csv json xml sql excel pdf mixed other"),
    list("sensitive_fields", kAText),
    one_of("encryption_status", "unencrypted encrypted partially_encrypted hashed unknown"),
    one_of("accessibility", "public requires_authentication requires_payment dark_web removed"),
    one_of("discovery_source",
           "security_researcher automated_scan breach_monitoring user_report law_enforcement "
           "threat_intelligence other"),
    list("sample_records", kExposedDataSampleRecords, 0, 5),
};
constexpr XarfRule kFraudPaymentMethods =
    one_of("",
           "credit_card bank_transfer cryptocurrency gift_cards wire_transfer paypal western_union "
           "moneygram cashapp venmo other");
constexpr XarfRule kFraudCryptocurrencyAddressesItem[] = {
    needed(one_of("currency", "bitcoin ethereum usdt bnb monero other")),
    needed(text("address")),
};
constexpr XarfRule kFraudCryptocurrencyAddresses = object("", kFraudCryptocurrencyAddressesItem);
constexpr XarfRule kFraudLossAmount[] = {
    formed("currency", "a currency", is_currency),
    number("amount", 0),
};
constexpr XarfRule kFraud[] = {
    needed(one_of("fraud_type",
                  "investment romance tech_support lottery advance_fee cryptocurrency shopping "
                  "charity employment government_impersonation other")),
    list("payment_methods", kFraudPaymentMethods),
    list("cryptocurrency_addresses", kFraudCryptocurrencyAddresses),
    text("claimed_entity"),
    object("loss_amount", kFraudLossAmount),
};
constexpr XarfRule kMalwareFileHashes[] = {
    formed("md5", "an MD5 digest", is_md5),
    formed("sha1", "a SHA-1 digest", is_sha1),
    formed("sha256", "a SHA-256 digest", is_sha256),
    text("ssdeep"),
};
constexpr XarfRule kMalwareFileMetadata[] = {
    text("filename"),
    whole("file_size", 0),
    text("file_type"),
    text("mime_type"),
};
constexpr XarfRule kMalwareC2ServersItem[] = {
    text("address"),
    port("port"),
    one_of("protocol", "http https tcp udp dns other"),
};
constexpr XarfRule kMalwareC2Servers = object("", kMalwareC2ServersItem);
constexpr XarfRule kMalwareSandboxAnalysis[] = {
    text("sandbox_name"),
    uri("analysis_url"),
    one_of("verdict", "malicious suspicious clean unknown"),
    number("score", 0, 100),
};
constexpr XarfRule kMalwareExploitCve = formed("", "a CVE number", is_cve);
constexpr XarfRule kMalwarePersistenceMechanism =
    one_of("", "registry scheduled_task service startup_folder dll_hijacking wmi other");
constexpr XarfRule kMalwareTargetedPlatforms =
    one_of("", "windows linux macos android ios multi_platform");
constexpr XarfRule kMalware[] = {
    text("malware_family"),
    one_of("malware_type",
           "trojan ransomware dropper loader backdoor rootkit infostealer banking_trojan "
           "cryptominer adware spyware worm bot rat other"),
    object("file_hashes", kMalwareFileHashes),
    object("file_metadata", kMalwareFileMetadata),
    one_of("distribution_method",
           "direct_download drive_by_download email_attachment malvertising exploit_kit "
           "watering_hole supply_chain social_engineering other"),
    list("c2_servers", kMalwareC2Servers),
    object("sandbox_analysis", kMalwareSandboxAnalysis),
    list("exploit_cve", kMalwareExploitCve),
    list("persistence_mechanism", kMalwarePersistenceMechanism),
    list("targeted_platforms", kMalwareTargetedPlatforms),
};
constexpr XarfRule kAUri = uri("");
constexpr XarfRule kPhishingDetectionEvasion =
    one_of("",
           "geo_blocking user_agent_filtering referrer_checking captcha time_based_display "
           "ip_blacklisting obfuscation other");
constexpr XarfRule kPhishing[] = {
    list("credential_fields", kAText),
    text("phishing_kit"),
    list("redirect_chain", kAUri),
    uri("submission_url"),
    uri("cloned_site"),
    list("detection_evasion", kPhishingDetectionEvasion),
    one_of("lure_type",
           "account_suspension security_alert payment_issue prize_notification document_share "
           "password_reset shipping_notification tax_refund other"),
};
constexpr XarfRule kRemoteCompromiseCompromiseIndicatorsItem[] = {
    needed(one_of(
        "type",
        "file_path process network_connection user_account scheduled_task registry_key service")),
    needed(text("value")),
    text("description"),
};
constexpr XarfRule kRemoteCompromiseCompromiseIndicators =
    object("", kRemoteCompromiseCompromiseIndicatorsItem);
constexpr XarfRule kRemoteCompromiseWebshellDetailsCapabilities =
    one_of("",
           "file_manager command_execution database_access network_scanning privilege_escalation "
           "persistence other");
constexpr XarfRule kRemoteCompromiseWebshellDetails[] = {
    text("family"),
    list("capabilities", kRemoteCompromiseWebshellDetailsCapabilities),
    truth("password_protected"),
};
constexpr XarfRule kRemoteCompromiseVulnerabilityExploited[] = {
    formed("cve", "a CVE number", is_cve),
    text("description"),
    text("component"),
};
constexpr XarfRule kRemoteCompromisePersistenceMechanisms =
    one_of("",
           "cron_job modified_core_files hidden_admin_account autoload_backdoor "
           "htaccess_modification database_backdoor other");
constexpr XarfRule kRemoteCompromiseMaliciousActivities =
    one_of("",
           "spam_sending ddos_attacks cryptocurrency_mining data_exfiltration lateral_movement "
           "hosting_malware hosting_phishing scanning other");
constexpr XarfRule kRemoteCompromise[] = {
    needed(one_of("compromise_type",
                  "webshell backdoor defacement malicious_redirect seo_spam cryptominer "
                  "phishing_kit malware_host c2_server proxy scanner other")),
    list("compromise_indicators", kRemoteCompromiseCompromiseIndicators),
    object("webshell_details", kRemoteCompromiseWebshellDetails),
    one_of("affected_cms",
           "wordpress joomla drupal magento prestashop opencart custom unknown other"),
    object("vulnerability_exploited", kRemoteCompromiseVulnerabilityExploited),
    list("persistence_mechanisms", kRemoteCompromisePersistenceMechanisms),
    list("malicious_activities", kRemoteCompromiseMaliciousActivities),
    one_of("cleanup_status", "not_cleaned partially_cleaned cleaned reinfected unknown"),
};
constexpr XarfRule kSuspiciousRegistrationSuspiciousIndicators =
    one_of("",
           "typosquatting homograph_attack brand_keyword suspicious_tld bulk_registration "
           "privacy_protection suspicious_registrant fast_flux dga_pattern known_bad_nameserver "
           "suspicious_ssl_cert immediate_activation parked_page other");
constexpr XarfRule kSuspiciousRegistrationRegistrantDetails[] = {
    text("email_domain"),
    formed("country", "a country", is_country),
    truth("privacy_protected"),
    whole("bulk_registrations"),
};
constexpr XarfRule kSuspiciousRegistrationRelatedDomainsItem[] = {
    text("domain"),
    one_of("relationship",
           "same_registrant same_nameserver same_ip same_ssl_cert similar_pattern same_campaign"),
};
constexpr XarfRule kSuspiciousRegistrationRelatedDomains =
    object("", kSuspiciousRegistrationRelatedDomainsItem);
constexpr XarfRule kSuspiciousRegistrationPredictedUsage =
    one_of("", "phishing malware spam fraud brand_abuse botnet_c2 unknown");
constexpr XarfRule kSuspiciousRegistrationSslCertificateDetails[] = {
    truth("issued_immediately"),
    truth("free_certificate"),
    truth("wildcard"),
};
constexpr XarfRule kSuspiciousRegistrationActivationBehavior[] = {
    whole("time_to_activation"),
    one_of("initial_content",
           "parked under_construction immediate_malicious cloned_site blank other"),
};
constexpr XarfRule kSuspiciousRegistration[] = {
    needed(time("registration_date")),
    whole("days_since_registration", 0),
    needed(list("suspicious_indicators", kSuspiciousRegistrationSuspiciousIndicators, 1)),
    number("risk_score", 0, 1),
    list("targeted_brands", kAText),
    object("registrant_details", kSuspiciousRegistrationRegistrantDetails),
    list("related_domains", kSuspiciousRegistrationRelatedDomains, 0, 20),
    list("predicted_usage", kSuspiciousRegistrationPredictedUsage),
    object("ssl_certificate_details", kSuspiciousRegistrationSslCertificateDetails),
    object("activation_behavior", kSuspiciousRegistrationActivationBehavior),
};

constexpr std::array<XarfType4, 9> kTypes = {{
    {"content", "brand_infringement", kBrandInfringement},
    {"content", "csam", kCsam},
    {"content", "csem", kCsem},
    {"content", "exposed_data", kExposedData},
    {"content", "fraud", kFraud},
    {"content", "malware", kMalware},
    {"content", "phishing", kPhishing},
    {"content", "remote_compromise", kRemoteCompromise},
    {"content", "suspicious_registration", kSuspiciousRegistration},
}};

}  // namespace

std::span<const XarfType4> content_types_4() { return kTypes; }
std::span<const XarfRule> any_content_4() { return kContent; }

}  // namespace watchpost::feedback
