#include "mime/words.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::mime {
namespace {

struct Case {
  const char* body;
  const char* text;
  const char* defect = "";  // the first one
};

std::string first_defect(const Findings& findings) {
  return findings.all().empty() ? "" : std::string(name_of(findings.all().front().what));
}

void check(const Case& one) {
  Findings findings;
  EXPECT_EQ(readable(one.body, 0, findings), one.text) << one.body;
  EXPECT_EQ(first_defect(findings), one.defect) << one.body;
  EXPECT_EQ(readable(one.body), one.text);
}

TEST(Words, AreDecoded) {
  for (const Case& one : std::initializer_list<Case>{
           {" plain  text ", "plain  text"},
           {"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"},
           {"=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"},
           {"=?iso-8859-1?q?Gr=FC=DFe_aus_Bonn?=", "Grüße aus Bonn"},
           {"=?iso-8859-15?Q?=A4?=", "€"},
           {"=?windows-1251?B?z/Do4uXy?=", "Привет"},
           {"=?koi8-r?B?8NLJ18XU?=", "Привет"},
           {"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},
           {"=?shift_jis?B?k/qWew==?=", "日本"},
           {"=?gb2312?B?1tC5+g==?=", "中国"},
           {"=?big5?B?pKSw6g==?=", "中國"},
           {"=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"},
           {"=?us-ascii*en-GB?Q?colour?=", "colour"},
           {"Re: =?utf-8?Q?=C3=A4?= is it", "Re: ä is it"},
           {"=?utf-8?Q?\?= x", " x"},
       }) {
    check(one);
  }
}

TEST(Words, StandSideBySide) {
  for (const Case& one : std::initializer_list<Case>{
           {"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
           {"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=\r\n\t=?utf-8?Q?c?=", "abc"},
           {"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
           {"=?utf-8?Q?a_?= =?utf-8?Q?_b?=", "a  b"},
           {"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"},
           {"x=?utf-8?Q?a?=y", "xay"},
           {"=?iso-8859-1?Q?=E4?= =?utf-8?Q?=C3=A4?=", "ää"},
           // split within a character
           {"=?utf-8?Q?=C3?= =?UTF-8?Q?=A4?=", "ä"},
           {"=?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?=", "€"},
           {"=?utf-8?Q?=E2=82?= =?utf-8?B?rA==?=", "€"},
           // one stream of base64 cut anywhere
           {"=?utf-8?B?R3L?= =?utf-8?B?DvMOfZQ==?=", "Grüße"},
           {"=?utf-8?B?YWI?= =?utf-8?B?YWI?=", "abab"},
       }) {
    check(one);
  }
}

TEST(Words, AreReadAsTheyAreMeant) {
  for (const Case& one : std::initializer_list<Case>{
           {"=?utf-8?Q?two words?=", "two words", "bad_encoded_word"},
           {"=?utf-8?B?Y W I=?=", "ab", "bad_encoded_word"},
           {"=?utf-8?Q?50=_of?=", "50= of", "bad_encoded_word"},
           {"=?utf-8?Q?a=\?=", "a=", "bad_encoded_word"},
           {"=?utf-8?Q?=e4=zz?=", "\uFFFD=zz", "bad_encoded_word"},
           {"=?utf-8?Q?a?b?=", "a?b"},
           {"=?utf-8?X?abc?=", "=?utf-8?X?abc?=", "bad_encoded_word"},
           {"=?utf-8?Q?never closed", "=?utf-8?Q?never closed", "bad_encoded_word"},
           {"=?utf-8?Q?open =?utf-8?Q?b?=", "=?utf-8?Q?open b", "bad_encoded_word"},
           {"=?=?utf-8?Q?b?=", "=?b"},
           {"what =? is", "what =? is"},
           {"=?\?Q?=C3=A4?=", "ä"},
           {"\"=?utf-8?Q?=C3=A4?=\"", "\"ä\""},
           {"=?utf-8?B?YQ==?= =?utf-8?B?Yg==?=", "ab"},
           {"=?utf-8?B?YQ==Yg==?=", "ab"},
           {"=?no-such-set?Q?abc?=", "abc", "unknown_charset"},
           {"=?no-such-set?Q?=E4?=", "ä", "unknown_charset"},
           {"=?utf-8?Q?=FF?=", "\uFFFD", "bad_charset_bytes"},
           {"raw \xC3\xA4", "raw ä"},
           {"raw \xE4", "raw ä"},
           {"\xE4 =?utf-8?Q?=C3=A4?= \xE4", "ä ä ä"},
       }) {
    check(one);
  }
}

TEST(Words, FindingsKnowTheirPlace) {
  Findings findings;
  readable(" a\r\n =?utf-8?X?b?=", 100, findings);
  ASSERT_EQ(findings.all().size(), 1u);
  EXPECT_EQ(findings.all()[0], (Finding{Defect::bad_encoded_word, 105}));
}

TEST(Words, WorkIsBounded) {
  std::string open;
  for (int i = 0; i < 100'000; ++i) open += "=?a?q?";
  EXPECT_EQ(readable(open), open);
  std::string bare;
  for (int i = 0; i < 300'000; ++i) bare += "=?";
  EXPECT_EQ(readable(bare), bare);
  std::string closed;
  for (int i = 0; i < 100'000; ++i) closed += "=?a?x?=";
  EXPECT_EQ(readable(closed), closed);
  Findings findings;
  readable(closed, 0, findings);
  EXPECT_EQ(findings.count(), 1u);
}

}  // namespace
}  // namespace watchpost::mime
