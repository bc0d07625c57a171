#pragma once
#include "mime/defect.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchpost::mime {

// How the bytes of a part are packed (RFC 2045 section 6).
enum class Encoding : uint8_t { identity, base64, quoted_printable, uuencode };
std::string_view name_of(Encoding encoding);  // "quoted-printable"

// What the body of a Content-Transfer-Encoding field means, comments and blanks aside; nothing
// where it is no encoding that we know.
std::optional<Encoding> read_encoding(std::string_view field_body);

// The bytes packed, at most `most` of them. Lenient as mail programs are: what is no base64 is
// skipped, a broken "=XY" stands for itself; each with a finding. Base64 goes on behind its
// padding, as some readers do: what those would show must not be hidden from us. Of uuencode all
// files between "begin" and "end" come out, one behind the other; what has none comes as it is.
std::string decoded(std::string_view body, Encoding encoding, size_t begin, size_t most,
                    Findings& findings);
std::string decoded(std::string_view body, Encoding encoding, size_t most);

}  // namespace watchpost::mime
