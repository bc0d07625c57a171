#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace watchpost::mime {

enum class CharsetKind : uint8_t { ascii, utf8, latin1, windows_1252, utf16, converted, unknown };

// What a charset's name in mail means.
struct Charset {
  CharsetKind kind = CharsetKind::unknown;
  std::string converter;  // ICU's name of it; where kind is `converted`
};

// Any spelling: case, blanks, quotes and the usual punctuation make no difference. Names that mail
// uses for less than it sends (gb2312, ks_c_5601-1987, iso-8859-9) mean what is really sent, as
// browsers read them (WHATWG Encoding, section 4.2).
Charset charset_of(std::string_view name);

}  // namespace watchpost::mime
