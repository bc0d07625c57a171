#include "mime/charset.h"

#include "mime/charset_names.h"
#include "mime/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

namespace watchpost::mime {
namespace {

// 0x80 to 0x9F of windows-1252; 0 where it has no character.
constexpr std::array<uint16_t, 32> kWindows1252{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

// Whether `piece` still fits under `most`; if not, the text is not whole.
bool fits(Utf8Text& out, size_t piece, size_t most) {
  if (out.text.size() + piece <= most) return true;
  out.whole = false;
  return false;
}

// Appends the ASCII that begins at `at`, and returns the place behind it.
size_t take_ascii(Utf8Text& out, std::string_view bytes, size_t at, size_t most) {
  const size_t run = ascii_prefix(bytes.substr(at));
  const size_t room = most - std::min(most, out.text.size());
  out.text.append(bytes.substr(at, std::min(run, room)));
  if (run > room) out.whole = false;
  return at + run;
}

void from_utf8(Utf8Text& out, std::string_view bytes, size_t most) {
  out.text.reserve(std::min(bytes.size(), most));
  for (size_t at = 0; at < bytes.size() && out.whole;) {
    const size_t run = valid_utf8_prefix(bytes.substr(at));
    const size_t room = most - out.text.size();
    out.text.append(bytes.substr(at, std::min(run, room)));
    if (run > room) {
      out.whole = false;
      drop_cut_character(out.text);
      return;
    }
    at += run;
    if (at == bytes.size()) return;
    out.clean = false;
    if (!fits(out, kReplacement.size(), most)) return;
    out.text += kReplacement;
    at += utf8_step(bytes, at).length;
  }
}

// ISO-8859-1 is read as windows-1252, as every mail program does; what neither has are the control
// characters of ISO-8859-1.
void from_windows_1252(Utf8Text& out, std::string_view bytes, size_t most, bool latin1) {
  out.text.reserve(std::min(bytes.size() + bytes.size() / 4, most));
  for (size_t at = take_ascii(out, bytes, 0, most); at < bytes.size() && out.whole;) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (!fits(out, byte < 0xA0 ? 3 : 2, most)) return;
    const uint32_t code = byte < 0xA0 ? kWindows1252[byte - 0x80u] : byte;
    if (code == 0 && !latin1) out.clean = false;
    append_utf8(out.text, code != 0 ? code : latin1 ? byte : 0xFFFD);
    if (at < bytes.size()) at = take_ascii(out, bytes, at, most);
  }
}

void from_unnamed(Utf8Text& out, std::string_view bytes, size_t most) {
  if (is_utf8(bytes)) {
    from_utf8(out, bytes, most);
  } else {
    from_windows_1252(out, bytes, most, false);
  }
}

// UTF-16 without a byte order mark: text is mostly of one page, so the zero bytes (or those that
// repeat) tell; big-endian where nothing does (RFC 2781 section 4.3).
const char* utf16_order(std::string_view bytes) {
  if (bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE")) return "UTF-16";
  size_t zeros[2] = {0, 0};
  for (size_t i = 0; i < std::min<size_t>(bytes.size(), 1024); ++i) {
    zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
  }
  return zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE";
}

// What ICU calls for bytes that the charset does not have: each becomes U+FFFD, and is remembered.
void replace_byte(const void* context, UConverterToUnicodeArgs* args, const char*, int32_t,
                  UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;  // opened, reset or closed
  *static_cast<bool*>(const_cast<void*>(context)) = false;
  *error = U_ZERO_ERROR;
  const UChar replacement = 0xFFFD;
  ucnv_cbToUWriteUChars(args, &replacement, 1, 0, error);
}

// Whether ASCII means itself in the charset of that name (ICU's), whatever stands before it.
bool keeps_ascii(std::string_view name) {
  constexpr std::array<std::string_view, 6> kFamilies{"windows-", "ISO-8859-", "KOI8-",
                                                      "gb18030",  "EUC-",      "Big5"};
  return std::ranges::any_of(kFamilies,
                             [&](std::string_view family) { return name.starts_with(family); });
}

struct Close {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, Close>;

Converter open(const char* name) {
  UErrorCode error = U_ZERO_ERROR;
  Converter converter(ucnv_open(name, &error));
  return U_SUCCESS(error) ? std::move(converter) : nullptr;
}

// UTF-16 in pieces, a pair of surrogates perhaps in two of them, into UTF-8.
class Utf16Reader {
 public:
  Utf16Reader(Utf8Text& out, size_t most) : out_(out), most_(most) {}
  // False where no more fits.
  bool take(const UChar* begin, const UChar* end) {
    for (const UChar* unit = begin; unit != end; ++unit) {
      if (!take(*unit)) return false;
    }
    return true;
  }
  void finish() {
    if (high_ != 0) lone();
  }

 private:
  bool take(uint32_t unit) {
    if (unit >= 0xDC00 && unit < 0xE000 && high_ != 0) {
      const uint32_t code = 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00);
      high_ = 0;
      return put(code);
    }
    if (high_ != 0 && !lone()) return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
      high_ = unit;
      return true;
    }
    return unit >= 0xDC00 && unit < 0xE000 ? lone() : put(unit);
  }
  bool lone() {
    high_ = 0;
    out_.clean = false;
    return put(0xFFFD);
  }
  bool put(uint32_t code) {
    if (!fits(out_, code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, most_)) {
      return false;
    }
    append_utf8(out_.text, code);
    return true;
  }

  Utf8Text& out_;
  size_t most_;
  uint32_t high_ = 0;
};

void from_converter(Utf8Text& out, UConverter* converter, std::string_view bytes, size_t most) {
  UErrorCode error = U_ZERO_ERROR;
  ucnv_setToUCallBack(converter, replace_byte, &out.clean, nullptr, nullptr, &error);
  std::array<UChar, 1024> units;
  Utf16Reader reader(out, most);
  const char* from = bytes.data();
  const char* const end = from + bytes.size();
  do {
    error = U_ZERO_ERROR;
    UChar* to = units.data();
    ucnv_toUnicode(converter, &to, units.data() + units.size(), &from, end, nullptr, 1, &error);
    if (!reader.take(units.data(), to)) return;
  } while (error == U_BUFFER_OVERFLOW_ERROR);
  if (U_FAILURE(error)) out.clean = false;
  reader.finish();
}

}  // namespace

bool is_utf8(std::string_view bytes) { return valid_utf8_prefix(bytes) == bytes.size(); }

Utf8Text to_utf8(std::string_view bytes, std::string_view charset, size_t most) {
  Utf8Text out;
  const Charset read_as = charset_of(charset);
  switch (read_as.kind) {
    case CharsetKind::ascii: from_unnamed(out, bytes, most); return out;
    case CharsetKind::utf8: from_utf8(out, bytes, most); return out;
    case CharsetKind::latin1: from_windows_1252(out, bytes, most, true); return out;
    case CharsetKind::windows_1252: from_windows_1252(out, bytes, most, false); return out;
    case CharsetKind::utf16:
    case CharsetKind::converted: break;
    case CharsetKind::unknown:
      out.known = false;
      from_unnamed(out, bytes, most);
      return out;
  }
  const bool utf16 = read_as.kind == CharsetKind::utf16;
  if (!utf16 && ascii_prefix(bytes) == bytes.size() && keeps_ascii(read_as.converter)) {
    from_utf8(out, bytes, most);
    return out;
  }
  const Converter converter = open(utf16 ? utf16_order(bytes) : read_as.converter.c_str());
  if (converter) {
    from_converter(out, converter.get(), bytes, most);
  } else {
    out.known = false;
    from_unnamed(out, bytes, most);
  }
  return out;
}

}  // namespace watchpost::mime
