#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace watchpost::mime {

struct Utf8Text {
  std::string text;   // valid UTF-8; U+FFFD stands for bytes that the charset does not have
  bool known = true;  // the charset is one we know; else read as UTF-8 or windows-1252
  bool clean = true;  // no byte had to be replaced
  bool whole = true;  // it was not cut at `most`
};

// `charset` in any case and spelling that mail has ("utf8", "ks_c_5601-1987", "x-sjis"); empty is
// US-ASCII, and 8-bit bytes in it are taken for UTF-8 where they are, else for windows-1252. At
// most `most` bytes come out.
Utf8Text to_utf8(std::string_view bytes, std::string_view charset, size_t most);

bool is_utf8(std::string_view bytes);

}  // namespace watchpost::mime
