#pragma once
#include "base/result.h"
#include "base/time.h"
#include "quarantine/held.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::quarantine {

// A link by which a recipient asks for its copy of a held message. Whoever holds it can do nothing
// else: it only asks, once (Quarantine::request), for one copy, for a time.
//   Form: base64url of version, id, hash of the recipient, end, and their HMAC-SHA256; 98 letters,
//         and one way only to write each.
inline constexpr size_t kLinkLetters = 98;

struct RequestLink {
  HeldId id;
  std::array<unsigned char, 16> recipient;  // its hash: addresses do not stand in links
  Time until;                               // whole seconds
};

// `secret`: Quarantine::link_secret(). Pure, as all of this.
std::string make_link_token(std::string_view secret, const HeldId& id, std::string_view recipient,
                            Time until);
// Total. Fails with refused, in words that the holder of the link can be shown: it was not made
// here, or its time is over.
Result<RequestLink> read_link_token(std::string_view secret, std::string_view token, Time now);
// Whose copy it is about; as it stands there. None: it is not there any more.
std::optional<std::string> recipient_of(const RequestLink& link, const HeldMessage& message);

}  // namespace watchpost::quarantine
