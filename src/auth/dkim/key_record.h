#pragma once
#include "crypto/public_key.h"

#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// What is published at SELECTOR._domainkey.DOMAIN (RFC 6376 section 3.6.1, RFC 8463 section 4).
struct KeyRecord {
  // Total; unknown tags are skipped.
  static KeyRecord read(std::string_view text);

  std::string fault;     // why no signature can be verified with it; empty: there is a key
  bool is_key = false;   // it is meant as a DKIM key: not some other text at the same name
  bool revoked = false;  // p= is empty
  bool testing = false;  // t=y
  bool strict = false;   // t=s: the domain of i= is that of d=
  std::optional<crypto::PublicKey> key;
};

}  // namespace watchpost::auth
