#include "border/milter/session.h"

#include "border/milter/test_talk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string begun() { return offer() + connects() + say('H', texts({"helo.example"})); }
std::string small_message() {
  return message_with("<a@x.example>", {"<b@y.example>"},
                      field("Subject", " hi") + say('N') + say('B', "body\r\n"));
}

TEST(MilterSession, AgreesOnWhatIsNeededAndOffered) {
  ScriptedHandler handler;
  const auto said = frames_in(MilterTalk(handler).hears(offer()));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].command, 'O');
  const std::string_view data = said[0].data;
  EXPECT_EQ(number_of(data), 6u);
  EXPECT_EQ(number_of(data.substr(4)), 0x119u);  // add, change headers; delete recipients; macros
  EXPECT_EQ(number_of(data.substr(8)), 0x1F6980u);  // all unanswered but CONNECT, RCPT and the end
  EXPECT_THAT(std::string(data), HasSubstr(be32(0) + "j _ v {daemon_name}"));
  EXPECT_THAT(std::string(data), HasSubstr("{client_ptr}"));
}

TEST(MilterSession, AgreesToNothingThatIsNotOffered) {
  ScriptedHandler handler;
  for (const uint32_t version : {2u, 3u, 4u, 5u, 6u, 7u, 4'000'000'000u}) {
    const auto said = frames_in(MilterTalk(handler).hears(offer(version, 0x3F, 0x7F)));
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].data, be32(std::min(version, 6u)) + be32(0x19) + be32(0));
  }
  MilterTalk old(handler);
  EXPECT_EQ(old.hears(offer(1)), "");
  EXPECT_TRUE(old.closed);
  EXPECT_EQ(old.session.fault()->kind, MilterGarbage::version);
}

TEST(MilterSession, TellsOfAWholeMessage) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  const std::string answers = talk.hears(
      offer() + macros_of('C', {"v", "Postfix 3.7", "{client_ptr}", "ptr.example"}) +
      connects("client.example", "192.0.2.7") + macros_of('H', {"{tls_version}", "TLSv1.3"}) +
      say('H', texts({"helo.example"})) + macros_of('M', {"{auth_authen}", "jo"}) +
      say('M', texts({"<a@x.example>", "SIZE=100", "BODY=8BITMIME"})) +
      macros_of('R', {"{rcpt_mailer}", "local"}) +
      say('R', texts({"<b@y.example>", "NOTIFY=NEVER"})) + macros_of('T', {"i", "4ABC"}) +
      say('T') + field("Received", " from x\n\tby y") + field("X-None", "y") +
      field("X-Tab", "\ty") + say('N') + say('B', "one\r\n") + say('B', "two\r\n") + say('E'));
  EXPECT_EQ(commands_in(answers), "Occc");
  ASSERT_EQ(handler.messages.size(), 1u);
  const Transaction& got = *handler.messages[0];
  EXPECT_EQ(got.client_name, "client.example");
  EXPECT_EQ(got.client_ip->text(), "192.0.2.7");
  EXPECT_EQ(got.client_port, 0x9d1c);
  EXPECT_EQ(got.helo, "helo.example");
  EXPECT_EQ(got.mail_from, "<a@x.example>");
  EXPECT_EQ(got.mail_arguments, "SIZE=100 BODY=8BITMIME");
  ASSERT_EQ(got.recipients.size(), 1u);
  EXPECT_EQ(got.recipients[0].address, "b@y.example");
  EXPECT_EQ(got.recipients[0].arguments, "NOTIFY=NEVER");
  EXPECT_EQ(got.queue_id(), "4ABC");
  EXPECT_EQ(got.login(), "jo");
  EXPECT_EQ(got.macro("tls_version"), "TLSv1.3");
  EXPECT_EQ(got.macro("client_ptr"), "ptr.example");
  EXPECT_EQ(got.message,
            "Received: from x\r\n\tby y\r\nX-None:y\r\nX-Tab:\ty\r\n\r\none\r\ntwo\r\n");
  EXPECT_EQ(got.header_fields, 3u);
  EXPECT_EQ(got.size, got.message.size());
  EXPECT_FALSE(got.cut || got.too_many_fields);
  EXPECT_EQ(got.began, talk.now);
}

TEST(MilterSession, PutsBackTheBlankThatWasTaken) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  const std::string answers =
      talk.hears(offer(6, kAllActions, 0) + connects() +
                 message_with("<>", {"<b@y>"},
                              field("A", "x") + field("B", " x") + field("C", "\tx") + say('N')));
  EXPECT_EQ(commands_in(answers), "Occccccccc");  // each is answered
  EXPECT_EQ(handler.messages.at(0)->message, "A: x\r\nB:  x\r\nC: \tx\r\n\r\n");
}

TEST(MilterSession, ReadsAddressesOfAllFamilies) {
  const auto address_in = [](const std::string& frame) {
    ScriptedHandler handler;
    MilterTalk(handler).hears(offer() + frame);
    if (handler.connections.empty()) return std::string("refused");
    const auto ip = handler.connections[0].client_ip;
    return ip ? ip->text() : "none";
  };
  EXPECT_EQ(address_in(connects("x", "2001:db8::1", '6')), "2001:db8::1");
  EXPECT_EQ(address_in(connects("x", "IPv6:2001:db8::1", '6')), "2001:db8::1");
  EXPECT_EQ(address_in(connects("x", "/run/socket", 'L')), "none");
  EXPECT_EQ(address_in(say('C', texts({"localhost"}) + "U")), "none");
  EXPECT_EQ(address_in(connects("x", "1.2.3", '4')), "none");
  EXPECT_EQ(address_in(connects("x", "1.2.3.4", 'X')), "refused");
  EXPECT_EQ(address_in(say('C', texts({"x"}))), "refused");
  EXPECT_EQ(address_in(say('C', "no end")), "refused");
}

TEST(MilterSession, AMessageKnowsNothingOfTheOneBefore) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(begun() + macros_of('M', {"i", "ONE", "{auth_authen}", "jo"}) + small_message());
  talk.hears(macros_of('M', {"{auth_type}", "PLAIN"}) + say('M', texts({"<c@x>"})) + say('A'));
  talk.hears(small_message());
  ASSERT_EQ(handler.messages.size(), 2u);
  EXPECT_EQ(handler.messages[0]->login(), "jo");
  EXPECT_EQ(handler.messages[1]->login(), "");
  EXPECT_EQ(handler.messages[1]->queue_id(), "");
  EXPECT_EQ(handler.messages[1]->macro("auth_type"), "");
  EXPECT_EQ(handler.messages[1]->helo, "helo.example");
  EXPECT_EQ(handler.messages[1]->message, handler.messages[0]->message);
  // The same socket with another client.
  talk.hears(say('K') + connects("other.example", "192.0.2.9") + small_message());
  EXPECT_EQ(handler.messages.at(2)->client_name, "other.example");
  EXPECT_EQ(handler.messages.at(2)->helo, "");
  EXPECT_EQ(talk.hears(say('Q')), "");
  EXPECT_TRUE(talk.closed);
  EXPECT_FALSE(talk.session.fault());
}

// Postfix, where a milter behind us refuses a sender, or its disk is full: no abort comes.
TEST(MilterSession, ASenderThatIsNotHeardOfAgainIsForgotten) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  const std::string given_up = macros_of('M', {"i", "ONE", "{auth_authen}", "jo"}) +
                               say('M', texts({"<gone@x>"})) + say('R', texts({"<gone@y>"}));
  talk.hears(begun() + given_up + macros_of('M', {"{auth_type}", "PLAIN"}) + small_message());
  talk.hears(given_up + small_message());
  talk.hears(given_up + say('T') + say('H', texts({"again.example"})) + small_message());
  ASSERT_EQ(handler.messages.size(), 3u);
  EXPECT_EQ(handler.messages[0]->macro("auth_type"), "PLAIN");
  EXPECT_EQ(handler.messages[2]->helo, "again.example");
  for (const auto& message : handler.messages) {
    EXPECT_EQ(message->mail_from, "<a@x.example>");
    EXPECT_EQ(message->recipients.size(), 1u);
    EXPECT_EQ(message->login(), "");
    EXPECT_EQ(message->queue_id(), "");
  }
  // A DATA that was refused.
  talk.hears(say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})) + say('T') +
             say('R', texts({"<c@y>"})) + say('T') + say('T') + say('N') + say('E'));
  EXPECT_EQ(handler.messages.at(3)->recipients.size(), 2u);
  EXPECT_FALSE(talk.session.fault());
}

TEST(MilterSession, AnswersAtRecipients) {
  ScriptedHandler handler;
  handler.for_recipient = [](const Recipient& one) -> Answer {
    if (one.address == "no@y") return {.kind = Answer::Kind::reject, .reply = "550 5.7.1 no, 100%"};
    if (one.address == "later@y") return {.kind = Answer::Kind::tempfail};
    return {};
  };
  MilterTalk talk(handler);
  const std::string answers =
      talk.hears(begun() + message_with("<a@x>", {"<no@y>", "<yes@y>", "<later@y>"}, say('N')));
  const auto said = frames_in(answers);
  EXPECT_EQ(commands_in(answers), "Ocyctc");
  EXPECT_EQ(said[2].data, texts({"550 5.7.1 no, 100%%"}));
  ASSERT_EQ(handler.messages.at(0)->recipients.size(), 1u);
  EXPECT_EQ(handler.messages[0]->recipients[0].address, "yes@y");
}

TEST(MilterSession, CountsRecipientsThatTheServerRefuses) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  const std::string answers = talk.hears(
      begun() + say('M', texts({"<a@x>"})) + macros_of('R', {"{rcpt_mailer}", "error"}) +
      say('R', texts({"<none@y>"})) + say('R', texts({"<b@y>"})) +
      macros_of('R', {"{rcpt_addr}", "c@y"}) + say('R', texts({"<c@y>"})) + say('N') + say('E'));
  EXPECT_EQ(commands_in(answers), "Occccc");
  // A recipient without macros of its own has those that were said last.
  EXPECT_THAT(handler.asked_recipients, ElementsAre("c@y"));
  EXPECT_EQ(handler.messages.at(0)->recipients_refused, 2u);
}

TEST(MilterSession, ADiscardedMessageIsOver) {
  ScriptedHandler handler;
  handler.for_recipient = [](const Recipient&) { return Answer{.kind = Answer::Kind::discard}; };
  MilterTalk talk(handler);
  EXPECT_EQ(
      commands_in(talk.hears(begun() + say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})))),
      "Ocd");
  // Sendmail goes on with the next one, without a word on this one.
  handler.for_recipient = nullptr;
  EXPECT_EQ(commands_in(talk.hears(small_message())), "cc");
}

TEST(MilterSession, MailThatIsNotLookedAtIsLetThrough) {
  ScriptedHandler handler;
  handler.looks = false;
  MilterTalk talk(handler);
  EXPECT_EQ(commands_in(talk.hears(begun())), "Oa");
  // One that goes on all the same.
  EXPECT_EQ(commands_in(talk.hears(small_message())), "cc");
  EXPECT_THAT(handler.messages, IsEmpty());
  EXPECT_EQ(talk.session.counts().connections_not_looked_at, 1u);
  handler.looks = true;
  EXPECT_EQ(commands_in(talk.hears(say('K') + connects() + small_message())), "ccc");
  EXPECT_EQ(handler.messages.size(), 1u);
}

TEST(MilterSession, BytesStayAsTheyAre) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  const std::string odd("a\0b\n.\r\xff\r\n", 9);
  talk.hears(begun() + message_with("<a@x>", {"<b@y>"},
                                    say('L', texts({"X"}) + std::string(" 1\0002", 4) + '\0') +
                                        say('N') + say('B', odd)));
  EXPECT_EQ(handler.messages.at(0)->message, std::string("X: 1\0002\r\n\r\n", 10) + odd);
}

TEST(MilterSession, TheEndMayHoldTheLastOfTheBody) {
  ScriptedHandler handler;
  MilterTalk talk(handler);
  talk.hears(begun() + say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})) + say('B', "1") +
             say('E', "2"));
  EXPECT_EQ(handler.messages.at(0)->message, "\r\n12");
}

TEST(MilterSession, HowTheInputIsCutDoesNotMatter) {
  const std::string dialogue = begun() + macros_of('M', {"i", "Q"}) + small_message() + say('A') +
                               small_message() + say('K') + connects() + small_message() + say('Q');
  ScriptedHandler whole_handler;
  const std::string whole = MilterTalk(whole_handler).hears(dialogue);
  for (const size_t piece : {1u, 2u, 3u, 5u, 64u}) {
    ScriptedHandler handler;
    EXPECT_EQ(MilterTalk(handler).hears(dialogue, piece), whole);
    EXPECT_EQ(handler.messages.size(), 3u);
  }
}

TEST(MilterSession, AConnectionThatEndsAnywhereLeavesNothing) {
  const std::string dialogue = begun() + macros_of('M', {"i", "Q"}) + small_message();
  for (size_t end = 0; end < dialogue.size(); ++end) {
    ScriptedHandler handler;
    MilterTalk talk(handler);
    talk.hears(std::string_view(dialogue).substr(0, end));
    talk.session.end_of_input();
    talk.hears("");
    EXPECT_TRUE(talk.closed);
    EXPECT_THAT(handler.messages, IsEmpty());
    if (talk.session.fault()) {
      EXPECT_EQ(talk.session.fault()->kind, MilterGarbage::broken_off);
    }
  }
}

TEST(MilterSession, NoAnswerIsTrouble) {
  ScriptedHandler handler;
  handler.for_message = [](const Transaction&, const GiveAnswer&) {};
  MilterTalk talk(handler);
  talk.hears(begun() + say('M', texts({"<a@x>"})) + say('R', texts({"<b@y>"})));
  const auto got = understood(talk.hears(say('E')));
  EXPECT_THAT(handler.troubles, ElementsAre(Trouble::internal));
  EXPECT_EQ(got.reply, "451 4.7.1 try later");
}

}  // namespace
}  // namespace watchpost::border
