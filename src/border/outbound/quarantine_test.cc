#include "border/outbound/test_support.h"
#include "border/release.h"
#include "border/test_keeper.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using Kind = Answer::Kind;

struct HoldingWorld : OutboundWorld {
  explicit HoldingWorld(Mode mode_given = Mode::enforce) : OutboundWorld(mode_given) {
    quarantine = &keeper;
    holds = true;
  }
  std::vector<std::string> kept(size_t i) const {
    std::vector<std::string> all;
    for (const quarantine::Copy& one : keeper.kept.at(i).message.copies) {
      all.push_back(one.recipient);
    }
    return all;
  }
  TestKeeper keeper;
};

Transaction mail_to(const std::vector<std::string>& recipients) {
  Transaction mail = mail_of();
  mail.recipients.clear();
  for (const std::string& one : recipients) {
    mail.recipients.push_back({.address = one, .arguments = "", .refused = false});
  }
  return mail;
}

TEST(OutboundHold, KeepsMailHere) {
  for (const char* const scope :
       {"credential=jo@shop.example", "customer=shop.example", "campaign=news",
        "recipient_domain=gmail.com", "campaign=news provider=gmail"}) {
    HoldingWorld world;
    world.decide({{scope, "hold 1h"}});
    EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com"), Answer{}) << scope;
    EXPECT_EQ(world.at_end(mail_of()), Answer{.kind = Kind::discard}) << scope;
    ASSERT_THAT(world.keeper.kept, SizeIs(1)) << scope;
    const quarantine::HeldMessage& message = world.keeper.kept[0].message;
    EXPECT_EQ(message.direction, Direction::outbound);
    EXPECT_EQ(message.milter, "outbound");
    EXPECT_EQ(message.at, enforce::kNow);
    EXPECT_EQ(message.decision.number, 1u);
    EXPECT_EQ(message.rule, "decision d-1");
    EXPECT_THAT(message.reason, EndsWith("is under hold 1h"));
    EXPECT_EQ(message.login, "jo@shop.example");
    EXPECT_EQ(message.customer, "shop.example");
    EXPECT_EQ(message.campaign, "news");
    EXPECT_EQ(message.sender, "bounce@shop.example");
    EXPECT_EQ(message.author, "jo@shop.example");
    EXPECT_EQ(message.author_domain, "shop.example");
    EXPECT_EQ(message.subject, "Order 4711");
    EXPECT_EQ(message.message_id, "news.17@shop.example");
    EXPECT_THAT(message.counted, IsEmpty());
    EXPECT_THAT(world.kept(0), ElementsAre("kim@gmail.com"));
    EXPECT_EQ(world.keeper.kept[0].content.message, mail_of().message);
    EXPECT_THAT(world.keeper.kept[0].content.verdict, HasSubstr(R"("carried_out":"quarantine")"));
    // It has not left, and nobody refused it to anybody but us.
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::rejected);
    EXPECT_TRUE(events[0].self_inflicted);
    EXPECT_EQ(events[0][Field::disposition], "quarantine");
    EXPECT_EQ(events[0][Field::stage], "END-OF-MESSAGE");
    EXPECT_EQ(events[0][Field::reply], "");
    EXPECT_THAT(world.sink.arrivals[0].verdicts.at(0).json,
                HasSubstr("\"held\":\"" + to_hex(message.id) + "\""));
  }
}

TEST(OutboundHold, OnlyOfThoseForWhomItHolds) {
  HoldingWorld world;
  world.decide({{"campaign=news provider=gmail", "hold 1h"}});
  const Answer answer = world.at_end(mail_to({"a@gmail.com", "b@corp.example", "c@gmail.com"}));
  EXPECT_EQ(answer.kind, Kind::proceed);
  EXPECT_THAT(answer.remove_recipients, ElementsAre("a@gmail.com", "c@gmail.com"));
  EXPECT_THAT(world.kept(0), ElementsAre("a@gmail.com", "c@gmail.com"));
  const auto events = world.sink.events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].kind, EventKind::accepted);
  EXPECT_FALSE(events[0].self_inflicted);
  EXPECT_EQ(events[0].recipients, 1u);
  EXPECT_EQ(events[1].kind, EventKind::rejected);
  EXPECT_TRUE(events[1].self_inflicted);
  EXPECT_EQ(events[1].recipients, 2u);
  EXPECT_NE(events[0].id, events[1].id);
  EXPECT_THAT(world.sink.arrivals[0].verdicts.at(0).json,
              HasSubstr(R"("held_for":["a@gmail.com","c@gmail.com"])"));
}

TEST(OutboundHold, EachDecisionHasItsOwn) {
  HoldingWorld world;
  world.decide(
      {{"recipient_domain=gmail.com", "hold 1h"}, {"recipient_domain=corp.example", "hold 2h"}});
  EXPECT_EQ(world.at_end(mail_to({"a@gmail.com", "b@corp.example"})).kind, Kind::discard);
  ASSERT_THAT(world.keeper.kept, SizeIs(2));
  std::vector<std::string> all;
  for (size_t i = 0; i < 2; ++i) {
    all.push_back(world.keeper.kept[i].message.rule + " " + world.kept(i).at(0));
  }
  EXPECT_THAT(all, testing::UnorderedElementsAre("decision d-1 a@gmail.com",
                                                 "decision d-2 b@corp.example"));
}

TEST(OutboundHold, AHoldOfAllHoldsWhomNoOtherHolds) {
  HoldingWorld world;
  world.decide({{"credential=jo@shop.example", "hold 1h"}, {"provider=gmail", "hold 2h"}});
  EXPECT_EQ(world.at_end(mail_to({"a@gmail.com", "b@corp.example"})).kind, Kind::discard);
  ASSERT_THAT(world.keeper.kept, SizeIs(2));
}

// As without a quarantine, where all of them are meant by one or the other: nothing leaves.
TEST(OutboundHold, WhomAStricterMeasureMeansIsKeptWithTheRest) {
  HoldingWorld world;
  world.decide({{"campaign=news provider=gmail", "suspend 1h"},
                {"campaign=news recipient_domain=corp.example", "hold 1h"}});
  EXPECT_EQ(world.at_end(mail_to({"a@gmail.com", "b@corp.example"})).kind, Kind::discard);
  ASSERT_THAT(world.keeper.kept, SizeIs(1));
  EXPECT_EQ(world.keeper.kept[0].message.rule, "decision d-2");
  EXPECT_THAT(world.kept(0), ElementsAre("a@gmail.com", "b@corp.example"));
}

TEST(OutboundHold, StricterMeasuresRefuseAsEver) {
  HoldingWorld world;
  world.decide({{"credential=jo@shop.example", "hold 1h"}, {"client_ip=192.0.2.7", "suspend 1h"}});
  EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com").kind, Kind::reject);
  EXPECT_EQ(world.at_end(mail_of()).kind, Kind::reject);
  world.decide({{"credential=jo@shop.example", "throttle 0/1h for 1h"}});
  EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com").kind, Kind::tempfail);
  EXPECT_EQ(world.at_end(mail_of()).kind, Kind::tempfail);
  EXPECT_THAT(world.keeper.kept, IsEmpty());
}

TEST(OutboundHold, AnAuthorThatIsRefusedIsRefused) {
  HoldingWorld world;
  world.rules.settings.foreign_author = "reject";
  world.decide({{"credential=jo@shop.example", "hold 1h"}});
  EXPECT_EQ(world.at_end(mail_of("From: ceo@bank.example\r\n")).kind, Kind::reject);
  EXPECT_THAT(world.keeper.kept, IsEmpty());
}

TEST(OutboundHold, WhereNothingIsTakenItIsRefusedAsEver) {
  HoldingWorld world;
  world.decide({{"credential=jo@shop.example", "hold 1h"}});
  world.keeper.room = false;
  for (const Answer& answer :
       {world.at_recipient(mail_of(), "kim@gmail.com"), world.at_end(mail_of())}) {
    EXPECT_EQ(answer.kind, Kind::tempfail);
    EXPECT_THAT(answer.reply, StartsWith("451 4.7.1 Sending is on hold"));
    EXPECT_THAT(answer.reply, EndsWith("(watchpost d-1)"));
  }
  world.keeper.room = true;
  Transaction cut = mail_of();
  cut.cut = true;
  EXPECT_EQ(world.at_end(cut).kind, Kind::tempfail);
  EXPECT_THAT(world.keeper.kept, IsEmpty());
}

// Nobody who was let in for the sake of a quarantine gets through without it.
TEST(OutboundHold, ForARecipientNothingPassesThatIsNotKept) {
  HoldingWorld world;
  world.rules.settings.trouble = "accept";
  world.decide({{"recipient_domain=gmail.com", "hold 1h"}});
  const Transaction mail = mail_to({"b@corp.example", "a@gmail.com"});
  EXPECT_EQ(world.at_recipient(mail, "a@gmail.com"), Answer{});
  EXPECT_EQ(world.gate().in_trouble(mail, Trouble::deadline).kind, Kind::tempfail);
  world.keeper.room = false;
  EXPECT_EQ(world.at_end(mail).kind, Kind::tempfail);
  world.keeper.room = true;
  world.keeper.broken_after = 0;
  const Answer answer = world.at_end(mail);
  EXPECT_EQ(answer.kind, Kind::tempfail);
  EXPECT_THAT(answer.reply, StartsWith("451 4.3.0 This mail cannot be kept now"));
  EXPECT_THAT(world.sink.arrivals.back().verdicts.at(0).json,
              HasSubstr(R"("decided":"quarantine","carried_out":"tempfail")"));
  EXPECT_EQ(world.sink.events().back().kind, EventKind::rejected);
}

TEST(OutboundHold, OneOfTwoPartsIsNotEnough) {
  HoldingWorld world;
  world.decide(
      {{"recipient_domain=gmail.com", "hold 1h"}, {"recipient_domain=corp.example", "hold 2h"}});
  world.keeper.broken_after = 1;
  const Answer answer = world.at_end(mail_to({"a@gmail.com", "b@corp.example", "c@d.example"}));
  EXPECT_EQ(answer.kind, Kind::tempfail);
  EXPECT_THAT(answer.remove_recipients, IsEmpty());
}

TEST(OutboundHold, TooManyCausesAreTooMany) {
  HoldingWorld world;
  std::vector<std::pair<std::string, std::string>> decisions;
  std::vector<std::string> recipients;
  for (int i = 0; i < 17; ++i) {
    recipients.push_back("a@d" + std::to_string(i) + ".example");
    decisions.emplace_back("recipient=" + recipients.back(), "hold 1h");
  }
  world.decide(decisions);
  EXPECT_EQ(world.at_end(mail_to(recipients)).kind, Kind::tempfail);
  recipients.pop_back();
  EXPECT_EQ(world.at_end(mail_to(recipients)).kind, Kind::discard);
  EXPECT_THAT(world.keeper.kept, SizeIs(16));
}

TEST(OutboundHold, WhoDoesNotHoldRefuses) {
  HoldingWorld without;
  without.holds = false;
  HoldingWorld shadow(Mode::shadow);
  for (HoldingWorld* const world : {&without, &shadow}) {
    world->decide({{"credential=jo@shop.example", "hold 1h"}});
    const Kind kind = world == &shadow ? Kind::proceed : Kind::tempfail;
    EXPECT_EQ(world->at_recipient(mail_of(), "kim@gmail.com").kind, kind);
    EXPECT_EQ(world->at_end(mail_of()).kind, kind);
    EXPECT_THAT(world->keeper.kept, IsEmpty());
  }
}

TEST(OutboundHold, AKeptMessageThatIsTooLateIsNotSaidToHaveLeft) {
  HoldingWorld world;
  world.decide({{"campaign=news provider=gmail", "hold 1h"}});
  const Transaction mail = mail_to({"a@gmail.com", "b@corp.example"});
  world.gate().at_end(std::make_shared<const Transaction>(mail),
                      [](const Answer&) { return false; });
  const auto events = world.sink.events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::rejected);
  EXPECT_EQ(events[0].recipients, 2u);
}

TEST(OutboundHold, WhoWasLetInUnderOneDoesNotSlipOut) {
  HoldingWorld world;
  auto mapping = feedback::Mapping::from(
      {{.set = "customer", .from = "message_id", .pattern = "^(news)", .value = ""},
       {.set = "customer", .from = "credential", .pattern = "@(.+)$", .value = ""}});
  ASSERT_TRUE(mapping);
  world.mapping = std::move(*mapping);
  world.decide({{"customer=shop.example", "hold 1h"}});
  EXPECT_EQ(world.at_recipient(mail_of(), "kim@gmail.com"), Answer{});
  EXPECT_EQ(world.at_end(mail_of()).kind, Kind::discard);
  EXPECT_EQ(world.keeper.kept.at(0).message.customer, "news");
}

TEST(OutboundHold, TheGateWaitsForWhatIsBeingKept) {
  HoldingWorld world;
  world.decide({{"credential=jo@shop.example", "hold 1h"}});
  world.keeper.slow = true;
  bool answered = false;
  world.gate().at_end(std::make_shared<const Transaction>(mail_of()), [&](const Answer& answer) {
    EXPECT_EQ(answer.kind, Kind::discard);
    return answered = true;
  });
  EXPECT_FALSE(answered);
  EXPECT_THAT(world.sink.events(), IsEmpty());
  std::thread later([&] { world.keeper.go_on(); });
  world.handler.reset();
  EXPECT_TRUE(answered);
  EXPECT_THAT(world.sink.events(), SizeIs(1));
  later.join();
}

TEST(OutboundQuarantine, AForeignAuthorsMailIsKept) {
  HoldingWorld world;
  world.holds = false;
  world.rules.settings.foreign_author = "quarantine";
  world.rules.settings.quarantine = "accept";  // which is for who has none
  const std::string foreign = "From: ceo@bank.example\r\n";
  EXPECT_EQ(world.at_end(mail_of(foreign)).kind, Kind::discard);
  ASSERT_THAT(world.keeper.kept, SizeIs(1));
  EXPECT_EQ(world.keeper.kept[0].message.rule, "foreign_author");
  EXPECT_EQ(world.keeper.kept[0].message.author, "ceo@bank.example");
  EXPECT_FALSE(world.keeper.kept[0].message.decision);
  world.keeper.room = false;
  EXPECT_THAT(world.at_end(mail_of(foreign)).reply,
              StartsWith("451 4.3.0 This mail cannot be kept now"));
  EXPECT_EQ(world.at_end(mail_of()), Answer{});
}

TEST(OutboundQuarantine, AHoldKeepsItsOwnOfAForeignAuthor) {
  HoldingWorld world;
  world.rules.settings.foreign_author = "quarantine";
  world.decide({{"recipient_domain=gmail.com", "hold 1h"}});
  Transaction mail = mail_of("From: ceo@bank.example\r\n");
  mail.recipients.push_back({.address = "b@corp.example", .arguments = "", .refused = false});
  EXPECT_EQ(world.at_end(mail).kind, Kind::discard);
  ASSERT_THAT(world.keeper.kept, SizeIs(2));
  std::vector<std::string> rules{world.keeper.kept[0].message.rule,
                                 world.keeper.kept[1].message.rule};
  EXPECT_THAT(rules, testing::UnorderedElementsAre("decision d-1", "foreign_author"));
}

// Releases.

const std::string kToken(64, 'a');

Transaction released(const std::string& token = kToken) {
  Transaction mail = mail_of();
  mail.client_ip = parse_ip_address("127.0.0.1");
  mail.helo = kReleaseHelo;
  mail.macros.erase("auth_authen");
  mail.macros["i"] = "4Released";
  mail.message = "X-Watchpost-Release: " + token + "\r\n" + mail.message;
  mail.release_fields = 1;
  return mail;
}

struct ReleasingWorld : HoldingWorld {
  explicit ReleasingWorld(Mode mode_given = Mode::enforce) : HoldingWorld(mode_given) {
    quarantine::HeldMessage held;
    held.login = "jo@shop.example";
    held.customer = "customer of then";
    held.client_ip = "192.0.2.7";
    keeper.tokens.emplace_back(kToken, held);
  }
};

const HeaderChange kRemoval{
    .kind = HeaderChange::Kind::remove, .place = 1, .name = "X-Watchpost-Release", .value = {}};

TEST(OutboundRelease, CountsAsMailOfTheLoginThatSentIt) {
  for (const Mode mode : {Mode::enforce, Mode::shadow}) {
    ReleasingWorld world(mode);
    world.decide({{"recipient_domain=gmail.com", "hold 1h"}});
    EXPECT_EQ(world.at_recipient(released(), "kim@gmail.com"), Answer{});
    EXPECT_EQ(world.at_end(released()), Answer{.header = {kRemoval}});
    EXPECT_THAT(world.keeper.kept, IsEmpty());
    ASSERT_THAT(world.keeper.redeemed, SizeIs(1));
    EXPECT_EQ(world.keeper.redeemed[0].queue_id, "4Released");
    EXPECT_EQ(world.keeper.redeemed[0].message, mail_of().message);
    const auto events = world.sink.events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::accepted);
    EXPECT_FALSE(events[0].self_inflicted);
    EXPECT_EQ(events[0][Field::credential], "jo@shop.example");
    EXPECT_EQ(events[0][Field::customer], "customer of then");
    EXPECT_EQ(events[0][Field::campaign], "news");
    EXPECT_EQ(events[0][Field::client_ip], "192.0.2.7");
    EXPECT_EQ(events[0][Field::findings], "released");
    EXPECT_EQ(events[0][Field::queue_id], "4Released");
  }
}

Transaction from_elsewhere(const std::string& token) {
  Transaction mail = released(token);
  mail.helo = "client.example";
  return mail;
}

TEST(OutboundRelease, AForgedTokenIsWorthNothing) {
  ReleasingWorld world;
  EXPECT_EQ(world.at_end(from_elsewhere("b")), Answer{.header = {kRemoval}});
  EXPECT_EQ(world.sink.events().at(0)[Field::findings], "");
  EXPECT_THAT(world.metrics.text(),
              HasSubstr("watchpost_border_release_tokens_refused_total{gate=\"outbound\"} 1"));
  world.decide({{"recipient=kim@gmail.com", "suspend 1h"}});
  EXPECT_EQ(world.at_recipient(released("b"), "kim@gmail.com"), Answer{});
  EXPECT_EQ(world.at_end(released("b")).kind, Kind::tempfail) << "it may be late, and sent again";
  Transaction without = released("b");
  without.message = mail_of().message;
  without.release_fields = 0;
  EXPECT_EQ(world.at_end(without).kind, Kind::reject);
  EXPECT_EQ(world.gate().in_trouble(without, Trouble::deadline).kind, Kind::reject);
  Transaction remote = released("b");
  remote.client_ip = parse_ip_address("192.0.2.7");
  EXPECT_EQ(world.at_recipient(remote, "kim@gmail.com").kind, Kind::reject);
}

TEST(OutboundRelease, AForgedTokenKeepsWhatIsOnHold) {
  ReleasingWorld world;
  world.decide({{"recipient_domain=gmail.com", "hold 1h"}});
  EXPECT_EQ(world.at_end(from_elsewhere("b")).kind, Kind::discard);
  EXPECT_THAT(world.keeper.kept, SizeIs(1));
}

TEST(OutboundRelease, ATokenIsGoodOnceAndInTroubleTheMailComesAgain) {
  ReleasingWorld world;
  world.keeper.trouble = Error{.code = Code::unavailable, .what = "no disk", .about = {}};
  const Answer waits = world.at_end(released());
  EXPECT_EQ(waits.kind, Kind::tempfail);
  EXPECT_THAT(waits.reply, StartsWith("451 4.3.0 "));
  EXPECT_THAT(world.sink.events(), IsEmpty());
  world.keeper.trouble.reset();
  world.at_end(released());
  EXPECT_EQ(world.sink.events().back()[Field::findings], "released");
  const size_t told = world.sink.events().size();
  EXPECT_EQ(world.at_end(released()).kind, Kind::tempfail);
  EXPECT_EQ(world.sink.events().size(), told);
  EXPECT_EQ(world.gate().in_trouble(released(), Trouble::internal).kind, Kind::tempfail);
}

}  // namespace
}  // namespace watchpost::border
