#include "border/traits.h"

#include "border/links.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> in_text(std::string_view text) {
  LinkHosts hosts;
  hosts.read_text(text);
  return hosts.all();
}

std::vector<std::string> in_html(std::string_view html) {
  LinkHosts hosts;
  hosts.read_html(html);
  return hosts.all();
}

Traits of(const std::string& message, const std::vector<std::string>& authors = {}) {
  return traits_of(mime::Message::read(message), authors);
}

TEST(LinkHosts, StandInTexts) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {"see https://Shop.Example/a?b=c.", {"shop.example"}},
      {"see http://shop.example. And more", {"shop.example"}},
      {"(https://shop.example), <https://b.example>", {"shop.example", "b.example"}},
      {"https://shop.example https://SHOP.example/x", {"shop.example"}},
      {"at www.shop.example/x and WWW.b.example", {"www.shop.example", "www.b.example"}},
      {"no link: awww.shop.example, jo@www.shop.example, ftp://files.example", {}},
      {"https://good.example:pw@evil.example:8443/x", {"evil.example"}},
      {"https://%65vil.example/", {"evil.example"}},
      {"https://[2001:DB8::1]:8080/x", {"2001:db8::1"}},
      {"http://192.0.2.7/x", {"192.0.2.7"}},
      {"https://b\xC3\xBC"
       "cher.example/",
       {"xn--bcher-kva.example"}},
      {"\xE2\x80\x9Chttps://shop.example\xE2\x80\x9D", {"shop.example"}},
      {"https://intranet/ https:// https://..", {}},
      {"https://", {}},
      {"http://[", {}},
      {"xhttps://a.example shttp://b.example", {"a.example", "b.example"}},
  };
  for (const auto& [text, hosts] : cases) EXPECT_EQ(in_text(text), hosts) << text;
}

TEST(LinkHosts, StandInHtml) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
      {R"(<a href="https://shop.example/x">https://bank.example/</a>)", {"shop.example"}},
      {R"(<p>https://bank.example/</p>)", {"bank.example"}},
      {R"(<A HREF='//shop.example'>x</A> <area href=http://b.example/>)",
       {"shop.example", "b.example"}},
      {R"(<form action="https://c.example"><button formaction="https://d.example">)",
       {"c.example", "d.example"}},
      {R"(<a href="https&colon;&#47;&#x2f;e&#46;example/">)", {"e.example"}},
      {"<a href=\" ht\ntps:\\\\f.example\\x\">", {"f.example"}},
      {R"(<a href="https:g.example/x">)", {"g.example"}},
      {R"(<a href="mailto:jo@h.example"><a href="#top"><a href="/login">)", {}},
      {R"(<img src="https://i.example/p.gif"><link href="https://fonts.example">)", {}},
      {R"(<html xmlns="http://www.w3.org/1999/xhtml"><!DOCTYPE "http://www.w3.org/x">)", {}},
      {R"(<!-- <a href="https://j.example"> --><a href="https://k.example">)", {"k.example"}},
      {R"(<script>"https://l.example"</script><style>@import "https://m.example"</style>https://n.example)",
       {"n.example"}},
      {R"(<base href="https://o.example/"><a title=">" href="https://p.example">)",
       {"o.example", "p.example"}},
      {"a < b https://q.example", {"q.example"}},
      {"<a href=\"https://r.example", {"r.example"}},
      {"<a", {}},
      {"<", {}},
      {"</", {}},
      {"<a href", {}},
      {"<a =", {}},
      {"<!--", {}},
  };
  for (const auto& [html, hosts] : cases) EXPECT_EQ(in_html(html), hosts) << html;
}

TEST(LinkHosts, AreBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += fmt::format("https://h{}.example ", i);
  EXPECT_THAT(in_text(text), SizeIs(LinkHosts::kMost));
}

TEST(LinkHosts, ReadAnythingInLinearTime) {
  const auto begun = std::chrono::steady_clock::now();
  for (const std::string_view piece :
       {"<", "<a ", "<!--", "</", "<a href=\"", "<a href='https://\xC3\xBC.x'>", "www.", "w", "://",
        "https://[", "&#", "<script>", "<a/=", "http://%"}) {
    std::string many;
    while (many.size() < kMostText) many += piece;
    in_html(many);
    in_text(many);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
}

TEST(Traits, SubjectsOfOneMailingHaveOneHash) {
  const std::string one = subject_hash_of("Your order 4711 is ready");
  EXPECT_THAT(one, SizeIs(16));
  for (const std::string_view same : {"your ORDER 12 is ready", "Your  order\t0 is ready ",
                                      "Your order\xC2\xA0"
                                      "99 is\xE2\x80\x8B ready"}) {
    EXPECT_EQ(subject_hash_of(same), one) << same;
  }
  for (const std::string_view other : {"Your order is ready", "Your orders 1 are ready"}) {
    EXPECT_NE(subject_hash_of(other), one) << other;
  }
  EXPECT_EQ(subject_hash_of("\xC3\x9C"
                            "bung \xD0\x9F\xD0\x90"),
            subject_hash_of("\xC3\xBC"
                            "bung \xD0\xBF\xD0\xB0"));
  EXPECT_EQ(subject_hash_of(" \t"), "");
}

TEST(Traits, SubjectIsDecodedAndShort) {
  const Traits traits = of("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n 42\r\n\r\nx");
  EXPECT_EQ(traits.subject,
            "Gr\xC3\xBC\xC3\x9F"
            "e 42");
  EXPECT_EQ(traits.subject_hash, subject_hash_of(traits.subject));
  EXPECT_LE(of("Subject: " + std::string(5'000, 'x') + "\r\n\r\n").subject.size(), kLongestSubject);
  EXPECT_EQ(of("From: jo@shop.example\r\n\r\nx").subject_hash, "");
}

TEST(Traits, FirstForeignHostIsNotTheAuthors) {
  const std::string mail =
      "Subject: x\r\n\r\nhttps://www.shop.example https://shop.example https://a.news.shop.example "
      "https://evil.example https://more.example\r\n";
  EXPECT_EQ(of(mail, {"news.shop.example"}).foreign_link_host, "www.shop.example");
  EXPECT_EQ(of(mail, {"shop.example"}).foreign_link_host, "evil.example");
  EXPECT_EQ(of(mail, {}).foreign_link_host, "www.shop.example");
  EXPECT_EQ(of("\r\nhttps://shop.example", {"shop.example"}).foreign_link_host, "");
}

TEST(Traits, OneOrganisationBySuffixes) {
  const auto suffixes = auth::PublicSuffixes::of_the_system();
  ASSERT_TRUE(suffixes);
  EXPECT_TRUE(same_organisation("www.shop.co.uk", "news.shop.co.uk", &*suffixes));
  EXPECT_FALSE(same_organisation("www.shop.co.uk", "news.other.co.uk", &*suffixes));
  EXPECT_FALSE(same_organisation("www.shop.co.uk", "news.shop.co.uk", nullptr));
  EXPECT_FALSE(same_organisation("evilshop.example", "shop.example", &*suffixes));
}

constexpr std::string_view kParts =
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "aHR0cHM6Ly9hLmV4YW1wbGUv\r\n"  // https://a.example/
    "--b\r\nContent-Type: text/html; name=body.html\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n<a "
    "href=3D\"https://b.exam=\r\nple/\">x</a>\r\n"
    "--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"in.htm\"\r\n\r\n"
    "<a href=\"https://c.example\">x</a>\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
    "--b\r\nContent-Type: image/png\r\nContent-Disposition: inline\r\n\r\nhttps://d.example\r\n"
    "--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
    "Subject: y\r\n\r\nhttps://e.example\r\n"
    "--b--\r\n";

TEST(Traits, PartsAreReadAndAttachmentsAreNot) {
  const Traits traits = of(std::string(kParts));
  EXPECT_THAT(traits.link_hosts, ElementsAre("a.example", "b.example"));
  EXPECT_THAT(traits.attachments, ElementsAre("body.html", "in.htm", "", ""));
  EXPECT_EQ(traits.attachment_count, 4u);
}

TEST(Traits, NoMoreTextThanTheBoundIsRead) {
  std::string mail = "Subject: x\r\n\r\nhttps://a.example\r\n" + std::string(kMostText, ' ');
  mail += "\r\nhttps://late.example\r\n";
  EXPECT_THAT(of(mail).link_hosts, ElementsAre("a.example"));
}

TEST(Traits, ManyAttachmentsAreCounted) {
  std::string mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 60; ++i) mail += "--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n";
  const Traits traits = of(mail + "--b--\r\n");
  EXPECT_THAT(traits.attachments, SizeIs(kMostNames));
  EXPECT_EQ(traits.attachment_count, 60u);
}

TEST(Traits, ListFieldsAreRead) {
  const ListFields list =
      of("List-Id: News of the shop <news.shop.example>\r\nFeedback-ID: 1:2:3:shop\r\n"
         "Precedence: Bulk\r\nList-Unsubscribe: <mailto:u@shop.example>,\r\n"
         " <https://shop.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n")
          .list;
  EXPECT_EQ(list.list_id, "news.shop.example");
  EXPECT_EQ(list.feedback_id, "1:2:3:shop");
  EXPECT_EQ(list.precedence, "bulk");
  EXPECT_TRUE(list.unsubscribe && list.unsubscribe_https && list.one_click && list.bulk());
}

TEST(Traits, OneClickNeedsHttpsAndItsVeryValue) {
  const std::string post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  const std::string https = "List-Unsubscribe: <https://shop.example/u>\r\n";
  EXPECT_FALSE(of(post + "List-Unsubscribe: <http://shop.example/u>\r\n\r\n").list.one_click);
  EXPECT_FALSE(of(post + "List-Unsubscribe: <mailto:u@shop.example>\r\n\r\n").list.one_click);
  EXPECT_FALSE(of(https + "List-Unsubscribe-Post: One-Click\r\n\r\n").list.one_click);
  EXPECT_FALSE(of(https + "\r\n").list.one_click);
  EXPECT_FALSE(of(post + "\r\n").list.one_click);
  EXPECT_TRUE(of(https + post + "\r\n").list.one_click);
  EXPECT_FALSE(of("List-Unsubscribe: <>\r\n\r\n").list.unsubscribe);
}

TEST(Traits, OrdinaryMailIsNotBulk) {
  EXPECT_FALSE(of("Subject: x\r\n\r\nhello").list.bulk());
  EXPECT_FALSE(of("Precedence: first-class\r\n\r\nhello").list.bulk());
  EXPECT_TRUE(of("Precedence: list\r\n\r\nhello").list.bulk());
}

}  // namespace
}  // namespace watchpost::border
