#include "auth/results/authentication_results.h"

#include <string>

#include <gmock/gmock.h>

namespace watchpost::auth {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// "id: method=result (comment) [reason] type.name=value; ...".
std::string shown(const AuthenticationResults& read) {
  std::string text = read.authserv_id + ":";
  for (const MethodResult& one : read.results) {
    text += " " + one.method;
    if (one.version != 1) text += "/" + std::to_string(one.version);
    text += "=" + one.result;
    if (!one.comment.empty()) text += " (" + one.comment + ")";
    if (!one.reason.empty()) text += " [" + one.reason + "]";
    for (const ResultProperty& property : one.properties) {
      text += " " + property.type + "." + property.name + "=" + property.value;
    }
    text += ";";
  }
  return text;
}

std::string good(std::string_view body) {
  const auto read = parse_authentication_results(body);
  if (!read) return "unread: " + read.error();
  return shown(*read);
}

bool bad(std::string_view body) { return !parse_authentication_results(body).has_value(); }

TEST(AuthenticationResults, NothingDone) {
  EXPECT_EQ(good(" mx.example.org; none"), "mx.example.org:");
  EXPECT_EQ(good("mx.example.org 1; none"), "mx.example.org:");
  EXPECT_EQ(good("mx.example.org"), "mx.example.org:");
  EXPECT_EQ(good("mx.example.org;"), "mx.example.org:");
}

TEST(AuthenticationResults, MethodsWithPropertiesAndReasons) {
  EXPECT_EQ(good("mx.example.org; spf=pass smtp.mailfrom=jo@shop.example"),
            "mx.example.org: spf=pass smtp.mailfrom=jo@shop.example;");
  EXPECT_EQ(good("mx.example.org;\r\n DKIM/1 = Fail reason=\"body; changed\"\r\n"
                 "\theader.d=shop.example header.i=@shop.example; iprev=pass "
                 "policy.iprev=\"2001:db8::1\""),
            "mx.example.org: dkim=fail [body; changed] header.d=shop.example "
            "header.i=@shop.example; iprev=pass policy.iprev=2001:db8::1;");
  EXPECT_EQ(good("a; x-new/2=pass"), "a: x-new/2=pass;");
  EXPECT_EQ(good("a; auth=pass (cram-md5) smtp.auth=\"jo do\"@shop.example"),
            "a: auth=pass (cram-md5) smtp.auth=\"jo do\"@shop.example;");
}

TEST(AuthenticationResults, CommentsAndBlanksAnywhere) {
  EXPECT_EQ(good("(a) \"mx.example.org\" (b) 1 (c); (d) dkim (e) / (f) 1 (g) = (h) pass (i (j)) "
                 "reason (k) = (l) ok (m) header (n) . (o) d (p) = (q) a.example (r)"),
            "mx.example.org: dkim=pass (i (j)) [ok] header.d=a.example;");
  EXPECT_EQ(good("a; spf=pass\r\n (one\r\n  two)"), "a: spf=pass (one  two);");
}

// What nobody quoted though the grammar wants it, where its end is plain all the same.
TEST(AuthenticationResults, UnquotedValues) {
  EXPECT_EQ(good("a; arc=pass smtp.remote-ip=2001:db8::1; dkim=pass header.b=Ab/c+d=="),
            "a: arc=pass smtp.remote-ip=2001:db8::1; dkim=pass header.b=Ab/c+d==;");
  EXPECT_EQ(good("a; spf=none smtp.mailfrom=; dkim=none"),
            "a: spf=none smtp.mailfrom=; dkim=none;");
}

TEST(AuthenticationResults, WhatCanBeReadInTwoWaysIsNotRead) {
  for (const std::string_view body : {"",
                                      ";",
                                      "; spf=pass",
                                      "mx example.org; none",
                                      "mx.example.org 1 2; none",
                                      "\"mx.example.org\"1; none",
                                      "mx.example.org x; none",
                                      "mx.example.org 2; spf=pass",
                                      "mx.example.org (; none",
                                      "\"mx.example.org; none",
                                      "mx@example.org; none",
                                      "a; spf",
                                      "a; spf=",
                                      "a; =pass",
                                      "a; spf=pass header.d",
                                      "a; spf=pass header.d=a.example,b",
                                      "a; spf=pass header=x",
                                      "a; spf=pass(",
                                      "a; spf=pass reason=a reason=b",
                                      "a; spf=pass header.d=\"a\"b.example",
                                      "a; spf=pa:ss",
                                      "a; spf/x=pass",
                                      "a; none; spf=pass",
                                      "a spf=pass",
                                      "a; spf=pass header.d=<a>",
                                      "a 99999999999; none"}) {
    EXPECT_TRUE(bad(body)) << body << " -> " << good(body);
  }
  EXPECT_TRUE(bad(std::string("mx\0.example.org; none", 21)));
  EXPECT_TRUE(bad("mx\xff.example.org; none"));
}

TEST(AuthenticationResults, Bounds) {
  std::string many = "a";
  for (size_t i = 0; i < kMostResults; ++i) many += "; spf=pass";
  EXPECT_FALSE(bad(many));
  EXPECT_TRUE(bad(many + "; spf=pass"));
  std::string wide = "a; spf=pass";
  for (size_t i = 0; i < kMostResultProperties; ++i) wide += " header.d=a";
  EXPECT_FALSE(bad(wide));
  EXPECT_TRUE(bad(wide + " header.d=a"));
  EXPECT_TRUE(bad("a; spf=pass reason=" + std::string(kLongestResultsField, 'a')));
  EXPECT_FALSE(bad("a " + std::string(30'000, '(') + std::string(30'000, ')') + "; none"));
  EXPECT_TRUE(bad("a " + std::string(60'000, '(') + "; none"));
}

AuthenticationResults of_dkim(std::string domain, std::string reason = {}) {
  return {.authserv_id = "mx.example.org",
          .results = {{.method = "dkim",
                       .result = "pass",
                       .reason = std::move(reason),
                       .properties = {{"header", "d", std::move(domain)}}}}};
}

TEST(AuthenticationResults, Written) {
  EXPECT_EQ(authentication_results_field({.authserv_id = "mx.example.org"}),
            "Authentication-Results: mx.example.org; none\r\n");
  EXPECT_EQ(authentication_results_field(of_dkim("shop.example")),
            "Authentication-Results: mx.example.org;\r\n dkim=pass header.d=shop.example\r\n");
  EXPECT_EQ(authentication_results_body(of_dkim("shop.example"), "\n"),
            "mx.example.org;\n dkim=pass header.d=shop.example");
}

TEST(AuthenticationResults, LinesAreFolded) {
  AuthenticationResults results{.authserv_id = "mx.example.org"};
  MethodResult& one = results.results.emplace_back();
  one.method = "dkim";
  one.result = "pass";
  one.comment = "2048 bits";
  for (int i = 0; i < 12; ++i) one.properties.push_back({"header", "d", "some-domain.example"});
  const std::string field = authentication_results_field(results);
  for (size_t at = 0; at < field.size();) {
    const size_t end = field.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 78u);
    EXPECT_NE(field[at] == ' ', at == 0);
    at = end + 2;
  }
  EXPECT_EQ(parse_authentication_results(field.substr(field.find(':') + 1)), results);
}

// Reliability C3, E-S4: what comes from outside stays a value, whatever it has in it.
TEST(AuthenticationResults, ValuesCannotBreakOut) {
  for (const std::string_view hostile :
       {"a.example; dmarc=pass header.from=bank.example", "a.example (x); spf=pass", "a.example\"",
        "a.example\\", "legitimate.com'a.attack.com", "a.example\r\nFrom: bank.example", "a(b",
        "a)b", "a\"; spf=pass\"", "", " ", "a b", "@", "a@", "a@b@c", "\"x\"@y",
        "=?utf-8?q?x?=", "\xff\xfe",
        "b\xc3\xbc"
        "cher.example"}) {
    for (const auto& results :
         {of_dkim(std::string(hostile)), of_dkim("a.example", std::string(hostile))}) {
      const std::string body = authentication_results_body(results);
      const auto read = parse_authentication_results(body);
      ASSERT_TRUE(read) << hostile << ": " << read.error();
      ASSERT_EQ(read->results.size(), 1u) << body;
      EXPECT_EQ(read->results[0].method, "dkim");
      EXPECT_EQ(read->results[0].properties.size(), 1u) << body;
      EXPECT_EQ(read->results[0].property("header", "from"), "") << body;
      EXPECT_THAT(body, Not(HasSubstr("\nFrom")));
    }
  }
  const std::string quoted = authentication_results_body(of_dkim("legitimate.com\"a.attack.com"));
  EXPECT_THAT(quoted, HasSubstr("header.d=\"legitimate.com\\\"a.attack.com\""));
}

TEST(AuthenticationResults, WhatCannotBeWrittenIsLeftOut) {
  AuthenticationResults results = of_dkim(std::string(701, 'a'));
  EXPECT_EQ(authentication_results_body(results, "\n"), "mx.example.org;\n dkim=pass");
  results.results[0].method = "dkim=pass; spf";
  EXPECT_EQ(authentication_results_body(results), "mx.example.org; none");
  results = of_dkim("a.example");
  results.results[0].properties[0].type = "header.d=x smtp";
  EXPECT_EQ(authentication_results_body(results, "\n"), "mx.example.org;\n dkim=pass");
}

TEST(AuthenticationResults, LongReasonsAreCutBetweenCharacters) {
  std::string words = "a";
  for (int i = 0; i < 200; ++i) words += "\xc3\xbc";
  const auto read = parse_authentication_results(
      authentication_results_body(of_dkim("a.example", std::move(words))));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->results[0].reason.size(), 199u);
}

}  // namespace
}  // namespace watchpost::auth
