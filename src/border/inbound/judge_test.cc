#include "border/inbound/judge.h"

#include "border/inbound/test_gate.h"
#include "border/inbound/weigh.h"
#include "dns/outcome.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using auth::TestWorld;
using Rules_ = std::vector<std::string>;

struct Judging : GateWorld {
  Judging()
      : GateWorld(R"(
slow.example.         TXT "v=spf1 ip4:192.0.2.9 -all"
_dmarc.slow.example.  TIMEOUT
66.113.0.203.zen.example. A 127.0.0.2
1.2.0.192.blocked.example. A 127.255.255.254
shop.example.dbl.example. A 127.0.1.2
)") {}

  bool found(const Judged& judged, std::string_view word) {
    return std::ranges::find(judged.facts.findings, word) != judged.facts.findings.end();
  }
};

TEST_F(Judging, GoodMailIsAccepted) {
  const Judged judged = judge(good());
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
  EXPECT_EQ(judged.verdict.carried_out, Disposition::accept);
  EXPECT_TRUE(judged.verdict.reasons.empty());
  EXPECT_EQ(judged.answer.kind, Answer::Kind::proceed);
  EXPECT_EQ(fmt::format("{}", fmt::join(judged.facts.findings, " ")),
            "spf_pass helo_pass dkim_pass dmarc_pass arc_none iprev_permerror");
  EXPECT_EQ(judged.deed, relate::Deed::good);
}

TEST_F(Judging, WhatFailsDmarcIsTaggedByDefault) {
  const Judged judged = judge(forged());
  EXPECT_EQ(judged.verdict.decided, Disposition::tag);
  EXPECT_EQ(rules_of(judged), Rules_{"dmarc"});
  EXPECT_EQ(judged.verdict.reasons[0].words,
            "it is not proved to be from bank.example, which asks to reject such mail");
  EXPECT_TRUE(found(judged, "dmarc_fail"));
  EXPECT_EQ(judged.deed, relate::Deed::suspicious);
}

TEST_F(Judging, EachPolicyHasItsSetting) {
  settings.settings.dmarc_reject = "reject";
  settings.settings.dmarc_quarantine = "tempfail";
  EXPECT_EQ(judge(forged()).verdict.decided, Disposition::reject);
  EXPECT_EQ(judge(forged_shop()).verdict.decided, Disposition::tempfail);
  settings.settings.dmarc_reject = "accept";
  const Judged accepted = judge(forged());
  EXPECT_EQ(accepted.verdict.decided, Disposition::accept);
  EXPECT_EQ(rules_of(accepted), Rules_{"dmarc"});  // it stays in sight
}

TEST_F(Judging, RefusalsSayWhyAndThatTheyAreOurs) {
  settings.settings.dmarc_reject = "reject";
  settings.settings.contact = "abuse@example.org";
  EXPECT_EQ(judge(forged("X-Text: 550 injected\r\n")).answer.reply,
            "550 5.7.26 The author's domain asks to refuse mail that is not proved to be from it; "
            "contact abuse@example.org (watchpost border)");
}

TEST_F(Judging, UncertainAuthors) {
  settings.settings.uncertain_author = "reject";
  for (const char* const fields :
       {"From: jo@shop.example\r\nFrom: ceo@bank.example\r\n", "X: y\r\n",
        "From : jo@shop.example\r\n", "From: jo@shop.example <ceo@bank.example>, x\r\n"}) {
    const Judged judged = judge(from(TestWorld::shop(), TestWorld::message(fields)));
    EXPECT_EQ(judged.verdict.decided, Disposition::reject) << fields;
    EXPECT_TRUE(found(judged, "author_uncertain")) << fields;
  }
}

TEST_F(Judging, BlockLists) {
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  settings.settings.listed = "reject";
  const Judged judged =
      judge(from(TestWorld::attacker(), TestWorld::message("From: "
                                                           "any@attack.example\r\n")));
  EXPECT_EQ(rules_of(judged), Rules_{"listed zen"});
  EXPECT_EQ(judged.verdict.decided, Disposition::reject);
  EXPECT_TRUE(judged.answer.reply.starts_with("550 5.7.1 ")) << judged.answer.reply;
  EXPECT_TRUE(found(judged, "listed:zen"));
  EXPECT_EQ(judge(good()).verdict.decided, Disposition::accept);
}

TEST_F(Judging, ListsThatDoNotAnswerUsListNobody) {
  settings.blocklists = {{.name = "odd", .zone = "blocked.example", .of = "ip", .answers = {}}};
  settings.settings.listed = "reject";
  const Judged judged = judge(good());
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
  EXPECT_TRUE(found(judged, "listing_unknown:odd"));
}

TEST_F(Judging, DomainsAreLookedUp) {
  settings.blocklists = {{.name = "dbl", .zone = "dbl.example", .of = "domain", .answers = {}}};
  const Judged judged = judge(good());
  EXPECT_EQ(rules_of(judged), Rules_{"listed dbl"});
  EXPECT_EQ(judged.verdict.reasons[0].words, "shop.example is listed by dbl");
}

TEST_F(Judging, NulsAndTooManyFieldsAreMalformed) {
  settings.settings.malformed = "reject";
  auto mail = from(TestWorld::shop(), TestWorld::message("From: jo@shop.example\r\nX: a\0b\r\n"));
  mail->message.insert(mail->message.find("X: a") + 4, 1, '\0');
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::reject);
  mail = good();
  mail->too_many_fields = true;
  const Judged judged = judge(mail);
  EXPECT_EQ(judged.verdict.decided, Disposition::reject);
  EXPECT_TRUE(found(judged, "malformed"));
  // Another From may stand in what was cut off.
  EXPECT_FALSE(judged.facts.identity.author_is_authentic());
  EXPECT_TRUE(found(judged, "author_uncertain"));
}

TEST_F(Judging, OfACutMessageNoSignatureCounts) {
  auto mail = good();
  mail->client_ip = parse_ip_address("203.0.113.66");  // so that SPF is no help
  mail->cut = true;
  const Judged judged = judge(mail);
  EXPECT_EQ(rules_of(judged), Rules_{"too large"});
  EXPECT_EQ(judged.facts.identity.dmarc.result, auth::DmarcResult::undecided);
  EXPECT_EQ(judged.facts.identity.dkim[0].result, auth::DkimResult::neutral);
  EXPECT_FALSE(judged.facts.first(relate::Party::signer));
  EXPECT_FALSE(judged.facts.first(relate::Party::domain));
  EXPECT_TRUE(found(judged, "large"));
}

TEST_F(Judging, SpfStillCountsForACutMessage) {
  auto mail = good();
  mail->cut = true;
  EXPECT_EQ(judge(mail).facts.identity.dmarc.result, auth::DmarcResult::pass);
}

TEST_F(Judging, ACutMessageIsNoWayRoundAPolicy) {
  settings.settings.dmarc_reject = "reject";
  auto mail = forged();
  mail->cut = true;
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::reject);
  // Of the bank a signature that does not fit: had all been looked at, it might have.
  mail = from(TestWorld::attacker(),
              world.signed_by("bank.example", TestWorld::message("From: ceo@bank.example\r\n")) +
                  "more\r\n");
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::reject);
  mail->cut = true;
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::tag);
}

// costly.example publishes what costs more DNS than a message may cost.
std::string costly_records() {
  std::string records = "costly.example. TXT \"v=spf1";
  for (int i = 0; i < 9; ++i) records += fmt::format(" mx:m{}.costly.example", i);
  records += " -all\"\n";
  for (int i = 0; i < 9; ++i) {
    for (int j = 0; j < 10; ++j) {
      records += fmt::format("m{0}.costly.example. MX 10 h{0}{1}.costly.example.\n", i, j);
      records += fmt::format("h{0}{1}.costly.example. A 198.51.100.1\n", i, j);
    }
  }
  return records + "66.113.0.203.zen.example. A 127.0.0.2\n";
}

// The author's policy is not left unasked for that, and what lists say of the client neither (nor
// where his name servers are slow: then the time is used up).
TEST_F(Judging, TheSendersOwnDnsCannotHideWhatIsSaidOfHim) {
  world = TestWorld(costly_records());
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  settings.settings.dmarc_reject = "reject";
  const Judged judged = judge(from({.ip = parse_ip_address("203.0.113.66"),
                                    .helo = "costly.example",
                                    .mail_from = "<any@costly.example>"},
                                   TestWorld::message("From: ceo@bank.example\r\n")));
  EXPECT_EQ(judged.facts.identity.spf_mail_from.result, auth::SpfResult::temperror);
  EXPECT_EQ(judged.facts.identity.dmarc.result, auth::DmarcResult::fail);
  EXPECT_EQ(judged.verdict.decided, Disposition::reject);
  ASSERT_EQ(judged.facts.listings.size(), 1u);
  EXPECT_EQ(judged.facts.listings[0].state, Listing::State::listed);
}

// Another author may stand in the rest.
TEST_F(Judging, ACutHeaderHasNoCertainAuthor) {
  const auto mail = good();
  EXPECT_EQ(judge(mail).facts.identity.dmarc.result, auth::DmarcResult::pass);
  mail->message.resize(mail->message.find("\r\n\r\n") + 2);
  mail->cut = true;
  const Judged judged = judge(mail);
  EXPECT_EQ(judged.facts.identity.dmarc.result, auth::DmarcResult::permerror);
  EXPECT_FALSE(judged.facts.identity.authors.certain());
}

// One of the authors is the sender's own: that DNS is silent about the other is no way in.
TEST_F(Judging, SeveralAuthorsOfWhomDnsSaysNothingAreUncertain) {
  struct Silent final : dns::Resolver {
    Async<dns::AnswerPtr> look_up(std::string, dns::RecordType, dns::Budget& budget) override {
      if (!dns::charge(budget)) co_return dns::budget_used_up(budget);
      co_return dns::failed("nobody answers");
    }
  } silent;
  resolver = &silent;
  settings.settings.uncertain_author = "reject";
  const auto decided = [&](std::string_view author) {
    return judge(from(TestWorld::attacker(), TestWorld::message(author))).verdict.decided;
  };
  EXPECT_EQ(decided("From: any@attack.example, ceo@bank.example\r\n"), Disposition::tempfail);
  EXPECT_EQ(decided("From: ceo@bank.example\r\n"), Disposition::accept);
}

TEST_F(Judging, ProtectedDomainsWaitWhileDnsIsSilent) {
  settings.settings.protected_domains = {"slow.example"};
  const auto mail = [] {
    return from({.ip = parse_ip_address("203.0.113.66"),
                 .helo = "helo.attack.example",
                 .mail_from = "<any@attack.example>"},
                TestWorld::message("From: ceo@mail.slow.example\r\n"));
  };
  InboundJudge gate("inbound", Mode::enforce, context());
  const auto judged = [&] { return std::move(*value_now(gate.judge(mail()))); };
  const Judged first = judged();
  EXPECT_EQ(first.verdict.decided, Disposition::tempfail);
  EXPECT_EQ(rules_of(first), Rules_{"protected"});
  EXPECT_EQ(first.answer.reply,
            "451 4.4.3 The author's domain cannot be checked now, try again later (watchpost "
            "border)");
  EXPECT_FALSE(first.deed);
  clock.advance(std::chrono::minutes(29));
  EXPECT_EQ(judged().verdict.decided, Disposition::tempfail);
  clock.advance(std::chrono::minutes(2));
  const Judged last = judged();
  EXPECT_EQ(last.verdict.decided, Disposition::accept);
  EXPECT_TRUE(found(last, "dns_temperror"));
}

TEST_F(Judging, OthersAreTakenWithAMarkWhileDnsIsSilent) {
  settings.settings.protected_domains = {"bank.example"};
  const Judged judged =
      judge(from(TestWorld::attacker(), TestWorld::message("From: a@slow.example\r\n")));
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
  const auto mark = std::ranges::find(judged.answer.header, "X-Watchpost", &HeaderChange::name);
  ASSERT_NE(mark, judged.answer.header.end());
  EXPECT_TRUE(mark->value.starts_with("accept; ")) << mark->value;
  EXPECT_NE(mark->value.find("dns_temperror"), std::string::npos);
}

TEST_F(Judging, ModesOnlyLookOn) {
  settings.settings.dmarc_reject = "reject";
  const Judged shadow =
      judge(forged("Authentication-Results: mx.example.org; dmarc=pass\r\n"), Mode::shadow);
  EXPECT_EQ(shadow.verdict.decided, Disposition::reject);
  EXPECT_EQ(shadow.verdict.carried_out, Disposition::accept);
  EXPECT_EQ(shadow.answer, Answer{});
  const Judged notify = judge(forged(), Mode::notify);
  EXPECT_EQ(notify.verdict.decided, Disposition::reject);
  EXPECT_EQ(notify.verdict.carried_out, Disposition::tag);
  EXPECT_EQ(notify.answer.kind, Answer::Kind::proceed);
  EXPECT_FALSE(notify.answer.header.empty());
  EXPECT_EQ(judge(forged(), Mode::enforce).answer.kind, Answer::Kind::reject);
}

TEST_F(Judging, AQuarantineThatCannotBeHadWaits) {
  settings.settings.dmarc_reject = "quarantine";
  const Judged judged = judge(forged());
  EXPECT_EQ(judged.verdict.decided, Disposition::quarantine);
  EXPECT_EQ(judged.verdict.carried_out, Disposition::tempfail);
  EXPECT_TRUE(judged.answer.reply.starts_with("451 4.7.1 ")) << judged.answer.reply;
  settings.settings.quarantine = "reject";
  EXPECT_EQ(judge(forged()).answer.kind, Answer::Kind::reject);
  settings.settings.quarantine = "tag";
  EXPECT_EQ(judge(forged()).answer.kind, Answer::Kind::proceed);
  settings.settings.quarantine = "quarantine";
  EXPECT_EQ(judge(forged()).answer.kind, Answer::Kind::tempfail);
}

TEST_F(Judging, FiltersByMode) {
  filter({.name = "watch", .when = "dmarc == pass", .then = "reject", .mode = "shadow"});
  filter({.name = "say", .when = "spf == pass", .then = "reject", .mode = "notify"});
  filter({.name = "never", .when = "dkim == pass", .then = "reject", .mode = "off"});
  filter({.name = "mark",
          .when = "author_domain == 'shop.example'",
          .then = "tag",
          .mode = "enforce",
          .why = "we were asked to"});
  const Judged judged = judge(good());
  EXPECT_EQ(judged.verdict.decided, Disposition::tag);
  EXPECT_EQ(rules_of(judged), (Rules_{"(filter watch)", "(filter say)", "filter mark"}));
  EXPECT_EQ(judged.verdict.reasons[2].words, "we were asked to");
  const auto mark = std::ranges::find(judged.answer.header, "X-Watchpost", &HeaderChange::name);
  ASSERT_NE(mark, judged.answer.header.end());
  EXPECT_TRUE(mark->value.starts_with("tag; filter say would reject, filter mark; spf_pass"))
      << mark->value;
}

TEST_F(Judging, FiltersEnd) {
  filter({.name = "old",
          .when = "dmarc == pass",
          .then = "reject",
          .mode = "enforce",
          .until = "2026-11-24T03:00:00Z"});
  EXPECT_EQ(judge(good()).verdict.decided, Disposition::reject);
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(judge(good()).verdict.decided, Disposition::accept);
}

TEST_F(Judging, WhatNobodyKnowsIsTrueForNoFilter) {
  filter({.name = "not pass", .when = "not spf == pass", .then = "reject", .mode = "enforce"});
  auto mail = good();
  mail->client_ip.reset();
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::accept);
}

TEST_F(Judging, AnExceptionTakesThePlaceOfPolicyAndFilters) {
  settings.settings.dmarc_reject = "reject";
  filter({.name = "other", .when = "size > 0", .then = "quarantine", .mode = "enforce"});
  filter({.name = "let in",
          .when = "client_ip == '203.0.113.66'",
          .then = "accept",
          .mode = "enforce"});
  const Judged judged = judge(forged());
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
  EXPECT_EQ(rules_of(judged), (Rules_{"(dmarc)", "(filter other)", "filter let in"}));
  EXPECT_TRUE(judged.verdict.reasons[0].words.ends_with("; excepted by filter let in"));
  EXPECT_EQ(judged.deed, relate::Deed::good);
}

TEST_F(Judging, AnExceptionThatDoesNotEnforceIsNone) {
  settings.settings.dmarc_reject = "reject";
  filter({.name = "let in", .when = "size > 0", .then = "accept", .mode = "notify"});
  EXPECT_EQ(judge(forged()).verdict.decided, Disposition::reject);
}

TEST_F(Judging, NoExceptionFromDecisionsOrTrouble) {
  settings.settings.protected_domains = {"slow.example"};
  filter({.name = "let in", .when = "size > 0", .then = "accept", .mode = "enforce"});
  EXPECT_EQ(judge(from(TestWorld::attacker(), TestWorld::message("From: a@slow.example\r\n")))
                .verdict.decided,
            Disposition::tempfail);
  decide({enforce::make_decision(17, "client_ip=203.0.113.66", "block 1h")});
  EXPECT_EQ(judge(forged()).verdict.decided, Disposition::reject);
}

TEST_F(Judging, DecisionsBite) {
  struct Case {
    const char* scope;
    const char* measure;
    Disposition decided;
  };
  for (const Case& one : {Case{"client_ip=192.0.2.1", "block 1h", Disposition::reject},
                          Case{"author_domain=shop.example", "suspend 1h", Disposition::reject},
                          Case{"signer=shop.example", "hold 1h", Disposition::tempfail},
                          Case{"from_domain=shop.example", "hold 1h", Disposition::tempfail},
                          Case{"client_network=192.0.2.0/24", "hold 1h", Disposition::tempfail},
                          Case{"recipient=you@example.org", "block 1h", Disposition::reject},
                          Case{"recipient_domain=example.org", "block 1h", Disposition::reject},
                          Case{"client_ip=192.0.2.2", "block 1h", Disposition::accept}}) {
    decide({enforce::make_decision(17, one.scope, one.measure)});
    const Judged judged = judge(good());
    EXPECT_EQ(judged.verdict.decided, one.decided) << one.scope;
    EXPECT_EQ(judged.deed.has_value(), one.decided == Disposition::accept);
    if (one.decided == Disposition::reject) {
      EXPECT_TRUE(judged.answer.reply.ends_with("(watchpost d-17)")) << judged.answer.reply;
    }
  }
}

TEST_F(Judging, TheStrictestForAnyRecipient) {
  decide({enforce::make_decision(17, "recipient=last@example.org", "block 1h"),
          enforce::make_decision(18, "recipient=you@example.org", "hold 1h")});
  auto mail = good();
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::tempfail);
  mail->recipients.push_back({.address = "last@example.org", .arguments = {}});
  EXPECT_EQ(judge(mail).verdict.decided, Disposition::reject);
}

TEST_F(Judging, ThrottlesCountMessages) {
  decide({enforce::make_decision(17, "author_domain=shop.example", "throttle 3/1h for 2h")});
  InboundJudge gate("inbound", Mode::enforce, context());
  std::vector<Disposition> got;
  for (int i = 0; i < 5; ++i) {
    auto mail = good();
    mail->began += std::chrono::seconds(i);
    mail->recipients.push_back({.address = "also@example.org", .arguments = {}});
    got.push_back(value_now(gate.judge(mail))->verdict.decided);
  }
  using enum Disposition;
  EXPECT_EQ(got, (std::vector{accept, accept, accept, tempfail, tempfail}));
}

TEST_F(Judging, ReputationIsOfThoseWhoVouch) {
  InboundJudge gate("inbound", Mode::enforce, context());
  const auto passed = value_now(gate.judge(good()));
  gate.remember(*passed);
  using relate::Party;
  const Time now = clock.now();
  EXPECT_GT(reputation.of(Party::domain, "shop.example", now).messages(), 0);
  EXPECT_GT(reputation.of(Party::signer, "shop.example", now).messages(), 0);
  EXPECT_GT(reputation.of(Party::ip, "192.0.2.1", now).messages(), 0);
  EXPECT_GT(reputation.of(Party::network, "192.0.2.0/24", now).messages(), 0);
  const auto lied = value_now(gate.judge(forged()));
  gate.remember(*lied);
  EXPECT_FALSE(reputation.of(Party::domain, "bank.example", now).known());
  EXPECT_GT(reputation.of(Party::ip, "203.0.113.66", now).badness(), 0);
}

TEST_F(Judging, ASignatureWithADoubledFieldVouchesForNobody) {
  const Judged judged = judge(
      from(TestWorld::attacker(),
           "Subject: another one\r\n" +
               world.signed_by("bank.example", TestWorld::message("From: ceo@bank.example\r\n"))));
  EXPECT_FALSE(judged.facts.first(relate::Party::signer));
  EXPECT_FALSE(judged.facts.first(relate::Party::domain));
}

TEST_F(Judging, RulesOnReputationDoNotKeepItDown) {
  filter({.name = "known bad", .when = "ip_mail > 0", .then = "reject", .mode = "enforce"});
  for (int i = 0; i < 5; ++i) {
    reputation.note(relate::Party::ip, "192.0.2.1", relate::Deed::bad, clock.now());
  }
  const Judged judged = judge(good());
  EXPECT_EQ(judged.verdict.decided, Disposition::reject);
  EXPECT_EQ(judged.deed, relate::Deed::good);
}

TEST_F(Judging, TheFactsComeBackFromWhatWasRecorded) {
  settings.blocklists = {{.name = "zen", .zone = "zen.example", .of = "ip", .answers = {}}};
  std::vector<std::shared_ptr<Transaction>> mails{
      good(), forged(), forged_shop(),
      from(TestWorld::attacker(), TestWorld::message("From: ceo@slow.example\r\n"))};
  for (const auto& mail : mails) {
    resolver = nullptr;
    const Judged first = judge(mail);
    const std::string zone_text = first.dns->zone();
    auto zone = dns::ZoneFile::parse(zone_text);
    ASSERT_TRUE(zone) << zone.error().text() << "\n" << zone_text;
    resolver = zone->get();
    const Judged again = judge(mail);
    EXPECT_EQ(again.facts.findings, first.facts.findings);
    EXPECT_EQ(again.verdict.reasons, first.verdict.reasons);
    EXPECT_EQ(again.answer.header.size(), first.answer.header.size());
    EXPECT_EQ(again.dns->size(), first.dns->size());
  }
}

TEST_F(Judging, AMessageOfALoginIsHeldAgainstIt) {
  auto mail = good();
  mail->macros["auth_authen"] = "jo@shop.example";
  const Judged judged = judge(mail);
  EXPECT_EQ(judged.verdict.decided, Disposition::accept);
  EXPECT_TRUE(judged.facts.identity.login_is_author);
}

}  // namespace
}  // namespace watchpost::border
