#include "mime/transfer.h"

#include "mime/test_outline.h"

#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

struct Case {
  std::string_view name;
  std::string_view packed;
  std::string_view bytes;
  std::string_view findings = "";
};

void check(Encoding encoding, std::span<const Case> cases) {
  for (const Case& one : cases) {
    Findings findings;
    EXPECT_EQ(decoded(one.packed, encoding, 100, 1000, findings), one.bytes) << one.name;
    EXPECT_EQ(places(findings), one.findings) << one.name;
  }
}

TEST(Base64, ReadsWhatReadersRead) {
  constexpr Case kCases[] = {
      {"nothing", "", ""},
      {"whole groups", "V2F0Y2hw", "Watchp"},
      {"one pad", "V2F0Y2g=", "Watch"},
      {"two pads", "V2F0Yw==", "Watc"},
      {"lines", "V2F0\r\nY2hw\r\nb3N0\r\n", "Watchpost"},
      {"lines that end within a group", "V2F\n0Y2h\nwb3N0", "Watchpost"},
      {"blanks within", "V2 F0\tY2hw", "Watchp"},
      {"pads on the next line", "V2F0Yw=\r\n=\r\n", "Watc"},
      {"all letters", "+/+/", "\xFB\xFF\xBF"},
      {"no pads", "V2F0Yw", "Watc", "bad_base64@106"},
      {"one pad of two", "V2F0Yw=", "Watc", "bad_base64@107"},
      {"a pad too many", "V2F0Yw===", "Watc", "bad_base64@108"},
      {"a letter alone", "V2F0Y", "Wat", "bad_base64@105"},
      {"a pad alone", "=", "", "bad_base64@100"},
      {"a pad behind one letter", "V=2F0", "\xD8]", "bad_base64@101 bad_base64@105"},
      {"strange bytes, each run once", "V2!!F0\x80Y2hw?", "Watchp",
       "bad_base64@102 bad_base64@106 bad_base64@111"},
      {"a strange byte first", "-V2F0", "Wat", "bad_base64@100"},
      {"a strange byte second", "V_2F0", "Wat", "bad_base64@101"},
      {"more behind the padding", "V2E=V2E=", "WaWa", "base64_after_padding@104"},
      {"more behind half a padding", "V2F0Yw=V2E=", "WatcWa", "base64_after_padding@107"},
      {"NUL bytes", std::string_view("V2\0F0", 5), "Wat", "bad_base64@102"},
  };
  check(Encoding::base64, kCases);
}

TEST(Base64, EndsAtItsMost) {
  const std::string whole = "Watchpost sees the mail that comes and goes.";
  const std::string packed = "V2F0Y2hwb3N0IHNlZXMgdGhlIG1haWwgdGhhdCBjb21lcyBhbmQgZ29lcy4=";
  for (size_t most = 0; most <= whole.size(); ++most) {
    Findings findings;
    EXPECT_EQ(decoded(packed, Encoding::base64, 0, most, findings), whole.substr(0, most));
    EXPECT_EQ(findings.has(Defect::decoded_too_large), most < whole.size()) << most;
  }
}

TEST(Base64, HundredMegabytesStopAtTheMost) {
  std::string packed;
  while (packed.size() < 100'000'000)
    packed.append("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZn\r\n");
  Findings findings;
  constexpr size_t kMost = 64 * 1024 * 1024;
  EXPECT_EQ(decoded(packed, Encoding::base64, 0, kMost, findings).size(), kMost);
  EXPECT_EQ(names(findings), "decoded_too_large");
  // Of padding alone nothing comes, and few findings are kept.
  const std::string pads(10'000'000, '=');
  Findings of_pads;
  EXPECT_EQ(decoded(pads, Encoding::base64, 0, kMost, of_pads), "");
  EXPECT_LE(of_pads.all().size(), Findings::kMost);
}

TEST(QuotedPrintable, ReadsWhatReadersRead) {
  constexpr Case kCases[] = {
      {"nothing", "", ""},
      {"plain", "one\r\ntwo", "one\r\ntwo"},
      {"bytes", "caf=C3=A9 =3D", "caf\xC3\xA9 ="},
      {"small letters", "=c3=a9", "\xC3\xA9"},
      {"soft line break", "one=\r\ntwo", "onetwo"},
      {"soft line break of LF", "one=\ntwo", "onetwo"},
      {"soft line break with blanks behind", "one= \t\r\ntwo", "onetwo"},
      {"soft line break at the end", "one=", "one"},
      {"blanks before a line end", "one \t\r\ntwo  ", "one\r\ntwo"},
      {"a packed blank before a line end stays", "one=20\r\n", "one \r\n"},
      {"line ends stay as they are", "a\nb\r\nc\rd", "a\nb\r\nc\rd"},
      {"8-bit", "caf\xE9", "caf\xE9"},
      {"no hexadecimal", "a=ZZb", "a=ZZb", "bad_quoted_printable@101"},
      {"half a byte at the end", "a=4", "a=4", "bad_quoted_printable@101"},
      {"half a byte at a line end", "a=4\r\nb", "a=4\r\nb", "bad_quoted_printable@101"},
      {"two signs", "a==41", "a=A", "bad_quoted_printable@101"},
      {"sign before a lone CR", "a=\rb", "a=\rb", "bad_quoted_printable@101"},
  };
  check(Encoding::quoted_printable, kCases);
}

TEST(QuotedPrintable, EndsAtItsMost) {
  const std::string packed = "W=61t=\r\nch\npost";
  const std::string whole = "Watch\npost";
  for (size_t most = 0; most <= whole.size(); ++most) {
    Findings findings;
    EXPECT_EQ(decoded(packed, Encoding::quoted_printable, 0, most, findings),
              whole.substr(0, most));
    EXPECT_EQ(findings.has(Defect::decoded_too_large), most < whole.size()) << most;
  }
}

TEST(Uuencode, ReadsWhatReadersRead) {
  constexpr Case kCases[] = {
      {"a file", "begin 644 w.txt\n)5V%T8VAP;W-T\n`\nend\n", "Watchpost"},
      {"CRLF, and text around", "see:\r\nbegin 644 w\r\n)5V%T8VAP;W-T\r\n`\r\nend\r\nbye\r\n",
       "Watchpost"},
      {"two files", "begin 644 a\n#5V%T\n`\nend\nbegin 600 b\n#5V%T\n`\nend\n", "WatWat"},
      {"blanks cut off a line", "begin 644 a\n#5\nend\n", std::string_view("T\0\0", 3)},
      {"a line that claims more than it has", "begin 644 a\nM5V%T\nend\n", "Wat",
       "bad_encoding@112"},
      {"no end", "begin 644 a\n#5V%T\n", "Wat", "bad_encoding@118"},
      {"no file", "just text\n", "just text\n", "bad_encoding@100"},
      {"strange letters", "begin 644 a\n#5v%T\n`\nend\n", "Uat", "bad_encoding@112"},
      {"a mode that is none", "begin abc a\n", "begin abc a\n", "bad_encoding@100"},
  };
  check(Encoding::uuencode, kCases);
}

TEST(Identity, EndsAtItsMost) {
  Findings findings;
  EXPECT_EQ(decoded("Watchpost", Encoding::identity, 10, 5, findings), "Watch");
  EXPECT_EQ(places(findings), "decoded_too_large@15");
}

TEST(ReadEncoding, KnowsTheNames) {
  using enum Encoding;
  EXPECT_EQ(read_encoding(" base64"), base64);
  EXPECT_EQ(read_encoding(" BASE64\r\n"), base64);
  EXPECT_EQ(read_encoding("(a (nested) comment)\r\n Quoted-Printable (of old)"), quoted_printable);
  EXPECT_EQ(read_encoding("\"base64\""), base64);
  EXPECT_EQ(read_encoding("base64;"), base64);
  EXPECT_EQ(read_encoding("7bit"), identity);
  EXPECT_EQ(read_encoding("8BIT"), identity);
  EXPECT_EQ(read_encoding("binary"), identity);
  EXPECT_EQ(read_encoding("x-uuencode"), uuencode);
  EXPECT_EQ(read_encoding(""), std::nullopt);
  EXPECT_EQ(read_encoding("base64x"), std::nullopt);
  EXPECT_EQ(read_encoding("(base64)"), std::nullopt);
  EXPECT_EQ(read_encoding(std::string(100'000, 'b')), std::nullopt);
}

}  // namespace
}  // namespace watchpost::mime
