#pragma once
#include "auth/dmarc/record.h"
#include "base/async.h"
#include "dns/resolver.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::auth {

class PublicSuffixes;

enum class DmarcDiscovery : uint8_t {
  tree_walk,           // RFC 9989 section 4.10
  public_suffix_list,  // RFC 7489 section 3.2, to compare with
};
std::string_view name_of(DmarcDiscovery discovery);  // "treewalk", "psl": as reports have it

// What was found at one name.
enum class DmarcFinding : uint8_t {
  record,
  nothing,  // no such name, no text, or none that is a DMARC record
  several,  // more than one DMARC record: all are discarded (RFC 9989 section 4.10, step 2)
  failed,   // nobody knows
};
std::string_view name_of(DmarcFinding finding);

// One query.
struct DmarcStep {
  std::string domain;  // "example.org"
  std::string name;    // "_dmarc.example.org"
  DmarcFinding finding = DmarcFinding::nothing;
  std::optional<DmarcRecord> record;
  std::string why;            // of `failed`
  bool asked_before = false;  // answered by an earlier step about the same message
};

// From a domain upwards.
struct DmarcWalk {
  std::string start;
  std::string purpose;  // "policy", "author", "spf", "dkim": what it was made for
  std::vector<DmarcStep> steps;
  bool complete = true;        // no step failed
  std::string organizational;  // RFC 9989 section 4.10.2; empty where it was not looked for
  std::string stopped_by;      // "psd=n", "psd=y", a record, the root: in words
};

inline constexpr size_t kMostDmarcQueries = 8;  // of one walk

// The names that a whole walk from `domain` asks for, the domain itself first; eight at most
// (RFC 9989 section 4.10, steps 3 to 7). Pure.
std::vector<std::string> walk_targets(std::string_view domain);

// The organisational domain by what was found at the names of a whole walk, in its order
// (RFC 9989 section 4.10.2). Pure.
std::string organizational_domain(std::string_view start, const std::vector<DmarcStep>& steps);

}  // namespace watchpost::auth
