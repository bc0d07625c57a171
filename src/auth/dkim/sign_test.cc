#include "auth/dkim/sign.h"

#include "auth/dkim/test_letters.h"
#include "base/text.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace watchpost::auth {
namespace {

Result<std::string> field_of(const std::string& text, const SigningOptions& options) {
  return sign_dkim(mime::Message::read(text), test_rsa(), options);
}

TEST(SignDkim, LinesAreFoldedAndShort) {
  SigningOptions options = usual_options();
  options.identity = "somebody.with.a.long.name@a.long.subdomain.of.shop.example";
  const std::string field = *field_of(kLetter, options);
  ASSERT_TRUE(field.starts_with("DKIM-Signature: v=1;") && field.ends_with("\r\n"));
  for (const std::string_view line :
       split(std::string_view(field).substr(0, field.size() - 2), '\n')) {
    EXPECT_LE(line.size(), 79u) << line;
    EXPECT_TRUE(line.starts_with("DKIM-Signature:") || line.starts_with("\t")) << line;
  }
  EXPECT_EQ(verdict_of(field + kLetter).result, DkimResult::pass);
}

TEST(SignDkim, SignsWhatIsThereAndOneMore) {
  const DkimVerdict verdict =
      verdict_of(signed_letter("Received: x\r\nList-Id: <l.shop.example>\r\n" + kLetter));
  const auto count = [&](std::string_view name) {
    return std::ranges::count(verdict.fields, name);
  };
  EXPECT_EQ(count("from"), 2);
  EXPECT_EQ(count("cc"), 1);
  EXPECT_EQ(count("list-id"), 1);
  EXPECT_EQ(count("list-post"), 0);
  EXPECT_EQ(count("received"), 0);
}

TEST(SignDkim, ChosenFields) {
  SigningOptions options = usual_options();
  options.fields = {"To", "X-Own"};
  options.oversign = false;
  const DkimVerdict verdict =
      verdict_of(signed_letter("x-own: 1\r\nX-OWN: 2\r\n" + kLetter, options));
  EXPECT_EQ(verdict.result, DkimResult::pass);
  EXPECT_EQ(verdict.fields, (std::vector<std::string>{"from", "to", "x-own", "x-own"}));
}

TEST(SignDkim, OddMessages) {
  for (const std::string& text :
       {std::string("From: a@shop.example\r\n\r\n"), std::string("From: a@shop.example\r\n"),
        std::string("From: a@shop.example"), std::string("from : a@shop.example\r\n\r\n\r\n \r\n"),
        std::string("From: a@shop.example\n\nbody \n"),
        std::string("From: \xE4@shop.example\r\nSubject:\r\n \r\n\r\n\x80 \t x")}) {
    for (const auto how : {Canonicalisation::simple, Canonicalisation::relaxed}) {
      SigningOptions options = usual_options();
      options.header = options.body = how;
      const DkimVerdict verdict = verdict_of(signed_letter(text, options));
      EXPECT_EQ(verdict.result, DkimResult::pass) << escaped(text) << verdict.why;
    }
  }
}

TEST(SignDkim, RefusesWhatCannotBe) {
  const auto refused = [](SigningOptions options, const std::string& text = kLetter) {
    const auto field = field_of(text, options);
    return !field && field.error().code == Code::bad_input;
  };
  SigningOptions options = usual_options();
  EXPECT_TRUE(refused(options, "Subject: no author\r\n\r\n"));
  options.domain = "shop";
  EXPECT_TRUE(refused(options));
  options = usual_options();
  options.selector = "a b";
  EXPECT_TRUE(refused(options));
  options = usual_options();
  options.identity = "ann@other.example";
  EXPECT_TRUE(refused(options));
  options = usual_options();
  options.fields = {"a:b"};
  EXPECT_TRUE(refused(options));
  options = usual_options();
  options.at.reset();
  options.valid = 1h;
  EXPECT_TRUE(refused(options));
}

TEST(SignDkim, NamesBeyondAsciiBecomeALabels) {
  SigningOptions options = usual_options();
  options.domain =
      "b\xC3\xBC"
      "cher.example";
  TestZone zone;
  zone.texts["rsa._domainkey.xn--bcher-kva.example"] = {record_of(test_rsa())};
  const std::string text = signed_letter(kLetter, options);
  EXPECT_EQ(verdict_of(text, zone).result, DkimResult::pass);
  EXPECT_EQ(verdict_of(text, zone).domain, "xn--bcher-kva.example");
}

}  // namespace
}  // namespace watchpost::auth
