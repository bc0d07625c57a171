#pragma once
#include "feedback/reports/complaint_text.h"
#include "feedback/reports/xarf/rules.h"

#include <string_view>

namespace watchpost::feedback {

// The forms of texts that XARF asks for. Pure and total.
bool is_email(std::string_view text);      // something@something, without blanks
bool is_no_email(std::string_view text);   // an account's name, which is given elsewhere if it is
bool is_host_name(std::string_view text);  // RFC 1123 section 2.1
bool is_uri(std::string_view text);        // RFC 3986: a scheme, and only characters of URIs
bool is_date_time(std::string_view text);  // RFC 3339
bool is_date(std::string_view text);       // RFC 3339 full-date
bool is_uuid(std::string_view text);       // RFC 9562
bool is_version_4(std::string_view text);  // "4.1.0"
bool is_cve(std::string_view text);        // "CVE-2021-44228"
bool is_cvss_2(std::string_view text);     // a vector, with or without brackets
bool is_cvss_3(std::string_view text);     // a vector of 3.0 or 3.1
bool is_cvss_3_prefix(std::string_view text);  // begins as one
bool is_digest(std::string_view text);         // "sha256:0a1b..."; md5, sha1, sha256, sha512
bool is_md5(std::string_view text);
bool is_sha1(std::string_view text);
bool is_sha256(std::string_view text);
bool is_tag(std::string_view text);           // "name:value", small letters
bool is_language(std::string_view text);      // "en", "en-GB"
bool is_country(std::string_view text);       // "DE"
bool is_currency(std::string_view text);      // "EUR"
bool is_small_domain(std::string_view text);  // a domain in small letters, with a dot
bool is_magnet(std::string_view text);        // "magnet:?xt=urn:..."

// Rules of these forms.
namespace xarf {
constexpr XarfRule email(std::string_view name) {
  return formed(name, "an e-mail address", is_email);
}
constexpr XarfRule host(std::string_view name) { return formed(name, "a host name", is_host_name); }
constexpr XarfRule uri(std::string_view name) { return formed(name, "a URI", is_uri); }
constexpr XarfRule time(std::string_view name) {
  return formed(name, "a date and time as in RFC 3339", is_date_time);
}
constexpr XarfRule ip(std::string_view name) { return formed(name, "an IP address", is_ip); }
constexpr XarfRule port(std::string_view name, double least = 1) {
  return whole(name, least, 65'535);
}
}  // namespace xarf

}  // namespace watchpost::feedback
