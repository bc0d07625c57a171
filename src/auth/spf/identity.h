#pragma once
#include "auth/spf/spf.h"

#include <optional>
#include <string>
#include <string_view>

namespace watchpost::auth {

// The mailbox whose domain is checked (RFC 7208 sections 2.3, 2.4, 4.3): without a local part it is
// "postmaster", without a sender postmaster@HELO.
struct SpfSender {
  std::string local_part;
  std::string domain;  // as it was said
};
SpfSender sender_of(const SpfQuestion& question);

// A-labels in lower case; nothing where it is malformed or a single label (section 4.3).
std::optional<std::string> spf_domain(std::string_view domain);

}  // namespace watchpost::auth
