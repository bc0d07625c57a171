// How a suppressed recipient is refused, and how that is known again.
#include "suppress/reply.h"

#include "suppress/reply_tags.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const ReplyTags kTags("a secret of this installation");

// A bounce of `recipient` with that reply.
Event bounce(std::string_view recipient, std::string_view reply) {
  Event event{.kind = EventKind::bounced};
  event[Field::recipient] = recipient;
  event[Field::reply] = reply;
  return event;
}

TEST(Reply, MustBeOneThatSmtpKnows) {
  for (const char* const good : {"550 5.1.1 no", "450 4.2.1 Not now.", "554 5.7.123 a b"}) {
    EXPECT_TRUE(check_reply(good)) << good;
  }
  for (const char* const bad :
       {"", "550", "550 5.1.1", "550 5.1.1 ", "250 2.0.0 ok", "550 4.1.1 no", "550 5.1 no",
        "550 no no", "5500 5.1.1 no", "550 5.1.1 no\n", "550 5.1.1 n\xc3\xb6",
        "550 5.1.1 (watchpost d-1)", "x50 5.1.1 no"}) {
    EXPECT_FALSE(check_reply(bad)) << bad;
  }
  EXPECT_FALSE(check_reply("550 5.1.1 " + std::string(200, 'n')));
  EXPECT_TRUE(check_reply(kUsualReply));
}

TEST(Reply, AccessLinesHaveTheMark) {
  EXPECT_EQ(access_line("a@x.example", "550 5.1.1 no", "(watchpost suppression 12)"),
            "a@x.example 550 5.1.1 no (watchpost suppression 12)");
  // They would be comments, or quoted keys.
  EXPECT_EQ(access_line("#a@x.example", "550 5.1.1 no", ""), "");
  EXPECT_EQ(access_line("\"a\"@x.example", "550 5.1.1 no", ""), "");
}

// Refusals stand in tables of mail servers: another code would make them strangers'.
TEST(ReplyTags, StayAsTheyAre) {
  EXPECT_EQ(kTags.mark_of("a@x.example"), "(watchpost suppression 9a4193aa6a279a35)");
}

TEST(ReplyTags, AnEchoIsKnownHoweverItComesBack) {
  const std::string mark = kTags.mark_of("a@x.example");
  std::string folded = mark;
  folded.replace(folded.find(' '), 1, "\r\n ").replace(folded.rfind(' '), 1, "\n\t");
  for (const std::string& reply :
       {"550 5.1.1 no " + mark, mark,
        "host mx1[192.0.2.1] said: 550 5.1.1 <a@x.example>: no " + mark +
            " (in reply to RCPT TO command)",
        "smtp; 550 5.1.1 no " + folded, "550 \"(watchpost \"@y.example (watchpost x) " + mark}) {
    EXPECT_TRUE(kTags.is_echo(bounce("a@x.example", reply))) << reply;
    EXPECT_TRUE(kTags.is_echo(bounce("<A@X.example.>", reply))) << reply;
    Event moved = bounce("b@y.example", reply);
    EXPECT_FALSE(kTags.is_echo(moved)) << reply;
    moved[Field::original_recipient] = "a@x.example";
    EXPECT_TRUE(kTags.is_echo(moved)) << reply;
  }
  Event later = bounce("a@x.example", mark);
  for (const auto kind : {EventKind::deferred, EventKind::expired, EventKind::rejected}) {
    later.kind = kind;
    EXPECT_TRUE(kTags.is_echo(later));
  }
  for (const auto kind : {EventKind::delivered, EventKind::complained, EventKind::unsubscribed}) {
    later.kind = kind;
    EXPECT_FALSE(kTags.is_echo(later));
  }
}

TEST(ReplyTags, NobodyElseCanMakeOne) {
  const std::string mark = kTags.mark_of("a@x.example");
  std::string other_case = mark;
  for (char& c : other_case) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  std::string changed = mark;
  changed[changed.size() - 2] = changed[changed.size() - 2] == '0' ? '1' : '0';
  for (const std::string& forged :
       {std::string("(watchpost suppression)"), ReplyTags("another secret").mark_of("a@x.example"),
        kTags.mark_of("b@x.example"), kTags.mark_of(""), changed, other_case,
        mark.substr(0, mark.size() - 1), mark.substr(1), std::string("(watchpost suppression "),
        std::string("(watchpost")}) {
    EXPECT_FALSE(kTags.is_echo(bounce("a@x.example", "550 5.1.1 no " + forged))) << forged;
    EXPECT_FALSE(kTags.is_echo(bounce("", "550 5.1.1 no " + forged))) << forged;
  }
}

}  // namespace
}  // namespace watchpost::suppress
