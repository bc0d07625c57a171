#include "net/smtp_envelope.h"

#include "net/smtp_text.h"

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

// The sender, or "!CODE STATUS" where it is refused.
std::string sender(std::string_view arguments) {
  const auto got = parse_mail_arguments(arguments);
  if (got) return got->sender;
  return "!" + std::to_string(got.error().code) + " " + std::string(got.error().status);
}
std::string recipient(std::string_view arguments, bool smtputf8 = false) {
  const auto got = parse_rcpt_arguments(arguments, smtputf8);
  if (got) return got->address + "|" + got->notify + "|" + got->original;
  return "!" + std::to_string(got.error().code) + " " + std::string(got.error().status);
}

TEST(SmtpEnvelope, ReadsSenders) {
  EXPECT_EQ(sender("FROM:<a@b.example>"), "a@b.example");
  EXPECT_EQ(sender("from: <a@b.example>"), "a@b.example");
  EXPECT_EQ(sender("FROM:<>"), "");
  EXPECT_EQ(sender("FROM:<@c,@d.example:a@b>"), "a@b");
  EXPECT_EQ(sender("FROM:<\"a b\\\"@<>\"@b>"), "\"a b\\\"@<>\"@b");
  EXPECT_EQ(sender("FROM:<a..b.+x=y@b>"), "a..b.+x=y@b");
  EXPECT_EQ(sender("FROM:<a@[192.0.2.1]>"), "a@[192.0.2.1]");
  EXPECT_EQ(sender("FROM:<a@[IPv6:2001:db8::1]> SIZE=5"), "a@[IPv6:2001:db8::1]");
}

TEST(SmtpEnvelope, RefusesMalformedSenders) {
  for (const char* text : {"",
                           "FROM",
                           "FROM:",
                           "FROM:a@b",
                           "FROM:<a@b",
                           "FROM:<a>",
                           "FROM:<a@>",
                           "FROM:<@b>",
                           "FROM:<a b@c>",
                           "FROM:<a@b c>",
                           "FROM:<a@b@c>",
                           "FROM:<<a@b>>",
                           "FROM:<a@[1.2.3.4>",
                           "FROM:<\"a@b>",
                           "FROM:<@c:>",
                           "FROM:<@c,@d>",
                           "FROM:<a,b@c>",
                           "TO:<a@b>",
                           "FROM:<a@b\xFF> SMTPUTF8",
                           "FROM:<\xC0\xAE@b> SMTPUTF8",
                           "FROM:<\xED\xA0\x80@b> SMTPUTF8"}) {
    EXPECT_EQ(sender(text), "!501 5.1.7") << text;
  }
  EXPECT_EQ(sender("FROM:<" + std::string(600, 'a') + "@b>"), "!501 5.1.7");
  EXPECT_EQ(sender("FROM:<\xC3\xB6@b>"), "!553 5.6.7");
  EXPECT_EQ(sender("FROM:<\xC3\xB6@b> SMTPUTF8"), "\xC3\xB6@b");
}

TEST(SmtpEnvelope, RefusesWrongParameters) {
  for (const char* text :
       {"FROM:<>x", "FROM:<> SIZE", "FROM:<> SIZE=", "FROM:<> SIZE=x", "FROM:<> SIZE=-1",
        "FROM:<> SIZE=99999999999999999999", "FROM:<> SIZE=1 size=1", "FROM:<> SMTPUTF8=1",
        "FROM:<> BODY=BINARYMIME", "FROM:<> RET=ALL", "FROM:<> ENVID=a=b", "FROM:<> ENVID=+4",
        "FROM:<> =x", "FROM:<> A_B=x"}) {
    EXPECT_EQ(sender(text), "!501 5.5.4") << text;
  }
  EXPECT_EQ(sender("FROM:<> ENVID=" + std::string(101, 'a')), "!501 5.5.4");
  EXPECT_EQ(sender("FROM:<> AUTH=<>"), "!555 5.5.4");
  EXPECT_EQ(sender("FROM:<> NOTIFY=NEVER"), "!555 5.5.4");
}

TEST(SmtpEnvelope, ReadsRecipients) {
  EXPECT_EQ(recipient("TO:<a@b>"), "a@b||");
  EXPECT_EQ(recipient("TO:<Postmaster>"), "Postmaster||");
  EXPECT_EQ(recipient("TO:<a@b> NOTIFY=delay,SUCCESS ORCPT=RFC822;x+2By@z"),
            "a@b|DELAY,SUCCESS|rfc822;x+y@z");
  EXPECT_EQ(recipient("TO:<a@b> ORCPT=utf-8;\\x{1F4E7}@z"), "a@b||utf-8;\xF0\x9F\x93\xA7@z");
  EXPECT_EQ(recipient("TO:<a@b> ORCPT=utf-8;\xC3\xB6@z", true), "a@b||utf-8;\xC3\xB6@z");
  // As Postfix writes it.
  EXPECT_EQ(recipient("TO:<a@b> ORCPT=rfc822;j+C3+B6@z", true), "a@b||rfc822;j\xC3\xB6@z");
  // What is no text when it is decoded stays as it is.
  EXPECT_EQ(recipient("TO:<a@b> ORCPT=rfc822;a+0Ab+E9"), "a@b||rfc822;a+0Ab+E9");
  EXPECT_EQ(parse_mail_arguments("FROM:<> ENVID=a+0D+0A")->parameters.envelope_id, "a+0D+0A");
  EXPECT_EQ(recipient("TO:<\xC3\xB6@z>", true), "\xC3\xB6@z||");
}

TEST(SmtpEnvelope, RefusesWrongRecipients) {
  for (const char* text : {"", "TO:<>", "TO:<root>", "FROM:<a@b>", "TO:<a@b", "TO:a@b"}) {
    EXPECT_EQ(recipient(text), "!501 5.1.3") << text;
  }
  EXPECT_EQ(recipient("TO:<\xC3\xB6@z>"), "!553 5.6.7");
  for (const char* text :
       {"TO:<a@b> NOTIFY=", "TO:<a@b> NOTIFY=NEVER,SUCCESS", "TO:<a@b> NOTIFY=SUCCESS,SUCCESS",
        "TO:<a@b> NOTIFY=x", "TO:<a@b> NOTIFY=SUCCESS,", "TO:<a@b> ORCPT=x", "TO:<a@b> ORCPT=;x",
        "TO:<a@b> ORCPT=rfc822;", "TO:<a@b> ORCPT=utf-8;\\x{D800}", "TO:<a@b> ORCPT=utf-8;\\x{0A}",
        "TO:<a@b> ORCPT=utf-8;\\x{110000}", "TO:<a@b> ORCPT=utf-8;\\x{", "TO:<a@b> ORCPT=utf-8;\\y",
        "TO:<a@b> ORCPT=utf-8;\xC3\xB6@z"}) {
    EXPECT_EQ(recipient(text), "!501 5.5.4") << text;
  }
  EXPECT_EQ(recipient("TO:<a@b> ORCPT=rfc822;" + std::string(600, 'a')), "!501 5.5.4");
  EXPECT_EQ(recipient("TO:<a@b> SIZE=1"), "!555 5.5.4");
}

TEST(SmtpText, KnowsUtf8) {
  for (const char* text :
       {"", "a", "\xC3\xB6", "\xE2\x82\xAC", "\xF0\x9F\x93\xA7", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text :
       {"\x80", "\xC3", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
  for (const uint32_t code : {0x24u, 0xF6u, 0x20ACu, 0x1F4E7u, 0x10FFFFu}) {
    std::string text;
    EXPECT_TRUE(append_utf8(text, code));
    EXPECT_TRUE(is_utf8(text));
  }
}

TEST(SmtpText, RepliesStayOnALine) {
  EXPECT_EQ(reply_text("a\r\n250 \x1B\xC3\xB6z"), "a250 z");
  EXPECT_EQ(reply_text(std::string(600, 'x')).size(), 400u);
}

}  // namespace
}  // namespace watchpost::net
