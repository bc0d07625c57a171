#include "mime/outgoing.h"

#include "base/text.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::mime {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(OutgoingText, ASubjectStaysOne) {
  EXPECT_EQ(subject_text("Hello, world"), "Hello, world");
  EXPECT_EQ(subject_text("a\r\nBcc: x@y"), "a\\x0d\\x0aBcc: x@y");
  EXPECT_EQ(subject_text("\xc3\xa9t\xc3\xa9 1"), "=?UTF-8?Q?=C3=A9t=C3=A9_1?=");
  EXPECT_EQ(subject_text("=?x"), "=?UTF-8?Q?=3D=3Fx?=");
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < round; ++i) text += static_cast<char>(random());
    const std::string subject = subject_text(text);
    for (const std::string_view line : split(subject, '\n')) {
      ASSERT_TRUE(line.size() <= 77 || line.find("=?") == std::string::npos) << line;
      for (const char c : line) ASSERT_TRUE((c >= ' ' && c < 0x7F) || c == '\r');
    }
  }
}

TEST(OutgoingText, ABodyIsShortLinesOfAscii) {
  const std::string body =
      quoted_printable_body(".\n\nx = \xe2\x82\xac\nlone\rcr \n" + std::string(500, 'y'));
  EXPECT_THAT(body, HasSubstr("=2E\r\n\r\nx =3D =E2=82=AC\r\nlone\\x0dcr=20\r\nyyy"));
  EXPECT_THAT(body, Not(HasSubstr("\r\n.\r\n")));
  for (const std::string_view line : split(body, '\n')) EXPECT_LE(line.size(), 77u);
}

TEST(OutgoingText, PlainAddresses) {
  EXPECT_TRUE(is_plain_address("jo+x@shop.example"));
  for (const char* bad : {"a@b\r\nBcc: c@d", "a b@c", "<a@b>", "a", "@b", "a@", "a@b@c", "a,b@c",
                          "\"a\"@b", "\xc3\xa9@b", ""}) {
    EXPECT_FALSE(is_plain_address(bad)) << bad;
  }
}

}  // namespace
}  // namespace watchpost::mime
