#pragma once
#include <string>
#include <string_view>

namespace watchpost {

// What two ways of writing one mailbox come to; empty where it is no address. Pure and total.
//   Local:  a dot-string (RFC 5321 section 4.1.2; its dots may stand anywhere, as some providers
//           have them) or a quoted string, which loses its quotes where it needs none; valid UTF-8
//           (RFC 6531) without control bytes; in lower case and composed (NFC) by Unicode, as no
//           provider of note tells local parts apart by case.
//   Domain: a name of letters, digits, hyphens and underscores, in lower case with A-labels.
//           Address literals are none.
//   All:    at most 320 bytes; angle brackets around it and a dot behind it do not count.
//   Why:    it is asked for each recipient that is looked up: ASCII without quotes takes one pass.
std::string mail_address_key(std::string_view address);

}  // namespace watchpost
