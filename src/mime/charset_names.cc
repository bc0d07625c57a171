#include "mime/charset_names.h"

#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <unicode/ucnv.h>

namespace watchpost::mime {
namespace {

struct Spelling {
  std::string_view name;  // letters and digits only, lower case
  CharsetKind kind;
  std::string_view converter;
};

constexpr auto kAscii = CharsetKind::ascii;
constexpr auto kUtf8 = CharsetKind::utf8;
constexpr auto kLatin1 = CharsetKind::latin1;
constexpr auto kConverted = CharsetKind::converted;

// By name; what is not here is asked of ICU.
constexpr std::array kSpellings{
    Spelling{"", kAscii, {}},
    Spelling{"646", kAscii, {}},
    Spelling{"7bit", kAscii, {}},
    Spelling{"8859", kLatin1, {}},
    Spelling{"88591", kLatin1, {}},
    Spelling{"8bit", kAscii, {}},
    Spelling{"ansix341968", kAscii, {}},
    Spelling{"ascii", kAscii, {}},
    Spelling{"big5", kConverted, "windows-950"},
    Spelling{"big5hkscs", kConverted, "Big5-HKSCS"},
    Spelling{"cngb", kConverted, "gb18030"},
    Spelling{"cp1252", CharsetKind::windows_1252, {}},
    Spelling{"cp50220", kConverted, "ISO-2022-JP-2"},
    Spelling{"cp50221", kConverted, "ISO-2022-JP-2"},
    Spelling{"cp720", kConverted, "DOS-720"},
    Spelling{"cp874", kConverted, "windows-874"},
    Spelling{"cp932", kConverted, "windows-31j"},
    Spelling{"cp936", kConverted, "gb18030"},
    Spelling{"cp949", kConverted, "windows-949"},
    Spelling{"cp950", kConverted, "windows-950"},
    Spelling{"default", kAscii, {}},
    Spelling{"eucjpms", kConverted, "EUC-JP"},
    Spelling{"euckr", kConverted, "windows-949"},
    Spelling{"gb18030", kConverted, "gb18030"},
    Spelling{"gb2312", kConverted, "gb18030"},
    Spelling{"gb231280", kConverted, "gb18030"},
    Spelling{"gbk", kConverted, "gb18030"},
    Spelling{"hebrew", kConverted, "ISO-8859-8"},
    Spelling{"iso2022jp", kConverted, "ISO-2022-JP-2"},
    Spelling{"iso2022jpms", kConverted, "ISO-2022-JP-2"},
    Spelling{"iso8859", kLatin1, {}},
    Spelling{"iso88591", kLatin1, {}},
    Spelling{"iso885911", kConverted, "windows-874"},
    Spelling{"iso885911987", kLatin1, {}},
    Spelling{"iso88598e", kConverted, "ISO-8859-8"},
    Spelling{"iso88598i", kConverted, "ISO-8859-8"},
    Spelling{"iso88599", kConverted, "windows-1254"},
    Spelling{"isoir100", kLatin1, {}},
    Spelling{"isolatin1", kLatin1, {}},
    Spelling{"koi8ru", kConverted, "KOI8-U"},
    Spelling{"ksc5601", kConverted, "windows-949"},
    Spelling{"ksc56011987", kConverted, "windows-949"},
    Spelling{"latin1", kLatin1, {}},
    Spelling{"mac", kConverted, "macintosh"},
    Spelling{"macce", kConverted, "x-mac-centraleurroman"},
    Spelling{"maccyrillic", kConverted, "x-mac-cyrillic"},
    Spelling{"macgreek", kConverted, "x-mac-greek"},
    Spelling{"macroman", kConverted, "macintosh"},
    Spelling{"macturkish", kConverted, "x-mac-turkish"},
    Spelling{"mskanji", kConverted, "windows-31j"},
    Spelling{"shiftjis", kConverted, "windows-31j"},
    Spelling{"sjis", kConverted, "windows-31j"},
    Spelling{"tis620", kConverted, "windows-874"},
    Spelling{"ucs2", CharsetKind::utf16, {}},
    Spelling{"unicode", CharsetKind::utf16, {}},
    Spelling{"unicode11utf7", kConverted, "UTF-7"},
    Spelling{"unicode11utf8", kUtf8, {}},
    Spelling{"unicode20utf8", kUtf8, {}},
    Spelling{"unknown", kAscii, {}},
    Spelling{"unknown8bit", kAscii, {}},
    Spelling{"usascii", kAscii, {}},
    Spelling{"utf", kUtf8, {}},
    Spelling{"utf16", CharsetKind::utf16, {}},
    Spelling{"utf7", kConverted, "UTF-7"},
    Spelling{"utf8", kUtf8, {}},
    Spelling{"utf8mb4", kUtf8, {}},
    Spelling{"win1250", kConverted, "windows-1250"},
    Spelling{"win1251", kConverted, "windows-1251"},
    Spelling{"win1252", CharsetKind::windows_1252, {}},
    Spelling{"windows1252", CharsetKind::windows_1252, {}},
    Spelling{"windows31j", kConverted, "windows-31j"},
    Spelling{"windows936", kConverted, "gb18030"},
};
static_assert(std::ranges::is_sorted(kSpellings, {}, &Spelling::name));

constexpr size_t kLongestName = 60;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string plain_of(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (is_plain(to_lower(c))) plain += to_lower(c);
  }
  return plain;
}

// As ICU may be asked: no commas, no blanks, no slashes.
std::string asked_as(std::string_view name) {
  std::string asked;
  for (const char c : name) {
    const bool mark = c == '-' || c == '_' || c == '.' || c == ':' || c == '+';
    if (mark || is_plain(to_lower(c))) asked += c;
  }
  return asked;
}

const Spelling* find(std::string_view plain) {
  const auto place = std::ranges::lower_bound(kSpellings, plain, {}, &Spelling::name);
  return place != kSpellings.end() && place->name == plain ? &*place : nullptr;
}

// With what vendors put before a name ("x-sjis", "csShiftJIS") or without.
const Spelling* find_with_prefix(std::string_view plain) {
  if (const Spelling* found = find(plain)) return found;
  for (const std::string_view prefix : {std::string_view("x"), std::string_view("cs")}) {
    if (plain.starts_with(prefix) && plain.size() > prefix.size()) {
      return find(plain.substr(prefix.size()));
    }
  }
  return nullptr;
}

// Empty where the name is no registered one: ICU would look for a file of such a name.
std::string registered(const std::string& name) {
  UErrorCode error = U_ZERO_ERROR;
  const char* standard = ucnv_getStandardName(name.c_str(), "IANA", &error);
  return U_SUCCESS(error) && standard != nullptr ? standard : std::string();
}

}  // namespace

Charset charset_of(std::string_view name) {
  if (name.size() > kLongestName) return {};
  const Spelling* spelling = find_with_prefix(plain_of(name));
  std::string standard;
  if (spelling == nullptr) {
    standard = registered(asked_as(name));
    if (standard.empty()) return {};
    spelling = find(plain_of(standard));
  }
  if (spelling != nullptr) return {spelling->kind, std::string(spelling->converter)};
  return {kConverted, std::move(standard)};
}

}  // namespace watchpost::mime
