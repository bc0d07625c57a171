#include "investigate/safe_view.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "mime/charset.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

SafeView view(std::string message, std::string verdict = {}) {
  return safe_view({.message = std::move(message), .macros = {}, .verdict = std::move(verdict)});
}

std::string all_text(const SafeView& view) {
  std::string all;
  for (const SafeText& text : view.texts) all += text.text;
  for (const SafeLink& link : view.links) all += link.url;
  for (const SafePart& part : view.parts) all += part.name + part.type;
  for (const std::string& line : view.header) all += line;
  for (const std::string& finding : view.findings) all += finding;
  return all;
}

// Nothing that a terminal or a person could be deceived by.
void expect_safe(const SafeView& view) {
  std::string all = all_text(view);
  EXPECT_TRUE(mime::is_utf8(all));
  std::erase(all, '\n');
  EXPECT_EQ(escaped(all), all);
}

TEST(Defanged, NothingOfItIsALink) {
  EXPECT_EQ(defanged("https://evil.example/a.b?c.d"), "hxxps://evil[.]example/a.b?c.d");
  EXPECT_EQ(defanged("HTTP:evil.example"), "hxxp:evil[.]example");
  EXPECT_EQ(defanged("http:\\\\evil.example\\x"), "hxxp:\\\\evil[.]example\\x");
  EXPECT_EQ(defanged("//evil.example/x"), "//evil[.]example/x");
  EXPECT_EQ(defanged("www.evil.example"), "www[.]evil[.]example");
  EXPECT_EQ(defanged("javascript:alert(1)"), "javascript[:]alert(1)");
  EXPECT_EQ(defanged("ftp://evil.example"), "ftp[:]//evil[.]example");
  EXPECT_EQ(defanged("https://a.example/?to=http://b.example/"),
            "hxxps://a[.]example/?to=hxxp://b[.]example/");
  EXPECT_EQ(defanged(""), "");
}

TEST(SafeView, ShowsTextsLinksPartsAndHeader) {
  const auto seen = view(
      "From: \"Your bank\" <a@bank.example>\r\nSubject: =?utf-8?q?=C3=A4?=\r\n\tfolded\r\n"
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
      "Gr=FC=DFe, see https://evil.example/pay?x=3D1.\r\n"
      "--b\r\nContent-Type: text/html\r\n\r\n"
      "<script>steal()</script><a href='http://evil.example/2'>https://bank.example</a>"
      "<img src='https://track.example/p.gif'>\r\n"
      "--b\r\nContent-Type: application/zip; name=\"a.zip\"\r\n"
      "Content-Disposition: attachment; filename=\"../../etc/x.zip\"\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n",
      R"({"v":1})");
  expect_safe(seen);
  ASSERT_EQ(seen.texts.size(), 2U);
  EXPECT_EQ(seen.texts[0].text, "Grüße, see hxxps://evil[.]example/pay?x=1.\n");
  EXPECT_EQ(seen.texts[1].text, "hxxps://bank[.]example [2]\n");
  ASSERT_EQ(seen.links.size(), 4U);
  EXPECT_EQ(seen.links[1].url, "hxxp://evil[.]example/2");
  EXPECT_FALSE(seen.links[1].fetched);
  EXPECT_EQ(seen.links[2].url, "hxxps://track[.]example/p.gif");
  EXPECT_TRUE(seen.links[2].fetched);
  ASSERT_EQ(seen.parts.size(), 4U);
  EXPECT_EQ(seen.parts[3].name, "../../etc/x.zip");
  EXPECT_EQ(seen.parts[3].size, 3U);
  EXPECT_EQ(seen.parts[3].sha256, hex(crypto::sha256("abc")));
  EXPECT_TRUE(seen.parts[3].attached);
  EXPECT_EQ(seen.parts[3].depth, 1U);
  EXPECT_THAT(
      seen.header,
      ElementsAre("From: \"Your bank\" <a@bank.example>", "Subject: =?utf-8?q?=C3=A4?=", " folded",
                  "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"));
  EXPECT_EQ(seen.verdict, R"({"v":1})");
  EXPECT_TRUE(seen.whole);
}

TEST(SafeView, DeceivesNobody) {
  const auto seen = view(
      std::string("Subject: \x1b[31mred\r\nX: \xff\xe2\x80\xae\r\nContent-Type: multipart/mixed; "
                  "boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n") +
      "&#x202e;&#27;[2J&#8;" + std::string(1, '\0') +
      "\x9b\xe2\x80\xae<iframe src='http://a.b/&#10;'>"
      "<a href='http://a.b/\x1b[31m&#x202e;'>x</a>\r\n" +
      "--b\r\nContent-Disposition: attachment; filename*=utf-8''a%E2%80%AEfdp.exe%00%1B\r\n\r\n"
      "x\r\n--b--\r\n");
  expect_safe(seen);
  EXPECT_THAT(all_text(seen), HasSubstr("\\u{202e}"));
  EXPECT_THAT(all_text(seen), Not(HasSubstr("http://")));
}

TEST(SafeView, HugeThingsAreCut) {
  const std::string name(100'000, 'n');
  const auto seen = view(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" +
      std::string(3 << 20, 'a') + "\r\n--b\r\nContent-Disposition: attachment; filename=\"" + name +
      "\"\r\n\r\nx\r\n--b--\r\n");
  EXPECT_FALSE(seen.whole);
  ASSERT_EQ(seen.texts.size(), 1U);
  EXPECT_LE(seen.texts[0].text.size(), kMostShownText + 1);
  for (const SafePart& part : seen.parts) EXPECT_LE(part.name.size(), kLongestShownName + 3);
  std::string links;
  for (int i = 0; i < 2000; ++i) links += fmt::format("http://h{}.example/ ", i);
  const auto many = view("Subject: x\r\n\r\n" + links);
  EXPECT_EQ(many.links.size(), kMostShownLinks);
  EXPECT_FALSE(many.whole);
}

TEST(SafeView, DeepNestingEnds) {
  std::string deep;
  for (int i = 0; i < 3000; ++i) {
    deep += fmt::format("Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n", i);
  }
  const auto seen = view(deep + "\r\nbottom\r\n");
  expect_safe(seen);
  EXPECT_THAT(seen.findings, Not(ElementsAre()));
  std::string messages;
  for (int i = 0; i < 3000; ++i) messages += "Content-Type: message/rfc822\r\n\r\n";
  expect_safe(view(messages + std::string(1 << 20, 'x')));
  // Any bytes at all.
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += static_cast<char>(i * 7919 >> 3);
  expect_safe(view(bytes));
  expect_safe(view(""));
}

TEST(SafeView, AUrlWithinAHostIsDeadToo) {
  EXPECT_EQ(defanged("https://evil.exa\x8Ehttp://b.example"),
            "hxxps://evil[.]exa\x8Ehxxp://b[.]example");
  EXPECT_EQ(defanged("http://http://b.example"), "hxxp://hxxp://b[.]example");
  EXPECT_EQ(defanged("www.a.example"), "www[.]a[.]example");
}

}  // namespace
}  // namespace watchpost::investigate
