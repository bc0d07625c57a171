#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// What a domain asks for mail that fails (RFC 9989 section 4.7, p). Weaker ones first.
enum class DmarcRequest : uint8_t { none, quarantine, reject };
std::string_view name_of(DmarcRequest request);
DmarcRequest one_weaker(DmarcRequest request);  // t=y: reject -> quarantine -> none

enum class PublicSuffixFlag : uint8_t { unsaid, yes, no };  // psd=u, y, n

// A DMARC policy record (RFC 9989 section 4.7). What is wrong with a tag makes it absent and stands
// in `defects`; unknown tags are left out.
struct DmarcRecord {
  std::string text;  // as it was found
  std::optional<DmarcRequest> p, sp, np;
  // p is missing or one of p, sp, np is wrong: with somebody to report to it counts as p=none,
  // without it as no policy at all (section 4.10.1).
  bool request_is_broken = false;
  bool strict_dkim = false, strict_spf = false;  // adkim=s, aspf=s
  PublicSuffixFlag psd = PublicSuffixFlag::unsaid;
  bool testing = false;               // t=y
  std::vector<std::string> rua, ruf;  // URIs with a scheme, an obsolete "!10m" cut off
  std::string fo = "0";
  std::optional<uint32_t> pct;        // of RFC 7489: shown, without effect
  std::vector<std::string> historic;  // of RFC 7489 and without effect: pct, rf, ri
  std::vector<std::string> defects;   // for people: "sp=maybe is no policy"

  bool has_policy() const { return !request_is_broken || !rua.empty(); }
  // What it asks for the domain itself, for names below that exist, for those that do not.
  DmarcRequest for_domain() const;
  DmarcRequest for_subdomain() const;
  DmarcRequest for_missing_subdomain() const;
};

inline constexpr size_t kLongestDmarcRecord = 4096;  // bytes; longer ones are no record

// Nothing where the text is none: "v=DMARC1" does not stand first. Pure and total.
std::optional<DmarcRecord> parse_dmarc_record(std::string_view text);

}  // namespace watchpost::auth
