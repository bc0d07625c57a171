#pragma once
#include "base/async.h"
#include "base/ip_address.h"
#include "base/time.h"
#include "dns/resolver.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

// RFC 7208 section 2.6, by the names of RFC 8601 section 2.7.2.
enum class SpfResult : uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };
std::string_view name_of(SpfResult result);

// Whose word is checked. A pass of the one is never a pass of the other (reliability C2).
enum class SpfIdentity : uint8_t { mail_from, helo };
std::string_view name_of(SpfIdentity identity);  // "mailfrom", "helo": properties of type smtp

struct SpfQuestion {
  IpAddress ip;           // who delivers; IPv4-mapped IPv6 counts as IPv4 (RFC 7208 section 5)
  std::string helo;       // as it was said
  std::string mail_from;  // without angle brackets; empty: the null sender, then the MAIL FROM
                          // identity is postmaster@HELO (RFC 7208 section 2.4)
  std::string receiver;   // our own host name, for %{r}; empty: "unknown"
  SpfIdentity identity = SpfIdentity::mail_from;
  Time now;  // for %{t}
};

// What the domain says about the client. Immutable.
struct SpfVerdict {
  SpfResult result = SpfResult::none;
  // False: nobody was asked, since the client's address is not known or it has logged in. Then the
  // result is `none` and says nothing.
  bool asked = true;
  SpfIdentity identity = SpfIdentity::mail_from;
  std::string domain;      // that was asked about, A-labels; empty where the identity has none
  std::string decided_at;  // the domain whose record decided; another one after `redirect`
  std::string record;      // the text of that record; empty where there is none
  std::string mechanism;   // the term of it that decided, as written: "include:_spf.example.org";
                           // empty where none did
  std::vector<std::string> within;  // the terms that matched within included records, outer first
  uint32_t look_ups = 0;            // terms with look-ups, of 10 (RFC 7208 section 4.6.4)
  uint32_t void_look_ups = 0;       // look-ups without an answer, of 2
  std::string explanation;  // of a fail, in the domain's own words: printable ASCII, else empty
  std::string why;          // one sentence
};

inline constexpr uint32_t kMostSpfLookUps = 10;
inline constexpr uint32_t kMostSpfVoidLookUps = 2;
inline constexpr size_t kMostSpfMailExchanges = 10;  // of one mx term; more are permerror
inline constexpr size_t kMostSpfPointerNames = 10;   // of one ptr term; more are left out
inline constexpr size_t kLongestSpfRecord = 65536;   // bytes; a longer one is permerror

// check_host() of RFC 7208 section 4. Total: hostile questions and records give a verdict. The
// limits are counted where each look-up is made, of terms, %{p} and records of includes alike
// (reliability C12). `resolver` and `budget` outlive the wait.
Async<SpfVerdict> check_spf(SpfQuestion question, dns::Resolver& resolver, dns::Budget& budget);

}  // namespace watchpost::auth
