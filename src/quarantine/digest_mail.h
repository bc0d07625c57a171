#pragma once
#include "base/time.h"
#include "quarantine/held.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost::quarantine {

// What a recipient is told of.
struct DigestContent {
  std::string recipient;             // a plain address
  std::vector<HeldMessage> offered;  // newest first
  bool more = false;                 // there are more than these
  size_t certain = 0;                // others, that are never offered
};
struct DigestForm {
  std::string from;    // [quarantine] digest_from
  std::string link;    // digest_link; empty: none stand in it
  std::string secret;  // of the links
  Time at;             // when it is written
  Time links_until;
};

inline constexpr size_t kMostInDigest = 50;

// The whole mail (RFC 5322): plain text of ASCII, whatever those who wrote the held mail have put
// into their subjects and addresses; nothing of theirs is a link. Pure.
std::string digest_mail(const DigestForm& form, const DigestContent& content);

// As programs that show mail make no link of it: "shop[.]example", "https[:]//". For people. Pure.
std::string defanged(std::string_view text);

}  // namespace watchpost::quarantine
