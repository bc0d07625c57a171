#pragma once
#include "auth/spf/macro.h"
#include "auth/spf/spf.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

enum class SpfMechanism : uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };
std::string_view name_of(SpfMechanism mechanism);

// A directive: a qualifier and a mechanism (RFC 7208 section 4.6.1).
struct SpfTerm {
  SpfMechanism mechanism = SpfMechanism::all;
  SpfResult qualifier = SpfResult::pass;  // what the record says where it matches
  std::string text;                       // as written
  std::optional<SpfMacroString> domain;   // none: the domain that is being checked
  IpAddress network;                      // of ip4, ip6
  int prefix4 = 32, prefix6 = 128;        // of a, mx, ip4, ip6

  // Whether it is one of the terms of which there may be ten (section 4.6.4).
  bool looks_up() const {
    return mechanism != SpfMechanism::all && mechanism != SpfMechanism::ip4 &&
           mechanism != SpfMechanism::ip6;
  }
};

struct SpfRecord {
  std::string text;
  std::vector<SpfTerm> terms;
  std::optional<SpfMacroString> redirect, explanation;
  bool has_all = false;  // then `redirect` has no effect (section 6.1)
};

// Whether a TXT record is one of SPF: its version section is "v=spf1" (section 4.5).
bool is_spf_record(std::string_view text);

// A record that is_spf_record(), read whole before anything of it is used (section 4.6). On failure
// what is wrong with which term. Pure and total.
std::expected<SpfRecord, std::string> parse_spf_record(std::string_view text);

}  // namespace watchpost::auth
