#include "mime/content.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::mime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  ContentValue content;
  Findings findings;
  explicit Read(std::string_view body) { content = read_content_value(body, 0, findings); }
};

// "value|name=text|...", then "|other name=text".
std::string shown(const ContentValue& content) {
  std::string text = content.value;
  for (const auto& [name, value] : content.parameters) text += "|" + name + "=" + value;
  for (const auto& [name, value] : content.others) text += "|other " + name + "=" + value;
  return text;
}

std::string good(std::string_view body) {
  const Read read(body);
  EXPECT_EQ(read.findings.count(), 0u) << body;
  return shown(read.content);
}

std::string bad(std::string_view body, Defect defect = Defect::bad_parameter) {
  const Read read(body);
  EXPECT_TRUE(read.findings.has(defect)) << body;
  return shown(read.content);
}

TEST(Content, ValueAndParameters) {
  EXPECT_EQ(good(" Text/Plain; CharSet=UTF-8;\r\n\tformat = \"flowed\""),
            "text/plain|charset=UTF-8|format=flowed");
  EXPECT_EQ(good("multipart/mixed;boundary=\"a;b \\\"c\\\"=\""),
            "multipart/mixed|boundary=a;b \"c\"=");
  EXPECT_EQ(good("text/plain (words); (more) charset=us-ascii (Plain (old) text)"),
            "text/plain|charset=us-ascii");
  EXPECT_EQ(good("text / html"), "text/html");
  EXPECT_EQ(good("attachment"), "attachment");
  EXPECT_EQ(good("attachment; filename=\"a\r\n b\""), "attachment|filename=a b");
  EXPECT_EQ(good("text/plain;; charset=utf-8;"), "text/plain|charset=utf-8");
  EXPECT_EQ(good(""), "");
  EXPECT_EQ(good("; a=b"), "|a=b");
  EXPECT_EQ(read_content_value("a/b; c=d").find("c")->size(), 1u);
  EXPECT_EQ(read_content_value("a/b; c=d").find("C"), nullptr);
}

TEST(Content, ExtendedValues) {
  EXPECT_EQ(good("attachment; filename*=utf-8'en'%e2%82%AC%20x"), "attachment|filename=€ x");
  EXPECT_EQ(good("attachment; filename*=iso-8859-1''%E4"), "attachment|filename=ä");
  EXPECT_EQ(good("attachment; filename*=''a"), "attachment|filename=a");
  EXPECT_EQ(good("a/b; name*0=\"one \"; name*1=two; name*2=\" three\""), "a/b|name=one two three");
  // a charset on the first piece alone, a character in two pieces, plain pieces between
  EXPECT_EQ(good("a/b; name*0*=utf-8''%E2%82; name*1*=%AC%20; name*2=\"%20\"; name*3*=%21"),
            "a/b|name=€ %20!");
  EXPECT_EQ(good("a/b; name*2=c; name*0=a; x=y; name*1=b"), "a/b|name=abc|x=y");
  std::string many = "a/b";
  std::string whole;
  for (int i = 11; i >= 0; --i) many += "; name*" + std::to_string(i) + "=" + char('a' + i);
  EXPECT_EQ(good(many), "a/b|name=abcdefghijkl");
}

TEST(Content, ExtendedValuesInOtherForms) {
  EXPECT_EQ(bad("a/b; name*=x%20y"), "a/b|name=x y");  // no charset
  EXPECT_EQ(good("a/b; name*=\"utf-8''x%20y\""), "a/b|name=x y");
  EXPECT_EQ(bad("a/b; name*=utf-8''50%zz%2"), "a/b|name=50%zz%2");
  EXPECT_EQ(bad("a/b; name*1=b; name*2=c"), "a/b|name=b");
  EXPECT_EQ(bad("a/b; name*0=a; name*2=c"), "a/b|name=a");
  EXPECT_EQ(bad("a/b; name*00=a; name*01=b"), "a/b|name=ab");
  EXPECT_EQ(bad("a/b; name*x=a"), "a/b|name*x=a");
  EXPECT_EQ(bad("a/b; name*0=a; name*0=b", Defect::doubled_parameter), "a/b|name=a");
  EXPECT_EQ(bad("a/b; name*=nonsense-9''x", Defect::unknown_charset), "a/b|name=x");
  EXPECT_EQ(bad("a/b; name*=utf-8''%FF", Defect::bad_charset_bytes), "a/b|name=\uFFFD");
}

TEST(Content, EncodedWordsInNamesOnly) {
  EXPECT_EQ(good("attachment; filename=\"=?utf-8?Q?=C3=A4.txt?=\""), "attachment|filename=ä.txt");
  EXPECT_EQ(bad("a/b; name==?utf-8?Q?=C3=A4.txt?="), "a/b|name=ä.txt");
  EXPECT_EQ(good("a/b; name*0=\"=?utf-8?Q?=C3\"; name*1=\"=A4.txt?=\""), "a/b|name=ä.txt");
  // A boundary is what it is: nobody decodes it.
  EXPECT_EQ(good("multipart/mixed; boundary=\"=?utf-8?Q?abc?=\""),
            "multipart/mixed|boundary==?utf-8?Q?abc?=");
}

TEST(Content, BeyondAscii) {
  EXPECT_EQ(good("a/b; name=\"\xC3\xA4\""), "a/b|name=ä");
  EXPECT_EQ(good("a/b; x=\"\xE4\""), "a/b|x=ä");
}

// Each of these is read in two ways by two readers of mail.
TEST(Content, GivenTwice) {
  EXPECT_EQ(bad("multipart/mixed; boundary=a; boundary=b", Defect::doubled_parameter),
            "multipart/mixed|boundary=a|other boundary=b");
  EXPECT_EQ(bad("attachment; filename=a.txt; filename*=utf-8''b.exe", Defect::doubled_parameter),
            "attachment|filename=b.exe|other filename=a.txt");
  EXPECT_EQ(bad("attachment; filename*0=c.js; filename=a.txt; filename*=utf-8''b.exe",
                Defect::doubled_parameter),
            "attachment|filename=b.exe|other filename=c.js|other filename=a.txt");
  EXPECT_EQ(bad("multipart/mixed; boundary=a; Boundary*=us-ascii''b", Defect::doubled_parameter),
            "multipart/mixed|boundary=b|other boundary=a");
  EXPECT_EQ(good("text/plain; charset=utf-8; charset=utf-8"), "text/plain|charset=utf-8");
  EXPECT_EQ(good("a/b; name=\"=?utf-8?Q?=C3=A4?=\"; name*=utf-8''%C3%A4"), "a/b|name=ä");
}

TEST(Content, AsItIsMeant) {
  EXPECT_EQ(bad("a/b; name=my file (1).txt; x=y"), "a/b|name=my file (1).txt|x=y");
  EXPECT_EQ(bad("multipart/mixed; boundary=----=_Part_1"), "multipart/mixed|boundary=----=_Part_1");
  EXPECT_EQ(bad("text/plain charset=utf-8"), "text/plain|charset=utf-8");
  EXPECT_EQ(bad("text/plain; charset=utf-8 format=flowed"),
            "text/plain|charset=utf-8|format=flowed");
  EXPECT_EQ(bad("text/plain; charset=\"utf-8\" format=flowed"),
            "text/plain|charset=utf-8|format=flowed");
  EXPECT_EQ(bad("text/plain, charset=utf-8; a=b"), "text/plain|a=b");
  EXPECT_EQ(bad("text/plain; charset; a=b"), "text/plain|a=b");
  EXPECT_EQ(bad("text/plain; =x; a=b"), "text/plain|a=b");
  EXPECT_EQ(bad("text/plain; charset=; a=b"), "text/plain|charset=|a=b");
  EXPECT_EQ(bad("text/plain; a=\"b\" rubbish; c=d"), "text/plain|a=b|c=d");
  EXPECT_EQ(bad("multipart/mixed; boundary=\"never closed"),
            "multipart/mixed|boundary=never closed");
  EXPECT_EQ(bad("text/plain (open; a=b"), "text/plain|a=b");
  EXPECT_EQ(good("\"attachment\"; a=b"), "attachment|a=b");
}

TEST(Content, FindingsKnowTheirPlace) {
  Findings findings;
  read_content_value("a/b; name*1=\"=?utf-8?Q?a b?=\"; name*0=x", 100, findings);
  ASSERT_EQ(findings.all().size(), 1u);
  EXPECT_EQ(findings.all()[0], (Finding{Defect::bad_encoded_word, 131}));
}

TEST(Content, WorkIsBounded) {
  for (const char* piece : {";a=b", ";a*0=b", ";a*=b", ";", "(", "((", "\"", ";a=\"", ";a=(", " a=",
                            "a ", ";a=b b ", ";a=b a=", ";name==?a?q?", "/", "%", ";a*=''%"}) {
    std::string body = "text/plain";
    while (body.size() < 300'000) body += piece;
    const ContentValue content = read_content_value(body);
    size_t bytes = content.value.size();
    EXPECT_LE(content.parameters.size() + content.others.size(), kMostParameters) << piece;
    for (const auto& [name, value] : content.parameters) bytes += name.size() + value.size();
    for (const auto& [name, value] : content.others) bytes += name.size() + value.size();
    EXPECT_LE(bytes, 4 * body.size()) << piece;
  }
  std::string many = "a/b";
  for (int i = 0; i < 1'000; ++i) many += "; p" + std::to_string(i) + "=v";
  EXPECT_EQ(read_content_value(many).parameters.size(), kMostParameters);
  EXPECT_TRUE(Read(many).findings.has(Defect::bad_parameter));
}

}  // namespace
}  // namespace watchpost::mime
