#include "net/smtp_delivery.h"

#include "base/metrics.h"
#include "net/io.h"
#include "net/smtp_server.h"
#include "net/test_smtp_peer.h"

#include <mutex>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

using Kind = SmtpFate::Kind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr SmtpPatience kShort{.connect = std::chrono::seconds(2),
                              .reply = std::chrono::milliseconds(200),
                              .block = std::chrono::milliseconds(200),
                              .final_reply = std::chrono::milliseconds(300),
                              .at_stop = std::chrono::milliseconds(50)};

SmtpMail mail_of(std::string_view message) {
  return {.from = "jo@shop.example",
          .to = {{.address = "kim@example.com"}, {.address = "lee@example.com"}},
          .message = message};
}

std::vector<Kind> kinds_of(const SmtpDelivery::Outcome& outcome) {
  std::vector<Kind> kinds;
  for (const SmtpFate& fate : outcome.fates) kinds.push_back(fate.kind);
  return kinds;
}

// One message to a peer that answers so.
struct Sent {
  std::vector<Kind> kinds;
  std::string text;
  bool reached = false;
  std::vector<std::string> commands, messages;
};
Sent send_to(SmtpPeer::Answer answer, std::string_view message = "Subject: x\r\n\r\nHi\r\n") {
  SmtpStop stop;
  Sent sent;
  SmtpPeer peer(std::move(answer));
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = kShort}, stop);
  const auto outcome = delivery.send(mail_of(message));
  EXPECT_TRUE(outcome) << outcome.error().text();
  if (!outcome) return sent;
  return {kinds_of(*outcome), outcome->fates.front().text, outcome->reached, peer.commands(),
          peer.messages()};
}

// An answer to one command; all else is as usual.
SmtpPeer::Answer but(std::string_view command, std::string_view reply) {
  return [command = std::string(command), reply = std::string(reply)](const std::string& said) {
    return said.starts_with(command) ? reply : SmtpPeer::plain(said);
  };
}

TEST(SmtpDelivery, SaysWhatIsToBeSaid) {
  const Sent sent = send_to({});
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::taken, Kind::taken));
  EXPECT_EQ(sent.text, "250 2.0.0 fine");
  EXPECT_THAT(sent.commands,
              ElementsAre("EHLO us.example", "MAIL FROM:<jo@shop.example> SIZE=18",
                          "RCPT TO:<kim@example.com>", "RCPT TO:<lee@example.com>", "DATA", "."));
  EXPECT_THAT(sent.messages, ElementsAre("Subject: x\r\n\r\nHi\r\n"));
}

TEST(SmtpDelivery, KnowsWhatBecameOfIt) {
  const auto both = [](const Sent& sent) {
    EXPECT_EQ(sent.kinds.size(), 2u);
    EXPECT_EQ(sent.kinds.front(), sent.kinds.back());
    return sent.kinds.front();
  };
  const auto silence = SmtpPeer::kSilence;
  EXPECT_EQ(both(send_to(but("hello", "554 no\r\n"))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("hello", silence))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("hello", "nonsense\r\n"))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("hello", "220-a\r\n221 b\r\n"))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("EHLO", "421 busy\r\n"))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("EHLO", "502 what?\r\n"))), Kind::taken);  // by HELO
  EXPECT_EQ(both(send_to(but("MAIL", "451 later\r\n"))), Kind::deferred);
  EXPECT_EQ(both(send_to(but("MAIL", "552 too big\r\n"))), Kind::refused);
  EXPECT_EQ(both(send_to(but("MAIL", ""))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("RCPT", silence))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("DATA", "451 later\r\n"))), Kind::deferred);
  EXPECT_EQ(both(send_to(but("DATA", "250 fine\r\n"))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but("DATA", ""))), Kind::not_sent);
  EXPECT_EQ(both(send_to(but(".", "451 4.7.1 later\r\n"))), Kind::deferred);
  EXPECT_EQ(both(send_to(but(".", "554 5.7.1 no\r\n"))), Kind::refused);
  EXPECT_EQ(both(send_to(but(".", "421 bye\r\n"))), Kind::deferred);
  // From here on nobody knows.
  EXPECT_EQ(both(send_to(but(".", ""))), Kind::in_doubt);
  EXPECT_EQ(both(send_to(but(".", silence))), Kind::in_doubt);
  EXPECT_EQ(both(send_to(but(".", "354 go on\r\n"))), Kind::in_doubt);
  EXPECT_EQ(both(send_to(but(".", "25 0 fine\r\n"))), Kind::in_doubt);
}

TEST(SmtpDelivery, AnAnswerToSomethingElseIsNone) {
  // It answers the end before it has come: that 250 is to nothing.
  Sent sent = send_to(but("DATA", "354 go on\r\n250 2.0.0 queued\r\n"));
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::not_sent, Kind::not_sent));
  EXPECT_THAT(sent.text, HasSubstr("250 2.0.0 queued"));
  EXPECT_THAT(sent.messages, ElementsAre());
  sent = send_to(but("MAIL", "250 fine\r\n250 fine\r\n"));
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::not_sent, Kind::not_sent));
  EXPECT_THAT(sent.commands, Not(Contains("DATA")));
}

TEST(SmtpDelivery, EachRecipientHasItsFate) {
  Sent sent = send_to(but("RCPT TO:<kim", "550 5.1.1 no such user\r\n"));
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::refused, Kind::taken));
  EXPECT_EQ(sent.text, "550 5.1.1 no such user");
  sent = send_to(but("RCPT TO:<lee", "452 4.5.3 too many\r\n"));
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::taken, Kind::deferred));
  EXPECT_EQ(sent.messages.size(), 1u);
  sent = send_to(but("RCPT", "550-5.1.1 no\r\n550 5.1.1 such user\r\n"));
  EXPECT_THAT(sent.kinds, ElementsAre(Kind::refused, Kind::refused));
  EXPECT_EQ(sent.text, "550 5.1.1 no 5.1.1 such user");
  EXPECT_THAT(sent.commands, Not(Contains("DATA")));
  EXPECT_THAT(sent.commands, Contains("RSET"));
}

TEST(SmtpDelivery, AllOrNone) {
  SmtpPeer peer(but("RCPT TO:<kim", "550 5.1.1 no such user\r\n"));
  SmtpStop stop;
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = kShort}, stop);
  SmtpMail mail = mail_of("x\r\n");
  mail.whole = true;
  EXPECT_THAT(kinds_of(*delivery.send(mail)), ElementsAre(Kind::refused, Kind::not_sent));
  EXPECT_THAT(peer.messages(), ElementsAre());
  mail.to.erase(mail.to.begin());
  EXPECT_THAT(kinds_of(*delivery.send(mail)), ElementsAre(Kind::taken));
  EXPECT_EQ(peer.connections(), 1);
}

TEST(SmtpDelivery, NobodyThereIsNotSent) {
  SmtpStop stop;
  std::string address;
  {
    address = SmtpPeer().address();
  }
  SmtpDelivery delivery({.server = address, .helo = "us.example", .patience = kShort}, stop);
  const auto outcome = delivery.send(mail_of("x\r\n"));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->reached);
  EXPECT_THAT(kinds_of(*outcome), ElementsAre(Kind::not_sent, Kind::not_sent));
  EXPECT_THAT(outcome->fates[0].text, HasSubstr(address));
}

TEST(SmtpDelivery, KeepsItsConnectionAndLosesNothingWhenThatEnds) {
  std::atomic<bool> closes = false;
  SmtpPeer peer([&](const std::string& command) {
    if (closes.exchange(false)) return std::string();
    return SmtpPeer::plain(command);
  });
  SmtpStop stop;
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = kShort}, stop);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(kinds_of(*delivery.send(mail_of("x\r\n"))), ElementsAre(Kind::taken, Kind::taken));
  }
  EXPECT_EQ(peer.connections(), 1);
  closes = true;  // as an idle one does
  ASSERT_THAT(kinds_of(*delivery.send(mail_of("y\r\n"))), ElementsAre(Kind::taken, Kind::taken));
  EXPECT_EQ(peer.connections(), 2);
  EXPECT_THAT(peer.messages(), ElementsAre("x\r\n", "x\r\n", "x\r\n", "y\r\n"));
}

TEST(SmtpDelivery, AStopEndsIt) {
  SmtpPeer peer(but(".", SmtpPeer::kSilence));
  SmtpStop stop;
  SmtpPatience patience;
  patience.at_stop = std::chrono::milliseconds(50);
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = patience},
                        stop);
  std::thread other([&] {
    while (peer.messages().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.stop();
  });
  const auto outcome = delivery.send(mail_of("x\r\n"));
  other.join();
  ASSERT_TRUE(outcome);
  EXPECT_THAT(kinds_of(*outcome), ElementsAre(Kind::in_doubt, Kind::in_doubt));
  EXPECT_THAT(kinds_of(*delivery.send(mail_of("x\r\n"))),
              ElementsAre(Kind::not_sent, Kind::not_sent));
  EXPECT_EQ(peer.connections(), 1);
}

TEST(SmtpDelivery, WhatCouldBeTwoMessagesIsNotSent) {
  SmtpPeer peer;
  SmtpStop stop;
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = kShort}, stop);
  for (const std::string_view end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n",
                                     "\r", "\n", "\r\r\n", "\n\r\n"}) {
    const std::string text = "a" + std::string(end) + "MAIL FROM:<evil@x>\r\n";
    const auto outcome = delivery.send(mail_of(text));
    ASSERT_FALSE(outcome) << testing::PrintToString(end);
    EXPECT_EQ(outcome.error().code, Code::bad_input);
  }
  EXPECT_FALSE(delivery.send(mail_of("ends in a CR\r")));
  SmtpMail mail = mail_of("x\r\n");
  for (const char* bad : {"a>b@x", "a\r\nRCPT TO:<b", "a b@x", "a\"b@x", "<a@x>", "a\x01@x"}) {
    mail.from = bad;
    EXPECT_FALSE(delivery.send(mail)) << bad;
  }
  mail.from = "\"a > b\"@x";
  EXPECT_TRUE(delivery.send(mail));
  mail.to[1].address = "";
  EXPECT_FALSE(delivery.send(mail));
  mail = mail_of("x\r\n");
  mail.to[0].arguments = "NOTIFY=NEVER\r\nDATA";
  EXPECT_FALSE(delivery.send(mail));
  EXPECT_THAT(peer.messages(), ElementsAre("x\r\n"));
}

TEST(SmtpDelivery, PassesOnWhatTheServerKnows) {
  const std::vector<std::string> all{"SIZE", "8bitmime", "SMTPUTF8", "DSN"};
  const std::string_view given =
      "size=99 BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=a+3Db AUTH=<> X=1";
  EXPECT_EQ(mail_arguments(given, all, 12), " SIZE=12 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+3Db");
  EXPECT_EQ(mail_arguments(given, {}, 12), "");
  EXPECT_EQ(mail_arguments("body=7bit", all, 1), " SIZE=1 BODY=7BIT");
  EXPECT_EQ(recipient_arguments("NOTIFY=NEVER ORCPT=rfc822;a@b RRVS=2026-01-01T00:00:00Z", all),
            " NOTIFY=NEVER ORCPT=rfc822;a@b");
  EXPECT_EQ(recipient_arguments("NOTIFY=NEVER", {"SIZE"}), "");
}

TEST(SmtpDelivery, WhatNeedsUtf8IsNotSentWithoutIt) {
  SmtpPeer peer;
  SmtpStop stop;
  SmtpDelivery delivery({.server = peer.address(), .helo = "us.example", .patience = kShort}, stop);
  SmtpMail mail = mail_of("x\r\n");
  mail.arguments = "SMTPUTF8";
  const auto outcome = delivery.send(mail);
  ASSERT_TRUE(outcome);
  EXPECT_THAT(kinds_of(*outcome), ElementsAre(Kind::refused, Kind::refused));
  EXPECT_THAT(peer.messages(), ElementsAre());
}

// What a server of the same house hears, which is as strict as can be about line ends.
TEST(SmtpDelivery, AnyBytesArriveAsTheyAre) {
  Io io;
  Metrics metrics;
  std::mutex mutex;
  std::vector<std::string> heard;
  SmtpServerSettings settings;
  settings.protocol = "smtp";
  settings.listen = {"127.0.0.1:0"};
  auto server = SmtpServer::open(
      io, settings,
      [&](ReceivedMail mail, std::function<void(MailOutcome)> answer) {
        {
          const std::lock_guard lock(mutex);
          heard.push_back(std::move(mail.bytes));
        }
        answer({.kind = MailOutcome::Kind::accepted});
      },
      metrics);
  ASSERT_TRUE(server) << server.error().text();
  io.start();
  SmtpStop stop;
  SmtpDelivery delivery(
      {.server = fmt::format("127.0.0.1:{}", (*server)->port()), .helo = "us.example"}, stop);
  std::mt19937 random(7);
  const auto number = [&](int most) { return std::uniform_int_distribution<>(0, most)(random); };
  size_t sent = 0;
  for (int round = 0; round < 300; ++round) {
    std::string message;
    const int pieces = number(round < 290 ? 30 : 30'000);
    for (int i = 0; i < pieces; ++i) {
      switch (number(4)) {
        case 0: message += "\r\n"; break;
        case 1: message += "."; break;
        case 2: message += "\r\n.\r\n"; break;
        default:
          const char byte = static_cast<char>(number(255));
          message += byte == '\r' || byte == '\n' ? '.' : byte;
      }
    }
    SmtpMail mail = mail_of(message);
    const std::string head = number(1) == 1 ? "X-First: 1\r\n" : "";
    mail.head = head;
    const auto outcome = delivery.send(mail);
    ASSERT_TRUE(outcome) << outcome.error().text();
    ASSERT_EQ(outcome->fates[0].kind, Kind::taken) << outcome->fates[0].text;
    const std::lock_guard lock(mutex);
    ASSERT_EQ(heard.size(), ++sent);
    const bool whole = message.empty() || message.ends_with("\r\n");
    ASSERT_EQ(heard.back(), head + message + (whole ? "" : "\r\n")) << round;
  }
  io.stop();
}

TEST(SmtpReplies, AreBoundedAndWhole) {
  SmtpReplies replies;
  for (const char c : std::string("250-one\r\n250-\r\n250 two\n220\r\n")) replies.put({&c, 1});
  auto reply = replies.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, "one\n\ntwo");
  EXPECT_FALSE(replies.at_rest());
  reply = replies.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, 220);
  EXPECT_TRUE(replies.at_rest());
  const auto breaks = [](std::string_view bytes) {
    SmtpReplies some;
    some.put(bytes);
    return !some.take() && some.broken();
  };
  EXPECT_TRUE(breaks("150 x\r\n"));
  EXPECT_TRUE(breaks("650 x\r\n"));
  EXPECT_TRUE(breaks("25\r\n"));
  EXPECT_TRUE(breaks("2500\r\n"));
  EXPECT_TRUE(breaks("\r\n"));
  EXPECT_TRUE(breaks("250-a\r\n251 b\r\n"));
  EXPECT_TRUE(breaks("250 " + std::string(SmtpReplies::kLongestLine, 'x')));
  EXPECT_TRUE(breaks("250 " + std::string(SmtpReplies::kMostBytes, 'x')));
  SmtpReplies endless;
  for (size_t i = 0; i <= SmtpReplies::kMostLines; ++i) {
    endless.put("250-x\r\n");
    EXPECT_FALSE(endless.take());
  }
  EXPECT_TRUE(endless.broken());
}

}  // namespace
}  // namespace watchpost::net
