#include "feedback/reports/complaint_text.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace watchpost::feedback {
namespace {

TEST(ComplaintText, AddressIsBare) {
  EXPECT_EQ(bare_address("<kim@example.com>"), "kim@example.com");
  EXPECT_EQ(bare_address(" kim@example.com "), "kim@example.com");
  EXPECT_EQ(bare_address("rfc822; kim@example.com"), "kim@example.com");
  EXPECT_EQ(bare_address("Kim <kim@example.com>"), "kim@example.com");
  EXPECT_EQ(bare_address("<>"), "");
  EXPECT_EQ(bare_address(""), "");
  EXPECT_EQ(bare_address("<redacted>"), "redacted");
  EXPECT_EQ(bare_address("not\r\n\tto be read"), "not to be read");
}

TEST(ComplaintText, IpIsFoundAmongWords) {
  EXPECT_EQ(bare_ip("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(bare_ip("[192.0.2.1]"), "192.0.2.1");
  EXPECT_EQ(bare_ip("192.0.2.1 (mail.example.com)"), "192.0.2.1");
  EXPECT_EQ(bare_ip("IPv6:2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(bare_ip("from mail.example.com (2001:db8::1)"), "2001:db8::1");
  EXPECT_EQ(bare_ip("999.0.2.1"), "999.0.2.1");
  EXPECT_EQ(bare_ip("unknown"), "unknown");
  EXPECT_EQ(bare_ip(""), "");
}

TEST(ComplaintText, IpHasNoWords) {
  EXPECT_TRUE(is_ipv4("192.0.2.1"));
  EXPECT_FALSE(is_ipv4("192.0.2"));
  EXPECT_FALSE(is_ipv4("192.0.2.256"));
  EXPECT_FALSE(is_ipv4(std::string_view("192.0.2.1\0x", 11)));
  EXPECT_TRUE(is_ipv6("::1"));
  EXPECT_FALSE(is_ipv6("fe80::1%eth0"));
  EXPECT_FALSE(is_ip(""));
  EXPECT_FALSE(is_ip(std::string(100, '1')));
}

TEST(ComplaintText, MessageIdHasNoBrackets) {
  EXPECT_EQ(bare_message_id("<a@b>"), "a@b");
  EXPECT_EQ(bare_message_id("a@b"), "a@b");
  EXPECT_EQ(bare_message_id("<a@b"), "<a@b");
  EXPECT_EQ(bare_message_id("the <a@b> one"), "a@b");
}

TEST(ComplaintText, RedactedIsToldFromNames) {
  for (const std::string_view address :
       {"redacted@example.com", "[redacted]@example.com", "***@example.com", "k***@example.com",
        "xxxxx@example.com", "@example.com", "REDACTED", "kim@redacted",
        "0123456789abcdef0123456789abcdef@example.com",
        "rH0aBq3XkP8vLz2Wn5Tc7Yd1Me4=@example.com"}) {
    EXPECT_TRUE(is_redacted(address)) << address;
  }
  for (const std::string_view address :
       {"kim@example.com", "x@example.com", "xx@example.com", "a.b@example.com",
        "kim.maria.van.der.longname.2026@example.com",
        "supercalifragilisticexpialidocious@x.example", "1234567890@example.com"}) {
    EXPECT_FALSE(is_redacted(address)) << address;
  }
}

TEST(ComplaintText, DefectIsNotedOnce) {
  FeedbackMail mail;
  note(mail, "a");
  note(mail, "b");
  note(mail, "a");
  EXPECT_EQ(mail.defects, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace watchpost::feedback
