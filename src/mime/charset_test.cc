#include "mime/charset.h"

#include "mime/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

constexpr size_t kEnough = 1'000'000;

std::string text_of(std::string_view bytes, std::string_view charset) {
  return to_utf8(bytes, charset, kEnough).text;
}

TEST(Charset, InEverySpelling) {
  for (const char* name : {"utf-8", "UTF8", "utf_8", "Unicode-1-1-UTF-8", "\"utf-8\"", " utf-8 "}) {
    const Utf8Text read = to_utf8("\xC3\xA4", name, kEnough);
    EXPECT_EQ(read.text, "ä") << name;
    EXPECT_TRUE(read.known && read.clean && read.whole) << name;
  }
  for (const char* name :
       {"iso-8859-1", "ISO_8859-1:1987", "latin1", "iso8859-1", "8859-1", "windows-1252", "cp1252",
        "x-ansi-unheard-of", "csISOLatin1", "iso-ir-100", "iso-8859-9", "windows-1254"}) {
    EXPECT_EQ(text_of("Gr\xFC\xDF", name), "Grüß") << name;
  }
  for (const char* name : {"shift_jis", "x-sjis", "SJIS", "ms_kanji", "cp932", "windows-31J",
                           "csShiftJIS", "Shift-JIS"}) {
    EXPECT_EQ(text_of("\x93\xFA\x87\x40", name), "日①") << name;
  }
  for (const char* name : {"ks_c_5601-1987", "euc-kr", "cp949", "windows-949", "ksc5601"}) {
    EXPECT_EQ(text_of("\xC7\xD1", name), "한") << name;
  }
  for (const char* name : {"gb2312", "GBK", "x-gbk", "cp936", "gb18030", "gb_2312-80"}) {
    EXPECT_EQ(text_of("\xD6\xD0", name), "中") << name;
  }
}

TEST(Charset, OfAllTheWorld) {
  EXPECT_EQ(text_of("\xA4\xA4", "big5"), "中");
  EXPECT_EQ(text_of("\xC6\xFC", "euc-jp"), "日");
  EXPECT_EQ(text_of("\x1B$BF|\x1B(Ba", "ISO-2022-JP"), "日a");
  EXPECT_EQ(text_of("\x1B$B-!\x1B(B", "iso-2022-jp"), "①");  // beyond the standard, but sent
  EXPECT_EQ(text_of("\x1B$)C\x0EGQ\x0F", "iso-2022-kr"), "한");
  EXPECT_EQ(text_of("~{VP~}", "hz-gb-2312"), "中");
  EXPECT_EQ(text_of("\xCF\xF0", "windows-1251"), "Пр");
  EXPECT_EQ(text_of("\xF0\xD2", "koi8-r"), "Пр");
  EXPECT_EQ(text_of("\xA4", "koi8-u"), "є");
  EXPECT_EQ(text_of("\x8F\xE0", "cp866"), "Пр");
  EXPECT_EQ(text_of("\xE1", "iso-8859-7"), "α");
  EXPECT_EQ(text_of("\xE0", "iso-8859-8-i"), "א");
  EXPECT_EQ(text_of("\xC7", "windows-1256"), "ا");
  EXPECT_EQ(text_of("\xA1", "tis-620"), "ก");
  EXPECT_EQ(text_of("\xA1", "iso-8859-2"), "Ą");
  EXPECT_EQ(text_of("\xA4", "iso-8859-15"), "€");
  EXPECT_EQ(text_of("\x8A", "macintosh"), "ä");
  EXPECT_EQ(text_of("\x81", "cp437"), "ü");
  EXPECT_EQ(text_of("Gr+APw-n", "utf-7"), "Grün");
  EXPECT_EQ(text_of(std::string_view("\0a\x20\xAC", 4), "utf-16"), "a€");
  EXPECT_EQ(text_of(std::string_view("a\0\xAC\x20", 4), "utf-16"), "a€");
  EXPECT_EQ(text_of(std::string_view("\xFF\xFE"
                                     "a\0",
                                     4),
                    "utf-16"),
            "a");
  EXPECT_EQ(text_of(std::string_view("\x3D\xD8\x00\xDE", 4), "utf-16le"), "😀");
}

TEST(Charset, Windows1252) {
  EXPECT_EQ(text_of("\x80\x93x\x94\x99\xFF", "windows-1252"), "€“x”™ÿ");
  const Utf8Text hole = to_utf8("a\x81", "windows-1252", kEnough);
  EXPECT_EQ(hole.text, "a\uFFFD");
  EXPECT_FALSE(hole.clean);
  EXPECT_EQ(text_of("\x93\x81", "iso-8859-1"), "“\u0081");
}

TEST(Charset, WithoutANameOrWithAnUnknownOne) {
  EXPECT_EQ(text_of("\xC3\xA4", ""), "ä");
  EXPECT_EQ(text_of("\xE4", "us-ascii"), "ä");
  EXPECT_TRUE(to_utf8("\xE4", "us-ascii", kEnough).known);
  for (const char* name : {"klingon", "../../etc/passwd", "ISO-2022-JP,version=4", "LMBCS", ",",
                           "windows-9999999999999999999999999999999999999999999999999999999999"}) {
    const Utf8Text read = to_utf8("\xE4", name, kEnough);
    EXPECT_EQ(read.text.empty(), false) << name;
    EXPECT_TRUE(is_utf8(read.text)) << name;
  }
  EXPECT_FALSE(to_utf8("a", "klingon", kEnough).known);
}

TEST(Charset, BytesThatItDoesNotHave) {
  for (const auto& [bytes, text] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a\xFFz", "a\uFFFDz"},
           {"\xC0\xAF", "\uFFFD\uFFFD"},            // over-long
           {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},  // a lone surrogate
           {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
           {"\xE2\x82", "\uFFFD"},  // cut
           {"\xE2\x82z", "\uFFFDz"},
           {"\xF0\x9F\x98\x80\x80", "😀\uFFFD"},
       }) {
    const Utf8Text read = to_utf8(bytes, "utf-8", kEnough);
    EXPECT_EQ(read.text, text);
    EXPECT_FALSE(read.clean);
    EXPECT_FALSE(is_utf8(bytes));
  }
  const Utf8Text lone = to_utf8(std::string_view("\xD8\x00\x00\x61", 4), "utf-16be", kEnough);
  EXPECT_EQ(lone.text, "\uFFFDa");
  EXPECT_FALSE(lone.clean);
  EXPECT_FALSE(to_utf8("\x93", "shift_jis", kEnough).clean);
  EXPECT_FALSE(to_utf8("\x1B$B\xFF\xFF", "iso-2022-jp", kEnough).clean);
}

TEST(Charset, IsCutBetweenCharacters) {
  const std::string umlauts = "äöüßäöüß";
  const std::string latin1(50, '\xE4');
  for (size_t most = 0; most <= umlauts.size(); ++most) {
    const Utf8Text read = to_utf8(umlauts, "utf-8", most);
    EXPECT_EQ(read.text, umlauts.substr(0, most / 2 * 2));
    EXPECT_EQ(read.whole, most == umlauts.size());
    for (const char* name : {"iso-8859-1", "iso-8859-2", "nonsense", ""}) {
      const Utf8Text other = to_utf8(latin1, name, most);
      EXPECT_LE(other.text.size(), most);
      EXPECT_TRUE(is_utf8(other.text));
      EXPECT_FALSE(other.whole);
    }
    EXPECT_EQ(to_utf8("abcdefghijklmnopqrst", "", most).text.size(), most);
  }
}

// ASCII alone does not go through the converter where it means itself; here it does both.
TEST(Charset, AsciiMeansItself) {
  std::string ascii = "\t\r\n";
  for (char c = ' '; c < 0x7F; ++c) ascii += c;
  for (const char* name : {"windows-1251", "iso-8859-2", "koi8-r", "gb2312", "euc-jp", "big5",
                           "shift_jis", "euc-kr", "iso-2022-jp", "cp866", "macintosh"}) {
    EXPECT_EQ(text_of(ascii, name), ascii) << name;
    const std::string more = text_of(ascii + "\xB0\xA1", name);
    EXPECT_EQ(more.substr(0, ascii.size()), ascii) << name;
  }
}

TEST(Charset, LongTextsInPieces) {
  std::string bytes, text;
  for (int i = 0; i < 5'000; ++i) {
    bytes +=
        "\x93\xFA"
        "a";
    text += "日a";
  }
  const Utf8Text read = to_utf8(bytes, "shift_jis", kEnough);
  EXPECT_EQ(read.text, text);
  EXPECT_TRUE(read.clean && read.whole);
  std::string pairs, faces;
  for (int i = 0; i < 3'001; ++i) {
    pairs += std::string_view(i % 7 == 0 ? "\0a" : "\xD8\x3D", 2);
    if (i % 7 != 0) pairs += std::string_view("\xDE\x00", 2);
    faces += i % 7 == 0 ? "a" : "😀";
  }
  EXPECT_EQ(text_of(pairs, "utf-16be"), faces);
}

TEST(Utf8, Steps) {
  EXPECT_EQ(valid_utf8_prefix("abcdefghijä\xE4"), 12u);
  EXPECT_EQ(ascii_prefix("abcdefghijklä"), 12u);
  EXPECT_EQ(ascii_prefix(""), 0u);
  for (const uint32_t code : {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    append_utf8(text, code);
    const Utf8Step step = utf8_step(text, 0);
    EXPECT_TRUE(step.valid && step.length == text.size()) << code;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      std::string shorter = "x" + text.substr(0, cut);
      drop_cut_character(shorter);
      EXPECT_EQ(shorter, "x");
    }
    drop_cut_character(text);
    EXPECT_EQ(text.size(), step.length);
  }
}

}  // namespace
}  // namespace watchpost::mime
