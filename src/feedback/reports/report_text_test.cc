#include "feedback/reports/report_text.h"

#include "feedback/reports/reply_in_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

std::vector<std::string> found_in(std::string_view line) {
  std::vector<std::string> found;
  for (const AddressInText& address : addresses_in(line)) found.emplace_back(address.text);
  return found;
}
using Addresses = std::vector<std::string>;

TEST(ReportText, OneLine) {
  EXPECT_EQ(one_line(" a\r\n\tb\x01 c  "), "a b c");
  EXPECT_EQ(one_line("caf\xE9"), "café");
  EXPECT_EQ(one_line("\x1B$B$O$$\x1B(B"), "はい");
  EXPECT_EQ(one_line("ab\xC3\xA9", 3), "ab");  // not half a character
  EXPECT_EQ(one_line("abc", 3), "abc");
  EXPECT_EQ(one_line(""), "");
}

TEST(ReportText, AddressesInALine) {
  EXPECT_EQ(found_in("<kim@example.com>: host mx.example.com[192.0.2.4] said no"),
            Addresses{"kim@example.com"});
  EXPECT_EQ(found_in("kim@example.com... unknown, lee@sub.example.net."),
            (Addresses{"kim@example.com", "lee@sub.example.net"}));
  EXPECT_EQ(found_in("c=US;a= ;dda:SMTP=kim@example.com; on Monday"), Addresses{"kim@example.com"});
  EXPECT_EQ(found_in("\"kim smith\"@example.com is gone"), Addresses{"\"kim smith\"@example.com"});
  EXPECT_EQ(found_in("bounce-7+kim=example.com@sender.example"),
            Addresses{"bounce-7+kim=example.com@sender.example"});
  EXPECT_EQ(found_in("'kim@example.com'"), Addresses{"kim@example.com"});
  EXPECT_EQ(found_in("kim@[192.0.2.1] and kim@"), Addresses{"kim@[192.0.2.1]"});
  EXPECT_EQ(found_in("@ @@ a@ @b"), Addresses{});
  EXPECT_EQ(found_in("=?utf-8?q?kim?=@example.com"), Addresses{"=?utf-8?q?kim?=@example.com"});
}

TEST(ReportText, AddressesAreBounded) {
  std::string line;
  for (int i = 0; i < 1'000; ++i) line += "a@b.example ";
  EXPECT_EQ(addresses_in(std::string_view(line)).size(), 50u);
  const std::string odd(200'000, '@');
  EXPECT_TRUE(addresses_in(std::string_view(odd)).empty());
}

TEST(ReportText, AddressOfAReport) {
  EXPECT_EQ(report_address("rfc822; <kim@example.com> (Kim)"), "kim@example.com");
  EXPECT_EQ(report_address(" RFC822;kim@example.com"), "kim@example.com");
  EXPECT_EQ(report_address("<kim@example.com>"), "kim@example.com");
  EXPECT_EQ(report_address("rfc822;@relay.example:kim@example.com"), "kim@example.com");
  EXPECT_EQ(report_address("x400; /RFC-822=kim@example.com/ADMD= /C=WW/"), "kim@example.com");
  EXPECT_EQ(report_address("x400; /S=kim/PRMD=example/C=GB/"), "/S=kim/PRMD=example/C=GB/");
  EXPECT_EQ(report_address("utf-8; \\x{E9}lise@example.com"), "élise@example.com");
  EXPECT_EQ(report_address("utf-8; \\x{110000}a@example.com"), "a@example.com");
  EXPECT_EQ(report_address("kim"), "kim");
  EXPECT_EQ(report_address(""), "");
}

TEST(ReportText, Html) {
  EXPECT_EQ(one_line(text_of_html("<html><head><title>x</title></head><body>Your&nbsp;message<br>"
                                  "was <b>not</b> sent &lt;kim@example.com&gt; &#39;now&#39;")),
            "Your message was not sent <kim@example.com> 'now'");
  EXPECT_EQ(text_of_html("a<br>b"), "a\nb");
  EXPECT_EQ(text_of_html("<style>p { color: red }</style>x"), "x");
  EXPECT_EQ(text_of_html("1 < 2 &unknown; &"), "1 < 2 &unknown; &");
  EXPECT_EQ(text_of_html("<style>never ended"), "");
}

TEST(ReplyInText, CodeAndStatus) {
  const auto said = [](std::string_view text) {
    const ReplyInText reply = reply_in(text);
    return std::to_string(reply.code) + ' ' + std::string(reply.status);
  };
  EXPECT_EQ(said("550-5.1.1 no such user"), "550 5.1.1");
  EXPECT_EQ(said("Sorry, no mailbox here by that name. (#5.1.1)"), "0 5.1.1");
  EXPECT_EQ(said("mailbox unavailable. [SMTP Error Code 550]"), "550 ");
  EXPECT_EQ(said("Remote Server returned '550 5.1.10 RESOLVER.ADR; not found'"), "550 5.1.10");
  EXPECT_EQ(said("ERROR_CODE :421, ERROR_CODE :, Host not reachable."), "421 ");
  EXPECT_EQ(said("5.0.0 - Other 550 5.2.2 full"), "550 5.2.2");
  EXPECT_EQ(said("Internet Mail Service (5.5.2653.19)"), "0 ");
  EXPECT_EQ(said("Exim 4.72 at 10.4.5.1 and 192.0.2.5:550"), "0 ");
  EXPECT_EQ(said("message of 552 bytes, 500 recipients"), "0 ");
  EXPECT_EQ(said("250 2.0.0 fine"), "0 ");
  EXPECT_EQ(said("5"), "0 ");
}

TEST(ReplyInText, Stage) {
  EXPECT_EQ(stage_in("550 no (in reply to RCPT TO command)"), "RCPT");
  EXPECT_EQ(stage_in("SMTP error from remote mail server after end of data:"), "END-OF-MESSAGE");
  EXPECT_EQ(stage_in("192.0.2.4 does not like recipient."), "RCPT");
  EXPECT_EQ(stage_in("mx [192.0.2.4] did not like our final DATA:"), "END-OF-MESSAGE");
  EXPECT_EQ(stage_in("550 no such user"), "");
}

}  // namespace
}  // namespace watchpost::feedback
