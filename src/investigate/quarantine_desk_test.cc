#include "investigate/quarantine_desk.h"

#include "ingest/test_pipeline.h"
#include "investigate/corrections.h"
#include "investigate/fake_quarantine.h"
#include "quarantine/links.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using quarantine::CopyState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const quarantine::HeldId kId = hash128_from_hex("4f2a91c0000000000000000000000001");

class HeldMailDesk : public testing::Test {
 protected:
  HeldMailDesk() {
    quarantine::HeldMessage message;
    message.id = kId;
    message.at = running_.clock.now();
    message.rule = "listed";
    message.author = "jo@shop.example";
    message.dmarc = "pass";
    message.counted = {{"domain", "shop.example", "bad"}, {"planet", "mars", "bad"}};
    message.copies = {{.recipient = "kim@us.example"}, {.recipient = "lee@us.example"}};
    held_.messages = {message};
    held_.contents[kId] = {.message = "Subject: x\r\n\r\nhello\r\n"};
    reputation_.note(relate::Party::domain, "shop.example", relate::Deed::bad, message.at);
    make({});
  }

  void make(quarantine::QuarantineSettings settings) {
    desk_ = make_quarantine_desk(
        {.quarantine = held_,
         .pipeline = *running_.pipeline,
         .clock = running_.clock,
         .store = {.path = folder_ / "data"},
         .settings = std::move(settings),
         .paces = {*parse_measure("throttle 1% for 15m"), *parse_measure("throttle 10% for 10m")},
         .reputation = &reputation_,
         .wake = [this] { ++woken_; },
         .exceptions_changed = [this] { ++changed_; },
         .settle =
             [this](const quarantine::HeldId&, bool arrived, std::string_view who) {
               settled_ = std::string(who) + (arrived ? " arrived" : " again");
               return Result<size_t>(1U);
             }});
  }
  std::vector<AuditEntry> audit() {
    return store::Reader::open({.path = folder_ / "data"}).value()->audit(100).value();
  }
  double counted(relate::Deed deed) {
    return reputation_.of(relate::Party::domain, "shop.example", running_.clock.now())
        .counts[static_cast<size_t>(deed)];
  }
  std::string link(std::string_view recipient) {
    return quarantine::make_link_token(held_.link_secret(), kId, recipient,
                                       running_.clock.now() + 1h);
  }
  CopyState state(size_t copy) const { return held_.messages[0].copies[copy].state; }

  const ingest::test::Folder folder_;
  ingest::test::Running running_{ingest::test::options_in(folder_ / "data")};
  relate::Reputation reputation_{{}};
  FakeQuarantine held_;
  std::unique_ptr<QuarantineDesk> desk_;
  int woken_ = 0;
  int changed_ = 0;
  std::string settled_;
};

TEST_F(HeldMailDesk, ListsWithoutATraceAndReadsWithOne) {
  ASSERT_TRUE(desk_->list({}));
  ASSERT_TRUE(desk_->find(kId));
  EXPECT_THAT(audit(), IsEmpty());
  const auto view = desk_->view(kId, "ops");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->texts[0].text, "hello\n");
  EXPECT_EQ(desk_->bytes(kId, "ops"), "Subject: x\r\n\r\nhello\r\n");
  const auto rows = audit();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[1].what, "held mail read");
  EXPECT_EQ(rows[0].what, "held mail exported");
  EXPECT_EQ(rows[0].who, "ops");
  EXPECT_EQ(rows[0].about, to_hex(kId));
  EXPECT_EQ(desk_->view({1, 2}, "ops").error().code, Code::not_found);
}

TEST_F(HeldMailDesk, NothingIsReadThatTheAuditLogDoesNotHave) {
  EXPECT_FALSE(desk_->view(kId, ""));
  running_.pipeline->stop();
  EXPECT_FALSE(desk_->view(kId, "ops"));
  EXPECT_FALSE(desk_->release(kId, {}, "ops"));
  EXPECT_EQ(state(0), CopyState::held);
  EXPECT_THAT(held_.asked, IsEmpty());
}

TEST_F(HeldMailDesk, ReleasesOneCopyAndNamesNobodyInTheLog) {
  const auto done = desk_->release(kId, {.recipients = {"lee@us.example"}, .why = "asked"}, "ops");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->copies, 1U);
  EXPECT_EQ(state(0), CopyState::held);
  EXPECT_EQ(state(1), CopyState::due);
  EXPECT_EQ(woken_, 1);
  ASSERT_THAT(audit(), SizeIs(1));
  EXPECT_EQ(audit()[0].detail, "1 of 2 copies: asked");
  EXPECT_EQ(desk_->release(kId, {.recipients = {"x@us.example"}}, "ops").error().code,
            Code::not_found);
  EXPECT_EQ(counted(relate::Deed::bad), 1);
}

TEST_F(HeldMailDesk, AcceptsTheLike) {
  const auto done = desk_->release(
      kId, {.recipients = {"lee@us.example"}, .why = "ours", .accept_like = true}, "ops");
  ASSERT_TRUE(done);
  ASSERT_THAT(held_.in_force, SizeIs(1));
  EXPECT_EQ(held_.in_force[0].when,
            "author == 'jo@shop.example' and dmarc == pass and recipient in ['lee@us.example']");
  EXPECT_EQ(held_.in_force[0].until, running_.clock.now() + std::chrono::hours(24 * 30));
  EXPECT_EQ(changed_, 1);
  EXPECT_EQ(desk_->end_exception("held-x", "ops", "").error().code, Code::not_found);
  ASSERT_TRUE(desk_->end_exception(held_.in_force[0].name, "ops", "enough"));
  EXPECT_THAT(held_.in_force, IsEmpty());
  EXPECT_EQ(changed_, 2);
}

TEST_F(HeldMailDesk, WithoutARuleForTheLikeNothingIsReleased) {
  held_.messages[0].author = "";
  EXPECT_FALSE(desk_->release(kId, {.accept_like = true}, "ops"));
  EXPECT_EQ(state(0), CopyState::held);
  EXPECT_THAT(audit(), IsEmpty());
}

TEST_F(HeldMailDesk, WhatWasWrongIsTakenBackOnce) {
  const auto done =
      desk_->release(kId, {.recipients = {"kim@us.example"}, .why = "ours", .wrong = true}, "ops");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->corrected, 1U);
  EXPECT_EQ(counted(relate::Deed::bad), 0);
  EXPECT_EQ(counted(relate::Deed::good), 1);
  const auto more = desk_->release(kId, {.wrong = true}, "ops");
  ASSERT_TRUE(more);
  EXPECT_EQ(more->corrected, 0U);
  EXPECT_EQ(counted(relate::Deed::good), 1);
  EXPECT_THAT(audit()[1].detail, HasSubstr("to hold it was wrong: ours"));
  const auto reader = store::Reader::open({.path = folder_ / "data"}).value();
  const auto correction =
      correction_of_verdict(*reader, R"({"v":1,"held":")" + to_hex(kId) + R"("})").value();
  ASSERT_TRUE(correction);
  EXPECT_EQ(correction->by, "ops");
  EXPECT_EQ(correction->why, "ours");
  EXPECT_FALSE(correction_of_verdict(*reader, R"({"v":1,"held":""})").value());
}

TEST_F(HeldMailDesk, AWrongHoldIsToldToItsIncident) {
  DecisionId decision;
  IncidentId incident;
  ASSERT_TRUE(running_.pipeline->ask(
      [&](decide::Decider& decider, detect::Watch&, Time now) -> Result<decide::Outcome> {
        auto outcome = decider.impose({{{Field::credential, "alice"}}}, *parse_measure("hold 1h"),
                                      "ops", "odd", now);
        decision = outcome->decisions[0].id;
        incident = outcome->incidents[0].id;
        return outcome;
      }));
  held_.messages[0].decision = decision;
  const auto done = desk_->release(kId, {.why = "ours", .wrong = true}, "ops");
  ASSERT_TRUE(done);
  EXPECT_EQ(done->incident, incident);
  const auto stored = store::Reader::open({.path = folder_ / "data"}).value()->incidents().value();
  EXPECT_THAT(stored[0].timeline.back().what, HasSubstr("was released as wrong: ours"));
}

TEST_F(HeldMailDesk, AFailureIsInTheLogAsWell) {
  held_.broken = Error{Code::unavailable, "the disk", {}};
  EXPECT_EQ(desk_->release(kId, {}, "ops").error().code, Code::unavailable);
  EXPECT_EQ(desk_->discard(kId, {}, "ops", "").error().code, Code::unavailable);
  const auto rows = audit();
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[0].what, "could not be done");
  EXPECT_THAT(rows[0].detail, HasSubstr("the disk"));
}

TEST_F(HeldMailDesk, SearchesReleaseInStepsAndNeverEverything) {
  EXPECT_EQ(desk_->release_found({}, true, "ops", "").error().code, Code::bad_input);
  EXPECT_EQ(desk_->discard_found({.all = true}, "ops", "").error().code, Code::bad_input);
  EXPECT_EQ(desk_->hold_again({.limit = 1}, "ops", "").error().code, Code::bad_input);
  EXPECT_THAT(held_.asked, IsEmpty());
  EXPECT_EQ(desk_->release_found({.decision = {17}}, true, "ops", "fine"), 7U);
  ASSERT_THAT(held_.last_steps, SizeIs(3));
  EXPECT_DOUBLE_EQ(held_.last_steps[0].up_to, 0.01);
  EXPECT_EQ(held_.last_steps[1].after, 15min);
  EXPECT_EQ(held_.last_steps[2].after, 25min);
  EXPECT_EQ(held_.last_steps[2].up_to, 1);
  EXPECT_EQ(audit()[0].about, "d-17");
  EXPECT_EQ(desk_->release_found({.sender = "@x.example"}, false, "ops", ""), 7U);
  ASSERT_THAT(held_.last_steps, SizeIs(1));
  EXPECT_EQ(held_.last_steps[0].up_to, 1);
  EXPECT_EQ(desk_->discard_found({.subject = "spam"}, "ops", ""), 7U);
  EXPECT_THAT(held_.asked, SizeIs(3));
}

TEST_F(HeldMailDesk, EndsAndSettles) {
  EXPECT_EQ(desk_->discard(kId, std::vector<std::string>{"kim@us.example"}, "ops", "spam"), 1U);
  EXPECT_EQ(state(0), CopyState::discarded);
  EXPECT_EQ(state(1), CopyState::held);
  EXPECT_EQ(desk_->extend(kId, running_.clock.now(), "ops", "").error().code, Code::bad_input);
  ASSERT_TRUE(desk_->extend(kId, running_.clock.now() + 1h, "ops", "court"));
  EXPECT_EQ(held_.messages[0].until, running_.clock.now() + 1h);
  EXPECT_EQ(desk_->settle(kId, true, "ops", "seen in the log"), 1U);
  EXPECT_EQ(settled_, "ops arrived");
  EXPECT_EQ(desk_->rekey("ops"), 3U);
}

TEST_F(HeldMailDesk, WhoIsErasedDoesNotLiveOnInTheLog) {
  EXPECT_EQ(desk_->erase_person("Kim@us.example", "ops", "asked"), 7U);
  for (const AuditEntry& row : audit()) {
    EXPECT_THAT(row.about + row.detail, Not(HasSubstr("us.example")));
    EXPECT_THAT(row.about, HasSubstr("sha256 "));
  }
  EXPECT_FALSE(desk_->erase_person(" ", "ops", ""));
}

TEST_F(HeldMailDesk, ALinkAsksOnceAndAPersonDecides) {
  EXPECT_EQ(desk_->look_at(link("kim@us.example")), LinkState::can_ask);
  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(desk_->ask(link("kim@us.example")), LinkState::asked);
  EXPECT_EQ(state(0), CopyState::held);
  EXPECT_EQ(desk_->look_at(link("kim@us.example")), LinkState::asked);
  EXPECT_EQ(desk_->ask(link("kim@us.example")).error().code, Code::refused);
  EXPECT_THAT(audit(), SizeIs(1));
  EXPECT_EQ(desk_->ask("forged").error().code, Code::refused);
  std::string changed = link("lee@us.example");
  changed[40] = changed[40] == 'A' ? 'B' : 'A';
  EXPECT_EQ(desk_->ask(changed).error().code, Code::refused);
  const std::string old = quarantine::make_link_token(held_.link_secret(), kId, "lee@us.example",
                                                      running_.clock.now() - 1s);
  EXPECT_EQ(desk_->ask(old).error().code, Code::refused);
  EXPECT_EQ(desk_->look_at(old).error().code, Code::refused);
  EXPECT_EQ(desk_->ask(link("eve@us.example")).error().code, Code::not_found);
  EXPECT_EQ(woken_, 0);
}

TEST_F(HeldMailDesk, ARuleMayReleaseAtOnceButNeverWhatIsCertain) {
  make({.self_release = {"listed"}});
  EXPECT_EQ(desk_->ask(link("kim@us.example")), LinkState::coming);
  EXPECT_EQ(state(0), CopyState::due);
  EXPECT_EQ(state(1), CopyState::held);
  EXPECT_EQ(woken_, 1);
  EXPECT_EQ(desk_->ask(link("kim@us.example")).error().code, Code::refused);
  held_.messages[0].certain = true;
  EXPECT_EQ(desk_->look_at(link("lee@us.example")), LinkState::gone);
  EXPECT_FALSE(desk_->ask(link("lee@us.example")));
  EXPECT_EQ(state(1), CopyState::held);
  // What a crash has left half done is done by the next click.
  held_.messages[0].certain = false;
  held_.messages[0].copies[1].requested = running_.clock.now();
  EXPECT_EQ(desk_->ask(link("lee@us.example")), LinkState::coming);
  EXPECT_EQ(state(1), CopyState::due);
}

}  // namespace
}  // namespace watchpost::investigate
