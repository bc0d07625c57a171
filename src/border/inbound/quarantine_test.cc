#include "border/gate.h"
#include "border/inbound/test_gate.h"
#include "border/milter/replies.h"
#include "border/milter/test_client.h"
#include "border/test_keeper.h"

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = Answer::Kind;

struct Quarantine : GateWorld {
  Quarantine() {
    quarantine = &keeper;
    settings.settings.dmarc_reject = "quarantine";
  }

  // A forged message to all of these.
  static std::shared_ptr<Transaction> forged_to(const std::vector<std::string>& recipients) {
    auto mail = forged();
    mail->recipients.clear();
    for (const std::string& one : recipients) {
      mail->recipients.push_back({.address = one, .arguments = "NOTIFY=NEVER"});
    }
    return mail;
  }
  std::string verdict() { return events.all.back().verdicts.at(0).json; }
  const Event& event() { return events.all.back().events.events()[0]; }
  static std::vector<std::string> recipients_of(const TestKeeper::Kept& kept) {
    std::vector<std::string> all;
    for (const quarantine::Copy& one : kept.message.copies) all.push_back(one.recipient);
    return all;
  }

  TestKeeper keeper;
};

TEST_F(Quarantine, WhatIsKeptIsDiscarded) {
  auto mail = forged("Subject: =?utf-8?q?h=C3=A4?=\r\nMessage-ID: <1@bank.example>\r\n");
  mail->mail_arguments = "SIZE=100 BODY=8BITMIME";
  mail->recipients = {{.address = "you@example.org", .arguments = "NOTIFY=NEVER"},
                      {.address = "also@example.org", .arguments = {}},
                      {.address = "you@example.org", .arguments = {}}};
  EXPECT_EQ(answer(mail), Answer{.kind = Kind::discard});
  ASSERT_EQ(keeper.kept.size(), 1u);
  const quarantine::HeldMessage& message = keeper.kept[0].message;
  EXPECT_EQ(message.direction, Direction::inbound);
  EXPECT_EQ(message.at, clock.now());
  EXPECT_EQ(message.milter, "inbound");
  EXPECT_EQ(message.queue_id, "4F2A");
  EXPECT_EQ(message.message_id, "1@bank.example");
  EXPECT_EQ(message.sender, "any@attack.example");
  EXPECT_EQ(message.sender_arguments, "SIZE=100 BODY=8BITMIME");
  EXPECT_EQ(message.author, "ceo@bank.example");
  EXPECT_EQ(message.author_domain, "bank.example");
  EXPECT_EQ(message.subject, "h\u00e4");
  EXPECT_EQ(message.client_ip, "203.0.113.66");
  EXPECT_EQ(message.dmarc, "fail");
  EXPECT_NE(message.spf, "");
  EXPECT_EQ(message.disposition, "quarantine");
  EXPECT_EQ(message.rule, "dmarc");
  EXPECT_THAT(message.reason, StartsWith("it is not proved to be from bank.example"));
  EXPECT_FALSE(message.certain);
  EXPECT_FALSE(message.decision);
  EXPECT_EQ(message.size, mail->message.size());
  ASSERT_EQ(message.copies.size(), 2u);
  EXPECT_EQ(message.copies[0].recipient, "you@example.org");
  EXPECT_EQ(message.copies[0].arguments, "NOTIFY=NEVER");
  EXPECT_EQ(message.copies[1].recipient, "also@example.org");
  EXPECT_EQ(keeper.kept[0].content.message, mail->message);
  EXPECT_EQ(keeper.kept[0].content.macros, mail->macros);
  EXPECT_THAT(keeper.kept[0].content.verdict, HasSubstr(R"("carried_out":"quarantine")"));
}

TEST_F(Quarantine, TheVerdictNamesWhatIsKept) {
  answer(forged());
  EXPECT_THAT(verdict(), HasSubstr(R"("decided":"quarantine","carried_out":"quarantine","held":")" +
                                   to_hex(keeper.kept.at(0).message.id) + "\""));
  EXPECT_THAT(verdict(), Not(HasSubstr("held_for")));
  EXPECT_EQ(event()[Field::disposition], "quarantine");
  EXPECT_FALSE(event().self_inflicted);
}

TEST_F(Quarantine, WhomItCountedAgainstIsKnown) {
  answer(forged());
  const auto& counted = keeper.kept.at(0).message.counted;
  ASSERT_FALSE(counted.empty());
  EXPECT_EQ(counted[0].party, "ip");
  EXPECT_EQ(counted[0].name, "203.0.113.66");
  EXPECT_EQ(counted[0].deed, "bad");
  EXPECT_GT(reputation.of(relate::Party::ip, "203.0.113.66", clock.now())
                .counts[size_t(relate::Deed::bad)],
            0);
}

TEST_F(Quarantine, TheAnswerWaitsUntilItIsDurable) {
  keeper.slow = true;
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  std::optional<Answer> given;
  gate->at_end(forged(), [&](Answer one) {
    given = std::move(one);
    return true;
  });
  EXPECT_FALSE(given);
  EXPECT_TRUE(events.all.empty());
  keeper.go_on();
  ASSERT_TRUE(given);
  EXPECT_EQ(given->kind, Kind::discard);
}

// It may be held by now, so that it must not pass as well.
TEST_F(Quarantine, WithoutAnAnswerInTimeItComesAgain) {
  settings.settings.trouble = "accept";
  keeper.slow = true;
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  const auto mail = forged();
  EXPECT_EQ(gate->in_trouble(*mail, Trouble::deadline).kind, Kind::proceed);
  gate->at_end(mail, [](const Answer&) { return false; });
  EXPECT_EQ(gate->in_trouble(*mail, Trouble::deadline).kind, Kind::tempfail);
  keeper.go_on();
  EXPECT_EQ(gate->in_trouble(*mail, Trouble::deadline).kind, Kind::tempfail) << "it came too late";
  auto other = forged();
  other->client_port = 4711;
  EXPECT_EQ(gate->in_trouble(*other, Trouble::deadline).kind, Kind::proceed);
}

TEST_F(Quarantine, WhatCannotBeKeptWaitsAtItsSender) {
  const std::vector<std::pair<std::string_view, std::function<void(Transaction&)>>> cases{
      {"no room", [&](Transaction&) { keeper.room = false; }},
      {"it breaks", [&](Transaction&) { keeper.broken_after = 0; }},
      {"cut", [](Transaction& mail) { mail.cut = true; }},
      {"too many fields", [](Transaction& mail) { mail.too_many_fields = true; }},
      {"too many recipients", [](Transaction& mail) { mail.recipients_dropped = 1; }},
  };
  settings.settings.uncertain_author = settings.settings.malformed = settings.settings.too_large =
      "quarantine";
  settings.settings.quarantine = "accept";  // which is for who has none
  for (const auto& [why, spoil] : cases) {
    keeper.room = true;
    keeper.broken_after.reset();
    auto mail = forged();
    spoil(*mail);
    const Answer got = answer(mail);
    EXPECT_EQ(got.kind, Kind::tempfail) << why;
    EXPECT_EQ(got.reply,
              "451 4.3.0 This mail cannot be kept now, try again later (watchpost border)")
        << why;
    EXPECT_TRUE(keeper.kept.empty()) << why;
    EXPECT_THAT(verdict(), HasSubstr(R"("decided":"quarantine","carried_out":"tempfail")")) << why;
    EXPECT_THAT(verdict(), HasSubstr(R"({"rule":"quarantine","wants":"tempfail")")) << why;
    EXPECT_THAT(verdict(), Not(HasSubstr(R"("held")"))) << why;
  }
}

TEST_F(Quarantine, AVerdictThatIsTooLateIsNotSaidToBeCarriedOut) {
  const auto gate = inbound_gate("inbound", Mode::enforce, context());
  gate->at_end(forged(), [](const Answer&) { return false; });
  EXPECT_EQ(keeper.kept.size(), 1u);
  EXPECT_THAT(verdict(), HasSubstr(R"("carried_out":"tempfail")"));
  EXPECT_THAT(verdict(), HasSubstr(R"("held":")"));
}

TEST_F(Quarantine, ModesThatLookOnKeepNothing) {
  for (const Mode mode : {Mode::shadow, Mode::notify}) {
    EXPECT_EQ(answer(forged(), mode).kind, Kind::proceed);
  }
  EXPECT_TRUE(keeper.kept.empty());
}

TEST_F(Quarantine, WithoutOneItsPlaceIsTaken) {
  quarantine = nullptr;
  EXPECT_EQ(answer(forged()).kind, Kind::tempfail);
  settings.settings.quarantine = "reject";
  EXPECT_EQ(answer(forged()).kind, Kind::reject);
}

TEST_F(Quarantine, WhatTakesItsPlaceTakesNothingFromADecision) {
  quarantine = nullptr;
  settings.settings.quarantine = "accept";
  EXPECT_EQ(answer(forged()).kind, Kind::proceed);
  decide({enforce::make_decision(17, "author_domain=bank.example", "hold 1h")});
  EXPECT_EQ(answer(forged()).kind, Kind::tempfail);
}

// Who ends the gate waits for what the quarantine still has to say.
TEST_F(Quarantine, TheGateWaitsForWhatIsBeingKept) {
  keeper.slow = true;
  bool answered = false;
  std::thread later;
  {
    const auto gate = inbound_gate("inbound", Mode::enforce, context());
    gate->at_end(forged(), [&](const Answer&) { return answered = true; });
    EXPECT_FALSE(answered);
    later = std::thread([this] { keeper.go_on(); });
  }
  EXPECT_TRUE(answered);
  EXPECT_EQ(events.all.size(), 1u);
  later.join();
}

TEST_F(Quarantine, AnUnwritableStoreKeepsNothingOutOfIt) {
  storing = false;
  EXPECT_EQ(answer(forged()).kind, Kind::discard);
}

TEST_F(Quarantine, WhatAFilterIsCertainOfIsMarked) {
  filter({.name = "shadow", .when = "size > 0", .then = "reject", .certain = true});
  answer(forged());
  EXPECT_FALSE(keeper.kept.at(0).message.certain);
  filter({.name = "virus", .when = "size > 0", .then = "tag", .mode = "enforce", .certain = true});
  answer(forged());
  EXPECT_TRUE(keeper.kept.at(1).message.certain);
}

// What a mail server makes of the bytes.
Understood sent(const Transaction& mail, const Answer& given) {
  std::string out;
  const MilterTerms terms = terms_for({.version = 6, .actions = kAllActions, .steps = kAllSteps});
  EXPECT_TRUE(add_final_answer(out, terms, mail, given));
  return understood(out);
}

// Reliability C15: whatever was decided, the bytes say so, whatever else is in the message, the
// settings or the way of the quarantine.
TEST_F(Quarantine, TheDecidedVerdictIsTheOneThatIsSent) {
  const std::vector<std::string_view> kDecided{"accept", "tag", "tempfail", "quarantine", "reject"};
  for (const std::string_view decided : kDecided) {
    for (int bits = 0; bits < 64; ++bits) {
      keeper.room = (bits & 1) == 0;
      keeper.broken_after = (bits & 2) == 0 ? std::nullopt : std::optional(keeper.kept.size());
      settings.settings.contact = (bits & 4) == 0 ? "" : "postmaster@example.org 100%";
      settings.settings.tag_subject = (bits & 8) == 0 ? "" : "[!] ";
      settings.settings.results = (bits & 16) == 0;
      settings.settings.dmarc_reject = decided;
      const auto mail = forged((bits & 32) == 0 ? "" : "Subject: x\r\nX-Watchpost: accept\r\n");
      const size_t before = keeper.kept.size();
      const Understood got = sent(*mail, answer(mail));
      const bool kept = keeper.kept.size() > before;
      const bool may_be_kept = keeper.room && !keeper.broken_after;
      EXPECT_EQ(got.wrong, "") << decided << bits;
      char wanted = 'c';
      if (decided == "tempfail") wanted = 't';
      if (decided == "reject") wanted = 'r';
      if (decided == "quarantine") wanted = may_be_kept ? 'd' : 't';
      EXPECT_EQ(got.verdict, wanted) << decided << bits;
      EXPECT_EQ(kept, wanted == 'd') << decided << bits;
    }
  }
}

// Filters that ask for the recipient.

struct EachRecipient : Quarantine {
  EachRecipient() { settings.settings.dmarc_reject = "tag"; }

  void of(const std::string& recipient, const std::string& then) {
    filter({.name = recipient,
            .when = "recipient == \"" + recipient + "@example.org\"",
            .then = then,
            .mode = "enforce"});
  }
  static std::shared_ptr<Transaction> to(const std::vector<std::string>& names) {
    std::vector<std::string> recipients;
    for (const std::string& one : names) recipients.push_back(one + "@example.org");
    return forged_to(recipients);
  }
};

TEST_F(EachRecipient, WhoGetsWhat) {
  of("kept", "quarantine");
  of("refused", "reject");
  of("waits", "tempfail");
  of("spared", "accept");
  struct Case {
    std::vector<std::string> to;
    Kind kind;
    std::vector<std::string> removed, kept;
  };
  for (const Case& one : std::initializer_list<Case>{
           {{"a", "b"}, Kind::proceed, {}, {}},
           {{"kept"}, Kind::discard, {}, {"kept"}},
           {{"kept", "a"}, Kind::proceed, {"kept"}, {"kept"}},
           {{"spared", "a"}, Kind::proceed, {}, {}},
           {{"refused", "a"}, Kind::proceed, {"refused"}, {"refused"}},
           {{"refused", "kept"}, Kind::discard, {}, {"refused", "kept"}},
           {{"refused", "spared", "kept"}, Kind::proceed, {"refused", "kept"}, {"refused", "kept"}},
           {{"waits", "kept", "a"}, Kind::tempfail, {}, {}},
           {{"refused"}, Kind::reject, {}, {}},
       }) {
    keeper.kept.clear();
    const Answer got = answer(to(one.to));
    const std::string who = fmt::format("{}", fmt::join(one.to, " "));
    const auto full = [](std::vector<std::string> names) {
      for (std::string& name : names) name += "@example.org";
      return names;
    };
    EXPECT_EQ(got.kind, one.kind) << who;
    EXPECT_EQ(got.remove_recipients, full(one.removed)) << who;
    ASSERT_EQ(keeper.kept.size(), one.kept.empty() ? 0u : 1u) << who;
    if (!one.kept.empty()) {
      EXPECT_EQ(recipients_of(keeper.kept[0]), full(one.kept)) << who;
    }
  }
}

// The same where recipients differ: each pair of what two of them get.
TEST_F(EachRecipient, TheDecidedVerdictsAreTheOnesThatAreSent) {
  const std::vector<std::string> kThens{"tag", "tempfail", "quarantine", "reject"};
  for (size_t number = 0; number < kThens.size() * kThens.size() * 3; ++number) {
    const std::string one = kThens[number % 4];
    const std::string other = kThens[number / 4 % 4];
    keeper.room = number / 16 != 1;
    keeper.broken_after = number / 16 == 2 ? std::optional<size_t>(0) : std::nullopt;
    keeper.kept.clear();
    settings.filters.clear();
    of("one", one);
    of("other", other);
    const auto mail = to({"one", "other"});
    const Understood got = sent(*mail, answer(mail));
    const std::string about = fmt::format("{} {} {}", one, other, number / 16);
    EXPECT_EQ(got.wrong, "") << about;
    const bool keeps = !keeper.kept.empty();
    const std::vector<std::string> kept =
        keeps ? recipients_of(keeper.kept[0]) : std::vector<std::string>();
    for (const auto& [name, then] : {std::pair{"one", one}, std::pair{"other", other}}) {
      const std::string address = std::string(name) + "@example.org";
      const bool is_kept = std::ranges::find(kept, address) != kept.end();
      const bool removed = std::ranges::find(got.removed, "<" + address + ">") != got.removed.end();
      const bool gets_it = got.verdict == 'c' && !removed;
      if (then == "tag") {
        EXPECT_TRUE(gets_it || got.verdict != 'c') << about;
      } else {
        EXPECT_FALSE(gets_it) << about;
      }
      // Thrown away or taken off is what is kept, and nothing else.
      EXPECT_EQ(is_kept, got.verdict == 'd' || removed) << about;
    }
  }
}

TEST_F(EachRecipient, WithoutAQuarantineTheStrictestIsForAll) {
  quarantine = nullptr;
  of("refused", "reject");
  EXPECT_EQ(answer(to({"refused", "a"})).kind, Kind::reject);
  of("kept", "quarantine");
  EXPECT_EQ(answer(to({"kept", "a"})).kind, Kind::tempfail);
}

TEST_F(EachRecipient, ThoseWhoGetItSeeNothingOfTheOthers) {
  of("kept", "quarantine");
  const Answer got = answer(to({"kept", "a"}));
  std::string mark;
  for (const HeaderChange& one : got.header) {
    if (one.name == kMarkField) mark = one.value;
  }
  EXPECT_THAT(mark, StartsWith("tag; dmarc;"));
  EXPECT_THAT(mark, Not(HasSubstr("kept")));
}

TEST_F(EachRecipient, TheVerdictSaysForWhom) {
  of("kept", "quarantine");
  answer(to({"kept", "a"}));
  EXPECT_THAT(verdict(), HasSubstr(R"("carried_out":"quarantine")"));
  EXPECT_THAT(verdict(), HasSubstr(R"("held_for":["kept@example.org"])"));
  EXPECT_THAT(verdict(), HasSubstr(R"("recipients":["kept@example.org"])"));
  EXPECT_EQ(keeper.kept.at(0).message.rule, "filter kept");
}

TEST_F(EachRecipient, WhatWasNotKeptWaitsForAll) {
  of("kept", "quarantine");
  keeper.broken_after = 0;
  const Answer got = answer(to({"kept", "a"}));
  EXPECT_EQ(got.kind, Kind::tempfail);
  EXPECT_TRUE(got.remove_recipients.empty());
}

TEST_F(EachRecipient, AnExceptionIsForThemAlone) {
  settings.settings.dmarc_reject = "quarantine";
  of("spared", "accept");
  const Answer got = answer(to({"spared", "a", "b"}));
  EXPECT_EQ(got.kind, Kind::proceed);
  EXPECT_EQ(got.remove_recipients, (std::vector<std::string>{"a@example.org", "b@example.org"}));
  of("a", "accept");
  of("b", "accept");
  EXPECT_EQ(answer(to({"spared", "a", "b"})).kind, Kind::proceed);
  EXPECT_EQ(keeper.kept.size(), 1u);
  EXPECT_THAT(verdict(), HasSubstr("excepted by filter b"));
}

TEST_F(EachRecipient, AnExceptionTakesNothingFromADecision) {
  of("spared", "accept");
  decide({enforce::make_decision(17, "author_domain=bank.example", "block 1h")});
  EXPECT_EQ(answer(to({"spared", "a"})).kind, Kind::reject);
}

TEST_F(EachRecipient, WhoIsNotMeantIsNotAsked) {
  filter({.name = "others",
          .when = "recipient != \"a@example.org\"",
          .then = "quarantine",
          .mode = "enforce"});
  EXPECT_EQ(answer(to({"a", "b"})).remove_recipients, std::vector<std::string>{"b@example.org"});
}

TEST_F(EachRecipient, PastTheLimitAllAreOneText) {
  of("n0", "quarantine");
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(fmt::format("n{}", i));
  EXPECT_EQ(answer(to(names)).remove_recipients, std::vector<std::string>{"n0@example.org"});
  names.emplace_back("last");
  keeper.kept.clear();
  EXPECT_EQ(answer(to(names)).kind, Kind::proceed);  // the text is of no recipient alone
  EXPECT_TRUE(keeper.kept.empty());
}

}  // namespace
}  // namespace watchpost::border
