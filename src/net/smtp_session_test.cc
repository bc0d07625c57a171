#include "net/smtp_session.h"

#include "net/test_smtp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kEnvelope =
    "EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\n";

SmtpTalk talk(std::string_view bytes) {
  SmtpTalk made;
  made.say(bytes);
  return made;
}
SmtpTalk lmtp(std::string_view bytes, MailOutcome outcome = {.kind = MailOutcome::Kind::accepted}) {
  SmtpTalk made;
  made.server.protocol = MailProtocol::lmtp;
  made.outcome = std::move(outcome);
  made.say(bytes);
  return made;
}
std::string with_envelope(std::string_view rest) { return std::string(kEnvelope).append(rest); }

TEST(SmtpSession, TakesAMessage) {
  const auto got = talk(with_envelope("DATA\r\nSubject: x\r\n\r\n..one\r\n...\r\n.\r\nQUIT\r\n"));
  EXPECT_EQ(got.codes(), "220 250 250 250 354 250 221");
  EXPECT_TRUE(got.closed);
  ASSERT_EQ(got.mails.size(), 1u);
  const ReceivedMail& mail = got.mails[0];
  EXPECT_EQ(mail.bytes, "Subject: x\r\n\r\n.one\r\n..\r\n");
  EXPECT_EQ(mail.helo, "client.example");
  EXPECT_EQ(mail.mail_from, "a@client.example");
  ASSERT_EQ(mail.recipients.size(), 1u);
  EXPECT_EQ(mail.recipients[0].address, "b@mx.example");
  EXPECT_EQ(mail.tls, "");
}

TEST(SmtpSession, SaysWhatItKnows) {
  const std::string replies = talk("EHLO x\r\n").replies;
  for (const char* word : {"PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN",
                           "ENHANCEDSTATUSCODES"}) {
    EXPECT_THAT(replies, HasSubstr(word));
  }
  EXPECT_THAT(replies, Not(HasSubstr("STARTTLS")));
  EXPECT_EQ(talk("HELO x\r\n").replies, "220 mx.example ESMTP Watchpost\r\n250 mx.example\r\n");
}

TEST(SmtpSession, KeepsParameters) {
  const auto got = talk(
      "EHLO x\r\nMAIL FROM:<j\xC3\xB6rg@b\xC3\xBC"
      "cher.example> SIZE=1000 BODY=8bitmime SMTPUTF8 RET=hdrs ENVID=a+2Bb\r\n"
      "RCPT TO:<b@mx.example> NOTIFY=success,Failure ORCPT=rfc822;c+40d.example\r\n"
      "RCPT TO:<d@mx.example> NOTIFY=NEVER ORCPT=utf-8;e\\x{F6}@x\r\nDATA\r\nx\r\n.\r\n");
  ASSERT_EQ(got.mails.size(), 1u) << got.replies;
  const ReceivedMail& mail = got.mails[0];
  EXPECT_EQ(mail.mail_from,
            "j\xC3\xB6rg@b\xC3\xBC"
            "cher.example");
  EXPECT_EQ(mail.parameters.size, 1000u);
  EXPECT_TRUE(mail.parameters.eight_bit && mail.parameters.smtputf8);
  EXPECT_EQ(mail.parameters.return_content, "HDRS");
  EXPECT_EQ(mail.parameters.envelope_id, "a+b");
  EXPECT_EQ(mail.recipients.at(0).notify, "SUCCESS,FAILURE");
  EXPECT_EQ(mail.recipients.at(0).original, "rfc822;c@d.example");
  EXPECT_EQ(mail.recipients.at(1).notify, "NEVER");
  EXPECT_EQ(mail.recipients.at(1).original, "utf-8;e\xC3\xB6@x");
}

TEST(SmtpSession, LmtpAnswersForEachRecipient) {
  const std::string dialogue =
      "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\nRCPT TO:<broken\r\nRCPT TO:<b@x>\r\n"
      "DATA\r\nx\r\n.\r\nQUIT\r\n";
  EXPECT_EQ(lmtp(dialogue).codes(), "220 250 250 250 501 250 354 250 250 221");
  EXPECT_EQ(lmtp(dialogue, {.kind = MailOutcome::Kind::temporary, .text = "full"}).codes(),
            "220 250 250 250 501 250 354 451 451 221");
  const auto refused = lmtp(dialogue, {.kind = MailOutcome::Kind::permanent, .text = "a\r\n250 b"});
  EXPECT_EQ(refused.codes(), "220 250 250 250 501 250 354 554 554 221");
  EXPECT_THAT(refused.replies, HasSubstr("554 5.3.0 a250 b\r\n"));
  EXPECT_EQ(lmtp("LHLO x\r\nMAIL FROM:<>\r\nDATA\r\n").codes(), "220 250 250 503");
}

TEST(SmtpSession, EachProtocolHasItsGreeting) {
  EXPECT_EQ(lmtp("EHLO x\r\nHELO x\r\nMAIL FROM:<>\r\n").codes(), "220 500 500 503");
  EXPECT_EQ(talk("LHLO x\r\nMAIL FROM:<>\r\n").codes(), "220 500 503");
  EXPECT_EQ(talk("EHLO\r\nEHLO a b\r\nHELO \xC3\xB6\r\n").codes(), "220 501 501 501");
}

TEST(SmtpSession, TakesChunks) {
  const auto got =
      talk(with_envelope("BDAT 4\r\n.\r\n\rBDAT 0\r\nBDAT 9 last\r\n\n.\r\nQUIT\nRSET\r\n"));
  // The line in the last chunk ends in a bare LF.
  EXPECT_EQ(got.codes(), "220 250 250 250 250 250 550");
  const auto fine = talk(
      with_envelope("BDAT 4\r\n.\r\n\rBDAT 0\r\nNOOP\r\nBDAT 10 last\r\n\n.\r\nQUIT\r\nRSET\r\n"));
  EXPECT_EQ(fine.codes(), "220 250 250 250 250 250 250 250 250");
  ASSERT_EQ(fine.mails.size(), 1u);
  EXPECT_EQ(fine.mails[0].bytes, ".\r\n\r\n.\r\nQUIT\r\n");
  EXPECT_EQ(talk(with_envelope("BDAT 1 LAST\r\nx")).mails.at(0).bytes, "x");
  EXPECT_EQ(talk(with_envelope("BDAT 2 LAST\r\nx\r")).codes(), "220 250 250 250 550");
  EXPECT_EQ(talk(with_envelope("BDAT 0 LAST\r\n")).mails.at(0).bytes, "");
}

TEST(SmtpSession, ChunksAreNeverCommands) {
  const auto early = talk("EHLO x\r\nBDAT 15 LAST\r\nMAIL FROM:<>\r\n.NOOP\r\n");
  EXPECT_EQ(early.codes(), "220 250 503 250");
  const auto unknown = talk(with_envelope("BDAT x\r\nNOOP\r\n"));
  EXPECT_EQ(unknown.codes(), "220 250 250 250 501");
  EXPECT_TRUE(unknown.closed);
  for (const char* command : {"BDAT", "BDAT -1", "BDAT 1 FIRST", "BDAT 1 LAST x", "BDAT 1\tLAST",
                              "BDAT\t1", "BDAT 99999999999999999999", "BDAT 0x10"}) {
    EXPECT_TRUE(talk(with_envelope(command + std::string("\r\nNOOP\r\n"))).closed) << command;
  }
  EXPECT_EQ(talk(with_envelope("BDAT 2\r\nxyDATA\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n")).codes(),
            "220 250 250 250 250 503 503 503");
}

TEST(SmtpSession, RefusesWhatIsTooLarge) {
  SmtpTalk small;
  small.limits.message_bytes = 10;
  const std::string envelope(kEnvelope);
  EXPECT_EQ(SmtpTalk(small).say("EHLO x\r\nMAIL FROM:<> SIZE=11\r\n").codes(), "220 250 552");
  EXPECT_EQ(SmtpTalk(small).say(envelope + "DATA\r\n12345678\r\n.\r\n").mails.size(), 1u);
  auto over = SmtpTalk(small).say(envelope + "DATA\r\n123456789\r\n.\r\nNOOP\r\n");
  EXPECT_EQ(over.codes(), "220 250 250 250 354 552 250");
  EXPECT_EQ(over.refused.too_large, 1u);
  over = SmtpTalk(small).say(envelope + "DATA\r\n" + std::string(3000, 'x'));
  EXPECT_EQ(over.codes(), "220 250 250 250 354 552");
  EXPECT_TRUE(over.closed);
  over = SmtpTalk(small).say(envelope + "BDAT 11\r\n12345678901BDAT 1 LAST\r\n1NOOP\r\n");
  EXPECT_EQ(over.codes(), "220 250 250 250 552 503 250");
  over = SmtpTalk(small).say(envelope + "BDAT 21\r\nNOOP\r\n");
  EXPECT_EQ(over.codes(), "220 250 250 250 552");
  EXPECT_TRUE(over.closed);
}

TEST(SmtpSession, PutsOffTooManyRecipients) {
  SmtpTalk few;
  few.limits.recipients = 2;
  few.say(with_envelope("RCPT TO:<c@x>\r\nRCPT TO:<d@x>\r\nRCPT TO:<e@x>\r\nDATA\r\nx\r\n.\r\n"));
  EXPECT_EQ(few.codes(), "220 250 250 250 250 452 452 354 250");
  EXPECT_EQ(few.mails.at(0).recipients.size(), 2u);
}

TEST(SmtpSession, KeepsTheOrder) {
  EXPECT_EQ(talk("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n").codes(), "220 503 503 503");
  EXPECT_EQ(talk(with_envelope("MAIL FROM:<>\r\n")).codes(), "220 250 250 250 503");
  EXPECT_EQ(talk(with_envelope("RSET\r\nDATA\r\n")).codes(), "220 250 250 250 250 503");
  EXPECT_EQ(talk(with_envelope("EHLO y\r\nDATA\r\n")).codes(), "220 250 250 250 250 503");
  EXPECT_EQ(talk(with_envelope("DATA x\r\nRSET x\r\nQUIT x\r\n")).codes(),
            "220 250 250 250 501 501 501");
  // A second message needs a sender of its own.
  EXPECT_EQ(talk(with_envelope("DATA\r\n.\r\nRCPT TO:<a@b>\r\n")).codes(),
            "220 250 250 250 354 250 503");
}

TEST(SmtpSession, KnowsTheSmallCommands) {
  EXPECT_EQ(talk("NOOP\r\nnoop x y\r\nHELP\r\nVRFY a\r\nEXPN a\r\nAUTH PLAIN\r\nXCLIENT "
                 "A=1\r\n\r\nBLAH\r\n"
                 "STARTTLS\r\nQUIT\r\n")
                .codes(),
            "220 250 250 214 252 502 502 502 500 500 502 221");
}

TEST(SmtpSession, ClosesAfterTooManyErrors) {
  std::string bytes;
  for (int i = 0; i < 12; ++i) bytes += "BLAH\r\n";
  const auto got = talk(bytes);
  EXPECT_EQ(got.codes(), "220 500 500 500 500 500 500 500 500 500 500 421");
  EXPECT_TRUE(got.closed);
  EXPECT_EQ(got.refused.too_many_errors, 1u);
}

TEST(SmtpSession, ClosesAfterTooManyCommandsWithoutAMessage) {
  for (const char* command : {"NOOP\r\n", "RSET\r\n", "EHLO x\r\n", "VRFY a\r\n", "HELP\r\n",
                              "MAIL FROM:<>\r\nRSET\r\n"}) {
    std::string bytes = "EHLO x\r\n";
    for (int i = 0; i < 101; ++i) bytes += command;
    EXPECT_TRUE(talk(bytes).closed) << command;
    EXPECT_THAT(talk(bytes).replies, HasSubstr("421 4.7.0 too many commands")) << command;
  }
  std::string busy = "EHLO x\r\n";
  for (int i = 0; i < 300; ++i) {
    busy += "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n";
  }
  EXPECT_EQ(talk(busy).mails.size(), 300u);
}

TEST(SmtpSession, SendsBrowsersAway) {
  for (const char* line : {"GET / HTTP/1.1", "POST / HTTP/1.1", "CONNECT x:25", "Host: x",
                           "options *", "Content-Length: 5"}) {
    const auto got = talk(line + std::string("\r\nEHLO x\r\n"));
    EXPECT_EQ(got.codes(), "220 521") << line;
    EXPECT_TRUE(got.closed);
  }
}

TEST(SmtpSession, BoundsLines) {
  const std::string most = "NOOP " + std::string(2048 - 7, 'x') + "\r\n";
  EXPECT_EQ(talk(most).codes(), "220 250");
  EXPECT_EQ(talk("x" + most).codes(), "220 500");
  EXPECT_TRUE(talk("x" + most).closed);
  EXPECT_TRUE(talk(std::string(5000, 'x')).closed);
  EXPECT_EQ(talk(std::string("NOOP\0x\r\n", 8) + "NOOP \x1B\r\nNOOP\tx\r\nNOOP\r\n").codes(),
            "220 500 500 500 250");
  // A message's lines have no bound but the message's own.
  EXPECT_EQ(talk(with_envelope("DATA\r\n" + std::string(100'000, 'x') + "\r\n.\r\n"))
                .mails.at(0)
                .bytes.size(),
            100'002u);
}

TEST(SmtpSession, NothingSaidBeforeTlsCounts) {
  SmtpTalk plain;
  plain.server.offers_tls = true;
  plain.say(with_envelope("STARTTLS\r\nRSET\r\n"));
  EXPECT_EQ(plain.codes(), "220 250 250 250 220");
  EXPECT_TRUE(plain.wants_tls);
  EXPECT_EQ(plain.refused.before_tls, 6u);

  SmtpSession session(plain.server, plain.limits);
  const auto run = [&](std::string_view bytes) {
    session.put(bytes);
    std::string replies;
    while (session.advance() == SmtpSession::Next::write) replies += session.take_replies();
    return replies;
  };
  EXPECT_THAT(run("EHLO x\r\n"), HasSubstr("250-STARTTLS"));
  EXPECT_EQ(run("STARTTLS x\r\n").substr(0, 3), "501");
  EXPECT_EQ(run("STARTTLS\r\nMAIL FROM:<>\r\n"), "220 2.0.0 begin TLS\r\n");
  EXPECT_EQ(session.room(), 0u);
  EXPECT_EQ(session.put("MAIL FROM:<>\r\n"), 0u);
  session.tls_started("TLSv1.3 X");
  EXPECT_EQ(run("MAIL FROM:<>\r\n").substr(0, 3), "503");
  EXPECT_THAT(run("EHLO x\r\n"), Not(HasSubstr("STARTTLS")));
  EXPECT_EQ(run("STARTTLS\r\n").substr(0, 3), "503");
  run("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n");
  EXPECT_EQ(session.take_mail().tls, "TLSv1.3 X");
}

TEST(SmtpSession, TlsNeedsAGreeting) {
  SmtpTalk plain;
  plain.server.offers_tls = true;
  EXPECT_EQ(plain.say("STARTTLS\r\n").codes(), "220 503");
}

TEST(SmtpSession, WaitsForTheOutcomeAndTakesLittleMeanwhile) {
  SmtpSession session({.protocol = MailProtocol::smtp, .name = "mx", .offers_tls = false},
                      {.ahead_bytes = 4096});
  session.put(with_envelope("DATA\r\nx\r\n.\r\nNOOP\r\n"));
  while (session.advance() == SmtpSession::Next::write) session.take_replies();
  ASSERT_EQ(session.advance(), SmtpSession::Next::mail);
  const ReceivedMail mail = session.take_mail();
  EXPECT_EQ(mail.bytes, "x\r\n");
  size_t taken = 0;
  for (int i = 0; i < 1000; ++i) taken += session.put("NOOP\r\n");
  EXPECT_LE(taken, 4096u);
  EXPECT_EQ(session.advance(), SmtpSession::Next::mail);
  session.conclude({.kind = MailOutcome::Kind::accepted, .text = "kept"});
  ASSERT_EQ(session.advance(), SmtpSession::Next::write);
  EXPECT_EQ(session.take_replies().substr(0, 31), "250 2.0.0 kept\r\n250 2.0.0 done\r");
}

TEST(SmtpSession, PutsOffWhereThereIsNoRoom) {
  SmtpSession session({.protocol = MailProtocol::lmtp, .name = "mx", .offers_tls = false}, {});
  const auto run = [&](std::string_view bytes) {
    session.put(bytes);
    std::string replies;
    while (session.advance() == SmtpSession::Next::write) replies += session.take_replies();
    return replies;
  };
  run("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" +
      std::string(20'000, 'x'));
  const size_t before = session.held();
  session.set_storage_full(true);
  EXPECT_EQ(run("more\r\n"), "");
  EXPECT_LT(session.held() + 15'000, before);
  const std::string told = run(".\r\nMAIL FROM:<>\r\n");
  EXPECT_EQ(told,
            "452 4.3.1 no room for a message at the moment\r\n"
            "452 4.3.1 no room for a message at the moment\r\n"
            "452 4.3.1 no room for a message at the moment\r\n");
  session.set_storage_full(false);
  EXPECT_EQ(run("MAIL FROM:<>\r\n").substr(0, 3), "250");
  session.hang_up("too slow");
  EXPECT_EQ(run(""), "421 4.4.2 too slow\r\n");
  EXPECT_EQ(session.advance(), SmtpSession::Next::close);
}

TEST(SmtpSession, GivesATurnWhenSomethingWasDone) {
  using Stage = SmtpSession::Stage;
  SmtpSession session({.protocol = MailProtocol::smtp, .name = "mx", .offers_tls = false}, {});
  const auto after = [&](std::string_view bytes) {
    session.put(bytes);
    while (session.advance() == SmtpSession::Next::write) session.take_replies();
    return session.stage();
  };
  EXPECT_EQ(after(""), Stage::idle);
  EXPECT_EQ(after("EHLO"), Stage::command);
  const uint64_t greeting = session.turn();
  EXPECT_EQ(after(" x\r\n"), Stage::idle);
  EXPECT_GT(session.turn(), greeting);
  EXPECT_EQ(after("MAIL FROM:<>\r\n"), Stage::transaction);
  const uint64_t transaction = session.turn();
  EXPECT_EQ(after("RCPT TO:<a@b>\r\nNOOP\r\nRCPT"), Stage::transaction);
  EXPECT_EQ(session.turn(), transaction);
  EXPECT_EQ(after(" TO:<c@d>\r\nBDAT 2\r\nx"), Stage::content);
  const uint64_t content = session.turn();
  EXPECT_EQ(after("yBDAT 1\r\nzNOOP\r\n"), Stage::content);
  EXPECT_EQ(session.turn(), content);
  EXPECT_EQ(after("RSET\r\n"), Stage::idle);
  EXPECT_GT(session.turn(), content);
}

}  // namespace
}  // namespace watchpost::net
