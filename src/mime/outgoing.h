#pragma once
#include <string>
#include <string_view>

namespace watchpost::mime {

// What mail that we write ourselves is made of. Pure and total: whatever a text holds, it stays in
// its place, in lines of ASCII that are short enough.

// For a Subject: as it is where it is short ASCII, else as encoded words on lines of at most 76
// bytes (RFC 2047 section 2), none of which splits a character.
std::string subject_text(std::string_view subject);

// A body of text/plain in UTF-8 with `Content-Transfer-Encoding: quoted-printable` (RFC 2045
// section 6.7); lines of `text` end in LF.
std::string quoted_printable_body(std::string_view text);

// An addr-spec of ASCII without comments, quotes or blanks: what stands in a header as it is.
bool is_plain_address(std::string_view address);

}  // namespace watchpost::mime
