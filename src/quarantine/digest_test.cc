#include "quarantine/digest.h"

#include "net/test_smtp_peer.h"
#include "quarantine/links.h"
#include "quarantine/test_quarantine.h"

#include <chrono>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::quarantine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The body as its reader sees it.
std::string read_body(const std::string& message) {
  std::string out;
  const size_t body = message.find("\r\n\r\n") + 4;
  for (size_t at = body; at < message.size(); ++at) {
    if (message[at] != '=') {
      if (message[at] != '\r') out += message[at];
    } else if (message[at + 1] == '\r') {
      at += 2;
    } else {
      out += static_cast<char>(std::stoi(message.substr(at + 1, 2), nullptr, 16));
      at += 2;
    }
  }
  return out;
}

class DigestTest : public testing::Test {
 protected:
  HeldMessage message(std::string_view subject = "Offer") {
    HeldMessage made;
    made.at = clock_.now() - std::chrono::hours(2);
    made.until = clock_.now() + std::chrono::hours(24 * 30);
    made.sender = "jo@shop.example";
    made.author = "jo@shop.example";
    made.author_domain = "shop.example";
    made.subject = subject;
    made.reason = "the author is not who it says";
    made.copies = {{.recipient = "Kim@x.example"}};
    return made;
  }
  void serve(std::function<std::string(const std::string&)> answer = {}) {
    server_ = std::make_unique<net::SmtpPeer>([answer](const std::string& command) {
      const std::string said = answer ? answer(command) : std::string();
      return said.empty() ? net::SmtpPeer::plain(command) : said == "close" ? "" : said;
    });
    make();
  }
  void make() {
    digest_ = std::make_unique<Digest>(Digest::Parts{
        .quarantine = quarantine_,
        .settings = {.digest_at = "07:30",
                     .digest_relay = server_->address(),
                     .digest_from = "quarantine@x.example",
                     .digest_link = "https://mail.x.example/quarantine"},
        .clock = clock_,
        .metrics = metrics_,
        .patience = {.reply = std::chrono::seconds(2), .final_reply = std::chrono::seconds(2)}});
  }
  std::vector<std::string> messages() const { return server_->messages(); }

  HandClock clock_{"2026-11-29T08:00:00Z"};
  Metrics metrics_;
  MemoryQuarantine quarantine_{clock_};
  std::unique_ptr<net::SmtpPeer> server_;
  std::unique_ptr<Digest> digest_;
};

TEST_F(DigestTest, SaysWhatIsHeldAndHowToAskForIt) {
  serve();
  const HeldId id = quarantine_.add(message("Your parcel"), "x");
  EXPECT_EQ(*digest_->send_due(), 1u);
  ASSERT_EQ(messages().size(), 1u);
  const std::string mail = messages()[0];
  EXPECT_THAT(mail, HasSubstr("From: Quarantine <quarantine@x.example>\r\nTo: kim@x.example\r\n"
                              "Subject: 1 message is held for you\r\n"));
  EXPECT_THAT(server_->commands(), Contains("RCPT TO:<kim@x.example>"));
  const std::string body = read_body(mail);
  EXPECT_THAT(body, HasSubstr("1. 2026-11-29 06:00 UTC\n   From:    jo@shop[.]example\n"
                              "   Subject: Your parcel\n   Why:     the author is not who"));
  const std::string_view link = "https://mail.x.example/quarantine?t=";
  const size_t at = body.find(link);
  ASSERT_NE(at, std::string::npos);
  const auto read = read_link_token(quarantine_.link_secret(),
                                    body.substr(at + link.size(), kLinkLetters), clock_.now());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->id, id);
  EXPECT_EQ(read->until, clock_.now() + std::chrono::hours(72));
  EXPECT_EQ(recipient_of(*read, *quarantine_.find(id)), "Kim@x.example");
}

TEST_F(DigestTest, OnceADayAndOnlyWhatIsNew) {
  serve();
  quarantine_.add(message("first"), "x");
  clock_.move(-std::chrono::minutes(31));
  EXPECT_EQ(*digest_->send_due(), 0u);  // 07:29
  clock_.move(std::chrono::minutes(1));
  EXPECT_EQ(*digest_->send_due(), 1u);
  quarantine_.add(message("second"), "x");
  clock_.move(std::chrono::hours(3));
  HeldMessage late = message("third");
  late.at = clock_.now() - std::chrono::hours(1);
  quarantine_.add(late, "x");
  EXPECT_EQ(*digest_->send_due(), 0u);
  make();  // a start in between
  EXPECT_EQ(*digest_->send_due(), 0u);
  clock_.move(std::chrono::hours(24));
  EXPECT_EQ(*digest_->send_due(), 1u);
  EXPECT_THAT(read_body(messages()[1]), HasSubstr("Subject: third"));
  EXPECT_THAT(read_body(messages()[1]), Not(HasSubstr("Subject: first")));
  clock_.move(std::chrono::hours(24));
  EXPECT_EQ(*digest_->send_due(), 0u);  // nothing new
}

TEST_F(DigestTest, WhatIsCertainIsCountedAndNotOffered) {
  serve();
  HeldMessage certain = message("malware");
  certain.certain = true;
  quarantine_.add(certain, "x");
  EXPECT_EQ(*digest_->send_due(), 0u);
  clock_.move(std::chrono::hours(24));
  quarantine_.add(message("newsletter"), "x");
  HeldMessage asked = message("asked for");
  asked.copies[0].requested = clock_.now();
  quarantine_.add(asked, "x");
  EXPECT_EQ(*digest_->send_due(), 1u);
  ASSERT_EQ(messages().size(), 1u);
  const std::string body = read_body(messages()[0]);
  EXPECT_THAT(body, HasSubstr("1 more was held for certain reasons and is not offered."));
  EXPECT_THAT(body, Not(HasSubstr("malware")));
  EXPECT_THAT(body, HasSubstr("You have asked for it."));
}

TEST_F(DigestTest, OnlyToOurRecipientsAndOnlyWhatIsHeld) {
  serve();
  HeldMessage one = message();
  one.direction = Direction::outbound;
  quarantine_.add(one, "x");
  one = message();
  one.copies[0].state = CopyState::released;
  quarantine_.add(one, "x");
  one = message();
  one.copies[0].recipient = "\"a b\r\nBcc: c\"@x.example";
  quarantine_.add(one, "x");
  EXPECT_EQ(*digest_->send_due(), 0u);
  EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(DigestTest, ManyAreCutShort) {
  serve();
  for (int i = 0; i < 60; ++i) quarantine_.add(message(), "x");
  EXPECT_EQ(*digest_->send_due(), 1u);
  const std::string body = read_body(messages()[0]);
  EXPECT_THAT(body, HasSubstr("\n50. 2026"));
  EXPECT_THAT(body, Not(HasSubstr("\n51. 2026")));
  EXPECT_THAT(body, HasSubstr("And 10 more."));
}

TEST_F(DigestTest, HostileTextStaysWhereItIs) {
  serve();
  HeldMessage hostile = message(
      "x\r\nBcc: all@x.example\r\n\r\n.\r\nhttps://evil.example/login www.evil.example \x1b[2J"
      "\xe2\x80\xae\xff");
  hostile.author = "a@b\r\n   Ask for it: http://evil.example/?t=1";
  hostile.reason = std::string(100'000, 'x');
  quarantine_.add(hostile, "x");
  EXPECT_EQ(*digest_->send_due(), 1u);
  ASSERT_EQ(messages().size(), 1u);
  const std::string mail = messages()[0];
  EXPECT_THAT(mail, Not(HasSubstr("\r\nBcc")));
  EXPECT_LT(mail.size(), 4000u);
  for (const char c : mail) ASSERT_TRUE((c >= ' ' && c < 0x7F) || c == '\r' || c == '\n');
  const std::string body = read_body(mail);
  EXPECT_THAT(body, Not(HasSubstr("https://evil")));
  EXPECT_THAT(body, Not(HasSubstr("evil.example")));
  EXPECT_THAT(body, Not(HasSubstr("\n   Ask for it: http:")));
  EXPECT_THAT(body, HasSubstr("https[:]//evil[.]example/login www[.]evil[.]example \\x1b"));
}

TEST_F(DigestTest, WhatTheRelayHasNotIsTriedAgainTheSameDay) {
  std::atomic<bool> no = true;
  serve([&](const std::string& command) {
    return command.starts_with("MAIL") && no ? "451 later\r\n" : "";
  });
  quarantine_.add(message(), "x");
  EXPECT_EQ(*digest_->send_due(), 0u);
  no = false;
  EXPECT_EQ(*digest_->send_due(), 0u);  // not at once
  clock_.move(std::chrono::minutes(10));
  EXPECT_EQ(*digest_->send_due(), 1u);
  EXPECT_EQ(messages().size(), 1u);
}

TEST_F(DigestTest, WhatTheRelayMayHaveIsNotSentTwiceAndIsToldTomorrow) {
  std::atomic<bool> breaks = true;
  serve([&](const std::string& command) {
    return command == "." && breaks.exchange(false) ? "close" : "";
  });
  quarantine_.add(message("first"), "x");
  EXPECT_EQ(*digest_->send_due(), 0u);
  clock_.move(std::chrono::hours(1));
  EXPECT_EQ(*digest_->send_due(), 0u);
  EXPECT_EQ(messages().size(), 1u);
  clock_.move(std::chrono::hours(23));
  EXPECT_EQ(*digest_->send_due(), 1u);
  EXPECT_THAT(read_body(messages()[1]), HasSubstr("Subject: first"));
}

TEST_F(DigestTest, ACrashBetweenMarkAndMailSkipsNothing) {
  serve();
  quarantine_.add(message("first"), "x");
  // As a kill leaves it: the day is marked, and nothing was told.
  const Time day = *parse_time("2026-11-29T00:00:00Z");
  ASSERT_TRUE(quarantine_.mark_digest("kim@x.example", {.day = day}));
  EXPECT_EQ(*digest_->send_due(), 0u);
  clock_.move(std::chrono::hours(24));
  EXPECT_EQ(*digest_->send_due(), 1u);
  EXPECT_THAT(read_body(messages()[0]), HasSubstr("Subject: first"));
}

TEST_F(DigestTest, NothingIsSentThatCannotBeMarked) {
  serve();
  quarantine_.add(message(), "x");
  quarantine_.broken_disk = true;
  EXPECT_FALSE(digest_->send_due());
  EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(DigestTest, RunsByItself) {
  serve();
  quarantine_.add(message(), "x");
  digest_->start();
  for (int i = 0; i < 1000 && messages().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  digest_->stop();
  EXPECT_EQ(messages().size(), 1u);
}

TEST(DigestText, NoLinksOfOthers) {
  EXPECT_EQ(defanged("see http://a.b/c.d now. 2.0 U.S"),
            "see http[:]//a[.]b/c[.]d now. 2[.]0 U[.]S");
  EXPECT_EQ(defanged("...a. .b"), "...a. .b");
  EXPECT_EQ(defanged("b\xc3\xbc.example"), "b\xc3\xbc[.]example");
}

TEST(DigestText, TimesOfDay) {
  EXPECT_EQ(time_of_day("07:30"), std::chrono::minutes(450));
  EXPECT_EQ(time_of_day("00:00"), std::chrono::minutes(0));
  for (const char* bad : {"", "7:30", "24:00", "07:60", "07.30", "07:3x", "07:300"}) {
    EXPECT_EQ(time_of_day(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace watchpost::quarantine
