#include "border/gate.h"

#include "border/inbound/test_gate.h"
#include "dns/outcome.h"

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using auth::TestWorld;

struct Gate : GateWorld {
  uint64_t count(std::string_view line) {
    const std::string text = metrics.text();
    const size_t at = text.find(std::string(line) + " ");
    if (at == std::string::npos) return 0;
    return std::stoull(text.substr(at + line.size() + 1));
  }
  const Event& event() { return events.all.at(0).events.events()[0]; }
};

TEST_F(Gate, OffLooksAtNothing) {
  EXPECT_FALSE(inbound_gate("inbound", Mode::off, context())->looks_at({}));
  EXPECT_TRUE(inbound_gate("inbound", Mode::shadow, context())->looks_at({}));
}

TEST_F(Gate, EachMessageIsAnEvent) {
  auto mail = good();
  mail->message = world.signed_by("shop.example",
                                  "From: jo@shop.example\r\nSubject: offer 12\r\nMessage-ID: "
                                  "<1@shop.example>\r\n\r\nsee http://other.example/x\r\n");
  mail->recipients.push_back({.address = "also@example.org", .arguments = {}});
  mail->size = 777;
  answer(mail);
  ASSERT_EQ(events.all.size(), 1u);
  EXPECT_EQ(events.all[0].source, "inbound");
  EXPECT_EQ(event().kind, EventKind::judged);
  EXPECT_EQ(event().direction, Direction::inbound);
  EXPECT_EQ(event().at, clock.now());
  EXPECT_EQ(event().recipients, 2u);
  EXPECT_EQ(event().size, 777u);
  EXPECT_EQ(event()[Field::source], "inbound");
  EXPECT_EQ(event()[Field::queue_id], "4F2A");
  EXPECT_EQ(event()[Field::message_id], "1@shop.example");
  EXPECT_EQ(event()[Field::sender], "jo@shop.example");
  EXPECT_EQ(event()[Field::from_domain], "shop.example");
  EXPECT_EQ(event()[Field::recipient], "you@example.org");
  EXPECT_EQ(event()[Field::recipient_domain], "example.org");
  EXPECT_EQ(event()[Field::client_ip], "192.0.2.1");
  EXPECT_EQ(event()[Field::client_network], "192.0.2.0/24");
  EXPECT_EQ(event()[Field::author_domain], "shop.example");
  EXPECT_EQ(event()[Field::signer], "shop.example");
  EXPECT_EQ(event()[Field::subject_hash].size(), 16u);
  EXPECT_EQ(event()[Field::link_host], "other.example");
  EXPECT_EQ(event()[Field::disposition], "accept");
  EXPECT_TRUE(event()[Field::findings].starts_with("spf_pass "));
}

TEST_F(Gate, TheVerdictStandsBesideItsEvent) {
  answer(forged());
  ASSERT_EQ(events.all.size(), 1u);
  ASSERT_EQ(events.all[0].verdicts.size(), 1u);
  EXPECT_EQ(events.all[0].verdicts[0].event, event().id);
  EXPECT_NE(events.all[0].verdicts[0].json.find("\"decided\":\"tag\""), std::string::npos);
}

TEST_F(Gate, AMessageHasOneId) {
  answer(good());
  answer(good());
  auto later = good();
  later->began += std::chrono::seconds(1);
  answer(later);
  const auto id = [&](size_t i) { return events.all[i].events.events()[0].id; };
  EXPECT_EQ(id(0), id(1));
  EXPECT_NE(id(0), id(2));
}

TEST_F(Gate, WhatThereIsNoRoomForIsCounted) {
  events.full = true;
  EXPECT_EQ(answer(good()).kind, Answer::Kind::proceed);
  EXPECT_EQ(count("watchpost_border_events_dropped_total{gate=\"inbound\"}"), 1u);
}

TEST_F(Gate, FiltersAreCounted) {
  filter({.name = "mark", .when = "size > 0", .then = "tag", .mode = "shadow"});
  answer(good());
  answer(good());
  EXPECT_EQ(count("watchpost_filter_hits_total{gate=\"inbound\",rule=\"mark\",mode=\"shadow\"}"),
            2u);
  EXPECT_EQ(count("watchpost_border_messages_total{gate=\"inbound\",decided=\"accept\"}"), 2u);
}

TEST_F(Gate, DecisionsBiteAtTheRecipient) {
  decide({enforce::make_decision(17, "recipient=you@example.org", "block 1h"),
          enforce::make_decision(18, "recipient=slow@example.org", "hold 1h")});
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  const auto mail = good();
  const Answer refused = gate->at_recipient(*mail, {.address = "you@example.org", .arguments = {}});
  EXPECT_EQ(refused.kind, Answer::Kind::reject);
  EXPECT_TRUE(refused.reply.starts_with("554 5.7.1 ")) << refused.reply;
  EXPECT_TRUE(refused.reply.ends_with("(watchpost d-17)")) << refused.reply;
  const Answer waits = gate->at_recipient(*mail, {.address = "slow@example.org", .arguments = {}});
  EXPECT_EQ(waits.kind, Answer::Kind::tempfail);
  EXPECT_TRUE(waits.reply.starts_with("451 4.7.1 ")) << waits.reply;
  EXPECT_EQ(gate->at_recipient(*mail, {.address = "other@example.org", .arguments = {}}), Answer{});
  const auto shadow = inbound_gate("shadow", Mode::shadow, context());
  EXPECT_EQ(shadow->at_recipient(*mail, {.address = "you@example.org", .arguments = {}}), Answer{});
  ASSERT_EQ(events.all.size(), 2u);
  EXPECT_EQ(event()[Field::recipient], "you@example.org");
  EXPECT_EQ(event()[Field::disposition], "reject");
  EXPECT_EQ(event()[Field::stage], "RCPT");
  EXPECT_TRUE(event().self_inflicted);
}

TEST_F(Gate, WhatADecisionRefusesIsNoEvidence) {
  settings.settings.dmarc_reject = "reject";
  answer(forged());
  decide({enforce::make_decision(17, "author_domain=bank.example", "block 1h")});
  answer(forged());
  const auto self_inflicted = [&](size_t i) {
    return events.all[i].events.events()[0].self_inflicted;
  };
  EXPECT_FALSE(self_inflicted(0));
  EXPECT_TRUE(self_inflicted(1));
  EXPECT_TRUE(events.all[1].events.events()[0][Field::reply].ends_with("(watchpost d-17)"));
}

TEST_F(Gate, AThrottleCountsAMessageOnceAtAllItsStages) {
  decide({enforce::make_decision(17, "client_ip=192.0.2.1", "throttle 2/1h for 2h")});
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  std::vector<Answer::Kind> got;
  for (int i = 0; i < 3; ++i) {
    auto mail = good();
    mail->began += std::chrono::seconds(i);
    got.push_back(gate->at_recipient(*mail, mail->recipients[0]).kind);
    if (got.back() == Answer::Kind::proceed) got.push_back(end(*gate, mail).kind);
  }
  using enum Answer::Kind;
  EXPECT_EQ(got, (std::vector{proceed, proceed, proceed, proceed, tempfail}));
}

TEST_F(Gate, WhatIsTakenAsOursIsRemembered) {
  answer(good());
  EXPECT_TRUE(reputation.of(relate::Party::domain, "shop.example", clock.now()).known());
}

// The table of failures: the column of the inbound milter.

struct Failure : Gate {
  // A resolver that is not there.
  class Nobody final : public dns::Resolver {
   public:
    Async<dns::AnswerPtr> look_up(std::string, dns::RecordType, dns::Budget& budget) override {
      if (!dns::charge(budget)) co_return dns::budget_used_up(budget);
      co_return dns::failed("nobody answers");
    }
  };
  Nobody nobody;
};

TEST_F(Failure, StoreUnwritableKnownDecisionsApply) {
  storing = false;
  decide({enforce::make_decision(17, "client_ip=203.0.113.66", "block 1h")});
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::reject);
}

TEST_F(Failure, StoreUnwritablePlainMailIsTaken) {
  storing = false;
  events.full = true;
  EXPECT_EQ(answer(good()).kind, Answer::Kind::proceed);
}

TEST_F(Failure, StoreUnwritableWhatShouldBeHeldWaits) {
  storing = false;
  settings.settings.dmarc_reject = "quarantine";
  settings.settings.quarantine = "tag";  // which is for a store that works
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::tempfail);
}

TEST_F(Failure, StoreUnwritableRefusalsStay) {
  storing = false;
  settings.settings.dmarc_reject = "reject";
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::reject);
}

TEST_F(Failure, DnsDownProtectedDomainsWaitOthersAreMarked) {
  resolver = &nobody;
  settings.settings.protected_domains = {"bank.example"};
  settings.settings.dmarc_reject = "reject";
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::tempfail);
  const Answer other = answer(forged_shop());
  EXPECT_EQ(other.kind, Answer::Kind::proceed);
  ASSERT_FALSE(other.header.empty());
  EXPECT_EQ(other.header[0].name, "X-Watchpost");
  EXPECT_NE(other.header[0].value.find("dns_temperror"), std::string::npos);
}

TEST_F(Failure, DnsDownIsNoFailOfAnybody) {
  resolver = &nobody;
  settings.settings.dmarc_reject = "reject";
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  const Judged judged = judge(good());
  EXPECT_EQ(judged.facts.identity.spf_mail_from.result, auth::SpfResult::temperror);
  EXPECT_EQ(judged.facts.identity.dmarc.result, auth::DmarcResult::temperror);
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
}

TEST_F(Failure, DnsDownDecisionsStillBite) {
  resolver = &nobody;
  decide({enforce::make_decision(17, "client_ip=203.0.113.66", "block 1h")});
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::reject);
}

TEST_F(Failure, ClockSuspiciousGoesOn) {
  clock.advance(-std::chrono::hours(24 * 365));
  EXPECT_EQ(answer(good()).kind, Answer::Kind::proceed);
  clock.advance(std::chrono::hours(24 * 365 * 50));
  EXPECT_EQ(answer(good()).kind, Answer::Kind::proceed);
}

TEST_F(Failure, QuarantineNotToBeHadWaits) {
  settings.settings.dmarc_reject = "quarantine";
  EXPECT_EQ(answer(forged()).kind, Answer::Kind::tempfail);
}

TEST_F(Failure, TroubleWaitsByDefault) {
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  for (const Trouble trouble : {Trouble::deadline, Trouble::overload, Trouble::internal}) {
    const Answer answer = gate->in_trouble(*good(), trouble);
    EXPECT_EQ(answer.kind, Answer::Kind::tempfail);
    EXPECT_EQ(answer.reply,
              "451 4.3.0 This mail cannot be judged now, try again later (watchpost border)");
    EXPECT_EQ(count(fmt::format("watchpost_border_trouble_total{{gate=\"inbound\",why=\"{}\"}}",
                                name_of(trouble))),
              1u);
  }
}

TEST_F(Failure, TroubleIsAnsweredAsConfigured) {
  settings.settings.trouble = "accept";
  settings.settings.overload = "reject";
  auto gate = inbound_gate("inbound", Mode::enforce, context());
  EXPECT_EQ(gate->in_trouble(*good(), Trouble::deadline).kind, Answer::Kind::proceed);
  const Answer overload = gate->in_trouble(*good(), Trouble::overload);
  EXPECT_EQ(overload.kind, Answer::Kind::reject);
  EXPECT_TRUE(overload.reply.starts_with("550 5.3.0 ")) << overload.reply;
  settings.settings.trouble = "quarantine";
  gate = inbound_gate("inbound", Mode::enforce, context());
  EXPECT_EQ(gate->in_trouble(*good(), Trouble::internal).kind, Answer::Kind::tempfail);
}

TEST_F(Failure, UnjudgedMailSaysNothingInOurName) {
  settings.settings.trouble = "tag";
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  const auto mail = forged(
      "Authentication-Results: mx.example.org; dmarc=pass\r\nX-Watchpost: accept\r\n"
      "Authentication-Results: MX.example.org; spf=pass\r\n");
  const Answer answer = gate->in_trouble(*mail, Trouble::deadline);
  EXPECT_EQ(answer.kind, Answer::Kind::proceed);
  using Kind = HeaderChange::Kind;
  EXPECT_EQ(answer.header,
            (std::vector<HeaderChange>{{Kind::remove, 2, "Authentication-Results", ""},
                                       {Kind::remove, 1, "Authentication-Results", ""},
                                       {Kind::remove, 1, "X-Watchpost", ""},
                                       {Kind::insert, 1, "X-Watchpost", "tag; not judged"}}));
}

// Where there was no memory for the message there is no header to look at any more.
TEST_F(Failure, WhatCouldNotBeLookedAtSaysNothingInOurNameEither) {
  const auto gate = inbound_gate("inbound", Mode::notify, context());
  Transaction mail = *good();
  mail.message.clear();
  mail.cut = true;
  mail.results_fields = 2;
  mail.mark_fields = 1;
  const Answer answer = gate->in_trouble(mail, Trouble::overload);
  EXPECT_EQ(answer.kind, Answer::Kind::proceed);
  using Kind = HeaderChange::Kind;
  EXPECT_EQ(answer.header,
            (std::vector<HeaderChange>{{Kind::remove, 2, "Authentication-Results", ""},
                                       {Kind::remove, 1, "Authentication-Results", ""},
                                       {Kind::remove, 1, "X-Watchpost", ""},
                                       {Kind::insert, 1, "X-Watchpost", "tag; not judged"}}));
}

TEST_F(Failure, ModesThatOnlyLookOnRefuseNothingInTrouble) {
  for (const Mode mode : {Mode::shadow, Mode::notify}) {
    const auto gate = inbound_gate("inbound", mode, context());
    EXPECT_EQ(gate->in_trouble(*good(), Trouble::overload).kind, Answer::Kind::proceed);
  }
}

// Answers when it is told.
class Slow final : public dns::Resolver {
 public:
  struct Wait {
    Slow* slow;
    bool await_ready() const { return slow->open; }
    void await_suspend(std::coroutine_handle<> handle) { slow->waits.push_back(handle); }
    void await_resume() const {}
  };
  Async<dns::AnswerPtr> look_up(std::string, dns::RecordType, dns::Budget& budget) override {
    co_await Wait{this};
    if (!dns::charge(budget)) co_return dns::budget_used_up(budget);
    co_return dns::no_such_name();
  }
  std::vector<std::coroutine_handle<>> waits;
  bool open = false;
};

TEST_F(Failure, TheGateWaitsForWhatItHasBegun) {
  Slow slow;
  resolver = &slow;
  bool answered = false;
  std::thread later;
  {
    const auto gate = inbound_gate("inbound", Mode::enforce, context());
    gate->at_end(good(), [&](const Answer&) { return answered = true; });
    ASSERT_EQ(slow.waits.size(), 1u);
    EXPECT_FALSE(answered);
    slow.open = true;
    later = std::thread([&slow] { slow.waits[0].resume(); });
  }
  EXPECT_TRUE(answered);
  EXPECT_EQ(events.all.size(), 1u);
  later.join();
}

}  // namespace
}  // namespace watchpost::border
