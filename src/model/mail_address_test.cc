#include "model/mail_address.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost {
namespace {

TEST(MailAddress, WaysOfWritingOneMailboxComeToTheSame) {
  struct Case {
    std::string_view written, key;
  };
  const std::string longest_label(63, 'l');
  const std::string long_label = "a@" + longest_label + ".example";
  for (const Case& one : {
           Case{"a@x.example", "a@x.example"},
           Case{"A.Person+tag@X.EXAMPLE", "a.person+tag@x.example"},
           Case{"<a@x.example>", "a@x.example"},
           Case{"a@x.example.", "a@x.example"},
           Case{"a..b.@x.example", "a..b.@x.example"},
           Case{"!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~@x"},
           Case{"a@some_host.x-y.example", "a@some_host.x-y.example"},
           Case{long_label, long_label},
           // Quotes that say nothing go, others stay as short as can be.
           Case{"\"A.b\"@x.example", "a.b@x.example"},
           Case{"\"a\\b\"@x.example", "ab@x.example"},
           Case{"\"a B\"@x.example", "\"a b\"@x.example"},
           Case{"\"a\\ b;c@d\"@x.example", "\"a b;c@d\"@x.example"},
           Case{"\"a\\\"\\\\b\"@x.example", "\"a\\\"\\\\b\"@x.example"},
           // Beyond ASCII.
           Case{"bob@B\u00dcCHER.example", "bob@xn--bcher-kva.example"},
           Case{"bob@bu\u0308cher.example", "bob@xn--bcher-kva.example"},
           Case{"bob@XN--bcher-kva.example", "bob@xn--bcher-kva.example"},
           Case{"\u00d6SI@x.example", "\u00f6si@x.example"},
           Case{"O\u0308si@x.example", "\u00f6si@x.example"},
           Case{"\"\u00d6 B\"@\u4f8b.example", "\"\u00f6 b\"@xn--fsq.example"},
       }) {
    EXPECT_EQ(mail_address_key(one.written), one.key) << one.written;
    EXPECT_EQ(mail_address_key(one.key), one.key);
  }
}

TEST(MailAddress, WhatIsNoneHasNoKey) {
  const std::string long_label = "a@" + std::string(64, 'l') + ".example";
  const std::string long_local = std::string(320, 'a') + "@x.example";
  // Each U-label of these is longer as an A-label.
  std::string grows = std::string(250, 'a') + "@";
  for (int i = 0; i < 10; ++i) grows += "\u00e9\u00e9.";
  grows += "example";
  for (const std::string_view none : {std::string_view(""),
                                      std::string_view("@"),
                                      std::string_view("a"),
                                      std::string_view("a@"),
                                      std::string_view("@x"),
                                      std::string_view("@@x"),
                                      std::string_view("a@b@c.example"),
                                      std::string_view("a@*"),
                                      std::string_view("a@-"),
                                      std::string_view("a@-x.example"),
                                      std::string_view("a@x-.example"),
                                      std::string_view("a@x.example.."),
                                      std::string_view("a@x..example"),
                                      std::string_view("a@.x.example"),
                                      std::string_view("a@x.example:25"),
                                      std::string_view("a@x.example\\n"),
                                      std::string_view("a@x{y}"),
                                      std::string_view("a@[192.0.2.1]"),
                                      std::string_view("mailto:a@x.example"),
                                      std::string_view("a;b@x.example"),
                                      std::string_view("a,b@x.example"),
                                      std::string_view("a b@x.example"),
                                      std::string_view(" a@x.example"),
                                      std::string_view("Bob <bob@x.example>"),
                                      std::string_view("a\"b@x.example"),
                                      std::string_view("\"a\"b\"@x.example"),
                                      std::string_view("\"\"@x.example"),
                                      std::string_view("\"a\\\"@x.example"),
                                      std::string_view("\"@x.example"),
                                      std::string_view("a\nb@x.example"),
                                      std::string_view("\"a\nb\"@x.example"),
                                      std::string_view("a\0b@x.example", 13),
                                      std::string_view("a@x.example\0", 12),
                                      std::string_view("\xff@x.example"),
                                      std::string_view("a@\xff.example"),
                                      std::string_view("a@\u00e9\0.example", 14),
                                      std::string_view("a\u0085@x.example"),
                                      std::string_view("a\u202e@x.example"),
                                      std::string_view("a@\u2603\u202e.example"),
                                      std::string_view(long_label),
                                      std::string_view(long_local),
                                      std::string_view(grows)}) {
    EXPECT_EQ(mail_address_key(none), "") << none;
  }
}

}  // namespace
}  // namespace watchpost
