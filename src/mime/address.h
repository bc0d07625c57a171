#pragma once
#include "mime/defect.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::mime {

// One mailbox (RFC 5322 section 3.4, RFC 6531 for addresses beyond ASCII).
struct Address {
  std::string name;    // as a person reads it: quotes undone, encoded words decoded, valid UTF-8
  std::string local;   // quotes undone
  std::string domain;  // as written; "[192.0.2.1]" for a literal; empty where there is none
  std::string group;   // of the group it stands in; empty: none
  // "local@domain", the local part quoted where it has to be; empty where there is no address.
  std::string text() const;
  bool operator==(const Address&) const = default;
};

inline constexpr size_t kMostAddresses = 10'000;

// The addresses of a field body, folds and comments and all. Lenient: what cannot be an address is
// a finding, and whatever comes behind the next comma is still read. Routes ("<@a,@b:c@d>") and
// dots in wrong places are taken as they are meant.
std::vector<Address> read_addresses(std::string_view body, size_t begin, Findings& findings);
// Without findings.
std::vector<Address> read_addresses(std::string_view body);
// The first one that has a domain.
std::optional<Address> first_address(std::string_view body);

}  // namespace watchpost::mime
