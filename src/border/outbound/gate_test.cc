#include "border/gate.h"

#include "border/milter_enforcer.h"
#include "border/outbound/test_support.h"
#include "border/traits.h"
#include "detect/test_events.h"
#include "detect/watch.h"
#include "feedback/formats/postfix_reply.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using Kind = Answer::Kind;

TEST(OutboundGate, AMessageIsAnAcceptedEvent) {
  OutboundWorld world;
  Transaction mail = mail_of();
  mail.recipients.push_back({.address = "lee@corp.example", .arguments = "", .refused = false});
  mail.recipients_dropped = 3;
  EXPECT_EQ(world.at_end(mail), Answer{});
  const auto events = world.sink.events();
  ASSERT_THAT(events, SizeIs(1));
  const Event& event = events[0];
  EXPECT_EQ(event.kind, EventKind::accepted);
  EXPECT_EQ(event.direction, Direction::outbound);
  EXPECT_FALSE(event.self_inflicted);
  EXPECT_EQ(event.at, enforce::kNow);
  EXPECT_TRUE(event.id);
  EXPECT_EQ(event.recipients, 5u);
  EXPECT_EQ(event.size, mail.size);
  const std::vector<std::pair<Field, std::string_view>> expected{
      {Field::source, "outbound"},
      {Field::service, "submission/milter"},
      {Field::host, "mx.esp.example"},
      {Field::queue_id, "4Xyz12345"},
      {Field::message_id, "news.17@shop.example"},
      {Field::sender, "bounce@shop.example"},
      {Field::from_domain, "shop.example"},
      {Field::recipient, ""},
      {Field::customer, "shop.example"},
      {Field::campaign, "news"},
      {Field::credential, "jo@shop.example"},
      {Field::method, "PLAIN"},
      {Field::client_ip, "192.0.2.7"},
      {Field::client_network, "192.0.2.0/24"},
      {Field::author_domain, "shop.example"},
      {Field::link_host, "cdn.example"},
      {Field::findings, ""},
      {Field::disposition, ""},
      {Field::stage, ""},
  };
  for (const auto& [field, value] : expected) EXPECT_EQ(event[field], value) << name_of(field);
  EXPECT_EQ(event[Field::subject_hash], subject_hash_of("order 1"));
  EXPECT_EQ(world.sink.arrivals[0].source, "outbound");
}

TEST(OutboundGate, TheNullSenderIsOne) {
  OutboundWorld world;
  Transaction mail = mail_of();
  mail.mail_from = "<>";
  world.at_end(mail);
  EXPECT_EQ(world.sink.events().at(0)[Field::sender], "<>");
}

TEST(OutboundGate, DecisionsRefuseAtTheRecipient) {
  struct Case {
    std::string_view scope, measure, reply;
    Kind kind;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"credential=jo@shop.example", "suspend 1h",
            "554 5.7.1 Sending is suspended; contact abuse@esp.example (watchpost d-1)",
            Kind::reject},
           {"customer=shop.example", "hold 1h", "451 4.7.1 ", Kind::tempfail},
           {"from_domain=shop.example", "block 1h", "554 5.7.1 ", Kind::reject},
           {"client_ip=192.0.2.7", "suspend 1h", "554 5.7.1 ", Kind::reject},
           {"client_network=192.0.2.0/24", "hold 1h", "451 4.7.1 ", Kind::tempfail},
           {"recipient=kim@gmail.com", "block 1h", "554 5.7.1 ", Kind::reject},
           {"recipient_domain=gmail.com", "hold 1h", "451 4.7.1 ", Kind::tempfail},
           {"credential=jo@shop.example provider=gmail", "throttle 0/1h for 1h", "450 4.7.1 ",
            Kind::tempfail},
       }) {
    OutboundWorld world;
    world.decide({{std::string(one.scope), std::string(one.measure)}});
    const Answer answer = world.at_recipient(mail_of(), "kim@gmail.com");
    EXPECT_EQ(answer.kind, one.kind) << one.scope;
    EXPECT_THAT(answer.reply, StartsWith(std::string(one.reply))) << one.scope;
    EXPECT_THAT(answer.reply, EndsWith("(watchpost d-1)")) << one.scope;
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::rejected);
    EXPECT_TRUE(events[0].self_inflicted);
    EXPECT_EQ(events[0][Field::recipient], "kim@gmail.com");
    EXPECT_EQ(events[0][Field::stage], "RCPT");
  }
}

TEST(OutboundGate, DecisionsForOthersDoNotBite) {
  OutboundWorld world;
  world.decide({{"credential=lee@shop.example", "suspend 1h"},
                {"credential=jo@shop.example provider=microsoft", "hold 1h"},
                {"credential=jo@shop.example", "notify abuse-desk"}});
  EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com"), Answer{});
  EXPECT_EQ(world.at_end(mail_of()), Answer{});
}

TEST(OutboundGate, WhatIsKnownAtTheEndAloneRefusesThere) {
  const std::vector<std::string> scopes{
      "campaign=news", "author_domain=shop.example", "link_host=cdn.example",
      "subject_hash=" + subject_hash_of("Order 1"), "customer=shop.example campaign=news"};
  for (const std::string& scope : scopes) {
    OutboundWorld world;
    world.decide({{scope, "suspend 1h"}});
    EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com"), Answer{}) << scope;
    EXPECT_EQ(world.at_end(mail_of()).kind, Kind::reject) << scope;
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::rejected);
    EXPECT_TRUE(events[0].self_inflicted);
    EXPECT_EQ(events[0][Field::stage], "END-OF-MESSAGE");
    EXPECT_EQ(events[0][Field::campaign], "news");
  }
}

TEST(OutboundGate, ContentAndRecipientsTogetherRefuseWhatIsMeantAlone) {
  OutboundWorld world;
  world.decide({{"campaign=news provider=gmail", "suspend 1h"}});
  Transaction mail = mail_of();
  EXPECT_EQ(world.at_end(mail).kind, Kind::reject);
  mail.recipients.push_back({.address = "lee@corp.example", .arguments = "", .refused = false});
  EXPECT_EQ(world.at_end(mail), Answer{});
  // The mildest of several.
  world.decide({{"campaign=news provider=gmail", "suspend 1h"},
                {"campaign=news recipient_domain=corp.example", "hold 1h"}});
  EXPECT_EQ(world.at_end(mail).kind, Kind::tempfail);
  mail.recipients_dropped = 1;
  EXPECT_EQ(world.at_end(mail), Answer{});
}

TEST(OutboundGate, AThrottleCountsMessages) {
  OutboundWorld world;
  world.decide({{"credential=jo@shop.example", "throttle 3/1h for 1h"}});
  int passed = 0;
  for (int i = 0; i < 6; ++i) {
    // The queue id comes with the second recipient.
    Transaction mail = next_mail(i);
    mail.macros.erase("i");
    const Kind first = world.at_recipient(mail, "a@gmail.com").kind;
    mail = next_mail(i);
    EXPECT_EQ(world.at_recipient(mail, "b@gmail.com").kind, first) << i;
    if (first != Kind::proceed) continue;
    EXPECT_EQ(world.at_end(mail).kind, Kind::proceed) << i;
    ++passed;
  }
  EXPECT_EQ(passed, 3);
  world.clock.advance(20min);
  EXPECT_EQ(world.at_recipient(next_mail(9), "a@gmail.com").kind, Kind::proceed);
  EXPECT_EQ(world.at_recipient(next_mail(10), "a@gmail.com").kind, Kind::tempfail);
}

TEST(OutboundGate, AShareIsSpreadOverMessages) {
  OutboundWorld world;
  world.decide({{"customer=shop.example", "throttle 10% for 1h"}});
  int passed = 0;
  for (int i = 0; i < 100; ++i) {
    const Transaction mail = next_mail(i);
    const bool passes = world.at_recipient(mail, "a@gmail.com").kind == Kind::proceed;
    EXPECT_EQ(world.at_recipient(mail, "b@gmail.com").kind == Kind::proceed, passes);
    passed += passes ? 1 : 0;
  }
  EXPECT_EQ(passed, 10);
}

TEST(OutboundGate, ModesThatLookOnRefuseNothing) {
  for (const Mode mode : {Mode::shadow, Mode::notify}) {
    OutboundWorld world(mode);
    world.rules.settings.foreign_author = "reject";
    world.decide({{"credential=jo@shop.example", "suspend 1h"}});
    const Transaction mail = mail_of("From: ceo@bank.example\r\n");
    EXPECT_TRUE(world.gate().looks_at(mail));
    EXPECT_EQ(world.at_recipient(mail, "kim@gmail.com"), Answer{});
    EXPECT_EQ(world.at_end(mail), Answer{});
    EXPECT_EQ(world.gate().in_trouble(mail, Trouble::deadline), Answer{});
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::accepted);
    EXPECT_FALSE(events[0].self_inflicted);
    EXPECT_EQ(events[0][Field::findings], "foreign_author");
  }
  OutboundWorld off(Mode::off);
  EXPECT_FALSE(off.gate().looks_at(mail_of()));
}

TEST(OutboundGate, AForeignAuthorGetsWhatIsConfigured) {
  const std::vector<std::pair<std::string, Kind>> cases{{"accept", Kind::proceed},
                                                        {"tag", Kind::proceed},
                                                        {"tempfail", Kind::tempfail},
                                                        {"quarantine", Kind::tempfail},
                                                        {"reject", Kind::reject}};
  for (const auto& [disposition, kind] : cases) {
    OutboundWorld world;
    world.rules.settings.foreign_author = disposition;
    const Answer answer = world.at_end(mail_of("From: ceo@bank.example\r\n"));
    EXPECT_EQ(answer.kind, kind) << disposition;
    EXPECT_THAT(answer.header, IsEmpty());
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].self_inflicted, kind != Kind::proceed);
    EXPECT_EQ(events[0][Field::findings], "foreign_author");
    if (kind == Kind::proceed) continue;
    EXPECT_THAT(answer.reply, EndsWith("; contact abuse@esp.example (watchpost border)"));
    EXPECT_EQ(world.at_end(mail_of()), Answer{}) << "own mail";
  }
}

TEST(OutboundGate, TheStricterOfTwoIsAnswered) {
  OutboundWorld world;
  world.rules.settings.foreign_author = "reject";
  world.decide({{"campaign=news", "hold 1h"}});
  const std::string foreign = "From: ceo@bank.example\r\n";
  EXPECT_THAT(world.at_end(mail_of(foreign)).reply, StartsWith("550 5.7.1 "));
  world.decide({{"campaign=news", "block 1h"}});
  EXPECT_THAT(world.at_end(mail_of(foreign)).reply, HasSubstr("(watchpost d-1)"));
}

TEST(OutboundGate, AQuarantineThatIsNoneTakesNothingFromADecision) {
  OutboundWorld world;
  world.rules.settings.foreign_author = "quarantine";
  world.rules.settings.quarantine = "accept";
  const std::string foreign = "From: ceo@bank.example\r\n";
  EXPECT_EQ(world.at_end(mail_of(foreign)), Answer{});
  world.decide({{"campaign=news", "hold 1h"}});
  EXPECT_THAT(world.at_end(mail_of(foreign)).reply, EndsWith("(watchpost d-1)"));
}

TEST(OutboundGate, AVerdictIsKeptWhereSomethingWasSaid) {
  OutboundWorld world;
  world.rules.version = "17";
  world.at_end(mail_of());
  EXPECT_THAT(world.sink.arrivals.at(0).verdicts, IsEmpty());
  world.decide({{"campaign=news", "hold 1h"}});
  Transaction mail = mail_of();
  for (int i = 0; i < 10'000; ++i) {
    mail.recipients.push_back(
        {.address = std::string(1000, '\x01') + "\xff", .arguments = "", .refused = false});
  }
  mail.helo = std::string(5000, '\x02');
  world.at_end(mail);
  const auto& arrival = world.sink.arrivals.at(1);
  ASSERT_THAT(arrival.verdicts, SizeIs(1));
  EXPECT_EQ(arrival.verdicts[0].event, arrival.events.events()[0].id);
  const std::string& json = arrival.verdicts[0].json;
  EXPECT_LE(json.size(), size_t{256} << 10);
  EXPECT_THAT(json, HasSubstr(R"("direction":"outbound")"));
  EXPECT_THAT(json, HasSubstr(R"("decided":"tempfail","carried_out":"tempfail")"));
  EXPECT_THAT(json, HasSubstr(R"({"rule":"decision d-1","wants":"tempfail","in_force":true)"));
  EXPECT_THAT(json, HasSubstr(R"("recipient_count":10001)"));
  EXPECT_THAT(json, HasSubstr(R"("reply":"451 4.7.1 )"));
}

TEST(OutboundGate, TroubleIsAnsweredAsConfiguredAndDecisionsBiteInIt) {
  OutboundWorld world;
  world.rules.settings.trouble = "accept";
  world.rules.settings.overload = "tempfail";
  EXPECT_EQ(world.gate().in_trouble(mail_of(), Trouble::deadline), Answer{});
  const Answer answer = world.gate().in_trouble(mail_of(), Trouble::overload);
  EXPECT_EQ(answer.kind, Kind::tempfail);
  EXPECT_THAT(answer.reply, StartsWith("451 4.7.1 "));
  EXPECT_THAT(world.sink.events(), IsEmpty());
  world.decide({{"credential=jo@shop.example", "suspend 1h"}});
  EXPECT_EQ(world.gate().in_trouble(mail_of(), Trouble::deadline).kind, Kind::reject);
}

TEST(OutboundGate, MailTakenForWantOfMemoryIsCounted) {
  OutboundWorld shadow(Mode::shadow);
  EXPECT_EQ(shadow.gate().in_trouble(mail_of(), Trouble::overload), Answer{});
  EXPECT_THAT(shadow.sink.events(), SizeIs(1));
  OutboundWorld world;
  world.rules.settings.overload = "accept";
  EXPECT_EQ(world.gate().in_trouble(mail_of(), Trouble::overload), Answer{});
  const auto events = world.sink.events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::accepted);
  EXPECT_EQ(events[0].recipients, 1u);
  EXPECT_EQ(events[0][Field::customer], "shop.example");
}

TEST(OutboundGate, EventsThatFindNoRoomAreCountedAndMailGoesOn) {
  OutboundWorld world;
  world.sink.full = true;
  EXPECT_EQ(world.at_end(mail_of()), Answer{});
  EXPECT_THAT(world.metrics.text(),
              HasSubstr("watchpost_border_events_dropped_total{gate=\"outbound\"} 1"));
}

TEST(OutboundGate, FindingsAreCounted) {
  OutboundWorld world;
  world.at_end(mail_of("From: jo@shop.example\r\nPrecedence: bulk\r\n"));
  EXPECT_EQ(world.sink.events().at(0)[Field::findings], "no_unsubscribe no_dkim no_feedback_id");
  EXPECT_THAT(
      world.metrics.text(),
      HasSubstr("watchpost_border_findings_total{gate=\"outbound\",finding=\"no_dkim\"} 1"));
}

TEST(OutboundGate, EachEventHasItsOwnId) {
  OutboundWorld world;
  world.decide({{"recipient_domain=bad.example", "block 1h"}});
  world.at_recipient(mail_of(), "a@bad.example");
  world.at_recipient(mail_of(), "b@bad.example");
  world.at_end(mail_of());
  world.at_end(next_mail(1, "4Xyz12345"));
  world.at_end(mail_of());
  const auto events = world.sink.events();
  ASSERT_THAT(events, SizeIs(5));
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(events[i].id, events[j].id);
  }
  EXPECT_EQ(events[4].id, events[2].id) << "the same message";
}

// What the log says of the same refusals is known as our own, too.
TEST(OutboundGate, TheLogsReaderKnowsItsReplies) {
  OutboundWorld world;
  world.rules.settings.foreign_author = "reject";
  world.decide({{"recipient_domain=bad.example", "throttle 0/1h for 1h"}});
  for (const Answer& answer : {world.at_recipient(mail_of(), "a@bad.example"),
                               world.at_end(mail_of("From: ceo@bank.example\r\n"))}) {
    const std::string line = fmt::format(
        "END-OF-MESSAGE from c[192.0.2.7]: {}; from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
        answer.reply);
    const auto read = feedback::read_reject(line);
    ASSERT_TRUE(read) << line;
    EXPECT_TRUE(feedback::is_our_milters_reply(*read, line)) << line;
  }
}

TEST(OutboundGate, DetectorsCountItsEvents) {
  OutboundWorld world;
  detect::Watch watch(
      {detect::detector_of(
          {.name = "volume", .watch = {"credential"}, .window = 1h, .when = "accepted >= 60"})},
      {});
  std::vector<Signal> signals;
  for (int i = 0; i < 60; ++i) {
    EXPECT_THAT(signals, IsEmpty()) << i;
    world.at_end(next_mail(i));
    watch.on(world.sink.events().back(), signals);
  }
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].stream.text(), "credential=jo@shop.example");
}

TEST(MilterEnforcer, CanDoWhatAMailServerTells) {
  const MilterEnforcer enforcer([] { return std::string("listening"); });
  for (const char* const scope :
       {"credential=a", "customer=a campaign=b", "from_domain=a", "client_ip=192.0.2.1",
        "client_network=192.0.2.0/24", "recipient=a@b", "recipient_domain=b", "provider=gmail",
        "author_domain=a", "subject_hash=1", "link_host=a"}) {
    EXPECT_TRUE(enforcer.can(enforce::make_decision(1, scope, "suspend 1h"))) << scope;
  }
  for (const char* const scope :
       {"signer=a", "source_ip=192.0.2.1", "customer=a peer_ip=192.0.2.1"}) {
    const auto can = enforcer.can(enforce::make_decision(1, scope, "suspend 1h"));
    ASSERT_FALSE(can) << scope;
    EXPECT_EQ(can.error().code, Code::refused);
  }
  Decision nothing = enforce::make_decision(1, "credential=a", "suspend 1h");
  nothing.scope = {};
  EXPECT_FALSE(enforcer.can(nothing));
  EXPECT_EQ(enforcer.state(), "listening");
}

}  // namespace
}  // namespace watchpost::border
