// Release, exactly once: what the mail server may have is never handed in again.
#include "quarantine/quarantine_fixture.h"

namespace watchpost::quarantine {
namespace {

using Kind = CopyOutcome::Kind;
constexpr std::string_view kBytes = "Subject: offer\r\n\r\nText\r\n";

class AttemptsTest : public QuarantineTest {
 protected:
  HeldId release_one(const std::vector<std::string>& recipients = {"ann@receiver.example"}) {
    const HeldId id = keep(message_for(recipients), std::string(kBytes));
    EXPECT_EQ(value_of(it().release(id, {}, {.by = "eve"})), recipients.size());
    return id;
  }
  Result<bool> end(const Attempt& attempt, Kind kind, std::string note = "", Time at = {}) {
    std::vector<CopyOutcome> outcomes;
    for (const Copy& copy : attempt.message.copies) {
      outcomes.push_back({.recipient = copy.recipient, .kind = kind, .at = at, .note = note});
    }
    return it().end(attempt, outcomes);
  }
};

TEST_F(AttemptsTest, FromHeldToReleased) {
  const HeldId id = release_one({"ann@receiver.example", "bob@receiver.example"});
  EXPECT_EQ(state_of(id), CopyState::due);
  EXPECT_EQ(copy_of(id).by, "eve");
  EXPECT_EQ(value_of(it().usage()).due, 2u);
  const Attempt attempt = begin_one();
  EXPECT_EQ(attempt.message.copies.size(), 2u);
  EXPECT_EQ(attempt.token.size(), 64u);
  EXPECT_EQ(state_of(id), CopyState::leaving);
  EXPECT_TRUE(value_of(it().due(10)).empty());

  const HeldMessage redeemed = value_of(redeem(attempt.token, kBytes));
  EXPECT_EQ(redeemed.id, id);
  EXPECT_EQ(redeemed.copies.size(), 2u);
  value_of(end(attempt, Kind::released));
  EXPECT_EQ(state_of(id, 1), CopyState::released);
  EXPECT_EQ(copy_of(id).note, "");
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(it().read(id).error().code, Code::not_found);
  const Usage usage = value_of(it().usage());
  EXPECT_EQ(usage.messages, 0u);
  EXPECT_EQ(usage.copies, 0u);
  EXPECT_EQ(usage.due, 0u);
  EXPECT_EQ(usage.bytes, 0u);
}

TEST_F(AttemptsTest, ATokenIsGoodOnce) {
  release_one();
  const Attempt attempt = begin_one();
  value_of(redeem(attempt.token, kBytes));
  EXPECT_EQ(redeem(attempt.token, kBytes).error().code, Code::not_found);
  value_of(end(attempt, Kind::released));
  EXPECT_EQ(redeem(attempt.token, kBytes).error().code, Code::not_found);
}

TEST_F(AttemptsTest, AForgedTokenIsNone) {
  release_one();
  const Attempt attempt = begin_one();
  std::string near = attempt.token;
  near.back() = near.back() == '0' ? '1' : '0';
  for (const std::string& forged :
       {near, std::string(), std::string(64, '0'), attempt.token.substr(1), attempt.token + "0",
        std::string("' OR 1=1 --"), std::string(1000, 'f')}) {
    EXPECT_EQ(redeem(forged, kBytes).error().code, Code::not_found) << forged;
  }
  value_of(redeem(attempt.token, kBytes));
}

TEST_F(AttemptsTest, ATokenEndsWithItsAttempt) {
  const HeldId id = release_one();
  const Attempt first = begin_one();
  value_of(end(first, Kind::again, "451 later"));
  EXPECT_EQ(state_of(id), CopyState::due);
  EXPECT_EQ(copy_of(id).note, "451 later");
  EXPECT_EQ(redeem(first.token, kBytes).error().code, Code::not_found);
  const Attempt second = begin_one();
  EXPECT_NE(second.token, first.token);
  EXPECT_EQ(it().end(first, {}).error().code, Code::not_found);
  value_of(redeem(second.token, kBytes));
}

TEST_F(AttemptsTest, AfterACrashWhatWasNotRedeemedIsKnownToBeHere) {
  const HeldId id = release_one();
  const Attempt attempt = begin_one();
  open();
  EXPECT_EQ(state_of(id), CopyState::leaving);
  const auto doubtful = value_of(it().in_doubt());
  ASSERT_EQ(doubtful.size(), 1u);
  EXPECT_EQ(doubtful[0].number, attempt.number);
  EXPECT_FALSE(doubtful[0].redeemed);
  EXPECT_EQ(doubtful[0].token, "");
  EXPECT_EQ(doubtful[0].message.copies.size(), 1u);
  value_of(end(doubtful[0], Kind::again));
  EXPECT_TRUE(value_of(it().in_doubt()).empty());
  EXPECT_EQ(state_of(id), CopyState::due);
}

TEST_F(AttemptsTest, ARedeemedOneIsKnownByItsQueueId) {
  const HeldId id = release_one();
  const Attempt attempt = begin_one();
  value_of(redeem(attempt.token, kBytes, "4cQUEUE"));
  open();
  const auto doubtful = value_of(it().in_doubt());
  ASSERT_EQ(doubtful.size(), 1u);
  EXPECT_TRUE(doubtful[0].redeemed);
  EXPECT_EQ(doubtful[0].queue_id, "4cQUEUE");
  EXPECT_EQ(redeem(attempt.token, kBytes).error().code, Code::not_found);
  value_of(end(doubtful[0], Kind::released));
  EXPECT_EQ(state_of(id), CopyState::released);
}

// Who asks before the mail server was told to go on, and settles it after.
TEST_F(AttemptsTest, ADoubtIsNotSettledByWhatIsNotTrueAnyMore) {
  const HeldId id = release_one();
  const Attempt attempt = begin_one();
  value_of(end(attempt, Kind::in_doubt, "the connection ended"));
  EXPECT_EQ(state_of(id), CopyState::leaving);
  const auto doubtful = value_of(it().in_doubt());
  ASSERT_EQ(doubtful.size(), 1u);
  value_of(redeem(attempt.token, kBytes));
  EXPECT_EQ(end(doubtful[0], Kind::again).error().code, Code::refused);
  EXPECT_EQ(end(doubtful[0], Kind::refused).error().code, Code::refused);
  EXPECT_EQ(state_of(id), CopyState::leaving);
  value_of(end(value_of(it().in_doubt()).at(0), Kind::released));
  EXPECT_EQ(state_of(id), CopyState::released);
}

// A definite answer of the mail server is one, whatever the gate has said.
TEST_F(AttemptsTest, AnotherFilterMayRefuseItBehindUs) {
  const HeldId id = release_one();
  const Attempt attempt = begin_one();
  value_of(redeem(attempt.token, kBytes));
  value_of(end(attempt, Kind::refused, "550 another filter says no"));
  EXPECT_EQ(state_of(id), CopyState::held);
  EXPECT_EQ(copy_of(id).note, "550 another filter says no");
}

TEST_F(AttemptsTest, EachCopyHasItsOwnEnd) {
  const std::vector<std::string> all{"a@receiver.example", "b@receiver.example",
                                     "c@receiver.example", "d@receiver.example"};
  const HeldId id = release_one(all);
  const Attempt attempt = begin_one();
  const std::vector<CopyOutcome> outcomes{
      {.recipient = all[0], .kind = Kind::released},
      {.recipient = all[1], .kind = Kind::again, .at = kNoon + std::chrono::hours(1)},
      {.recipient = all[2], .kind = Kind::in_doubt}};
  value_of(it().end(attempt, outcomes));
  EXPECT_EQ(state_of(id, 0), CopyState::released);
  EXPECT_EQ(state_of(id, 1), CopyState::due);
  EXPECT_EQ(copy_of(id, 1).release_at, kNoon + std::chrono::hours(1));
  EXPECT_EQ(state_of(id, 2), CopyState::leaving);
  EXPECT_EQ(state_of(id, 3), CopyState::leaving);  // nobody said anything of it
  EXPECT_EQ(value_of(it().in_doubt()).at(0).message.copies.size(), 2u);
  EXPECT_TRUE(value_of(it().due(10)).empty());
  clock_.pass(std::chrono::hours(1));
  const auto due = value_of(it().due(10));
  ASSERT_EQ(due.size(), 1u);
  ASSERT_EQ(due[0].message.copies.size(), 1u);
  EXPECT_EQ(due[0].message.copies[0].recipient, all[1]);
  EXPECT_EQ(files(), 1u);
}

TEST_F(AttemptsTest, OtherBytesThanWereHeldAreToldOf) {
  const HeldId id = release_one();
  const Attempt attempt = begin_one();
  value_of(redeem(attempt.token, "Subject: other\r\n\r\nText\r\n"));
  EXPECT_NE(copy_of(id).note, "");
  value_of(end(attempt, Kind::released));
  EXPECT_EQ(state_of(id), CopyState::released);
  EXPECT_NE(copy_of(id).note, "");
}

TEST_F(AttemptsTest, ALineEndAtTheEndIsNoDifference) {
  const HeldId id = keep(message_for({"ann@receiver.example"}), "Subject: x\r\n\r\nno end");
  value_of(it().release(id, {}, {.by = "eve"}));
  value_of(redeem(begin_one().token, "Subject: x\r\n\r\nno end\r\n"));
  EXPECT_EQ(copy_of(id).note, "");
}

TEST_F(AttemptsTest, WhatIsOnItsWayIsNotTouched) {
  const HeldId id = release_one();
  begin_one();
  EXPECT_EQ(it().release(id, {}, {.by = "eve"}).error().code, Code::refused);
  EXPECT_EQ(it().discard(id, {}, "eve").error().code, Code::refused);
  EXPECT_EQ(value_of(it().hold_again({}, "eve", "")), 0u);
  EXPECT_EQ(value_of(it().discard_found({}, "eve")), 0u);
  EXPECT_EQ(state_of(id), CopyState::leaving);
}

TEST_F(AttemptsTest, OnlyWhatIsDueBegins) {
  const HeldId id = release_one();
  const auto due = value_of(it().due(10));
  value_of(it().hold_again({}, "eve", ""));
  EXPECT_EQ(it().begin(due[0]).error().code, Code::refused);
  EXPECT_EQ(state_of(id), CopyState::held);
  EXPECT_TRUE(value_of(it().in_doubt()).empty());
}

TEST_F(AttemptsTest, TheLongestDueComeFirstAndOneMessageTogether) {
  const std::vector<std::string> both{"ann@receiver.example", "bob@receiver.example"};
  const HeldId late = keep_one(both);
  const HeldId early = keep_one(both);
  const HeldId never = keep_one(both);
  value_of(it().release(late, {}, {.by = "eve"}));
  value_of(it().release(early, {}, {.by = "eve", .at = kNoon - std::chrono::hours(1)}));
  value_of(it().release(never, {}, {.by = "eve", .at = kNoon + std::chrono::hours(1)}));
  const auto due = value_of(it().due(10));
  ASSERT_EQ(due.size(), 2u);
  EXPECT_EQ(due[0].message.id, early);
  EXPECT_EQ(due[1].message.id, late);
  EXPECT_EQ(due[1].message.copies.size(), 2u);
  EXPECT_EQ(value_of(it().due(1)).size(), 1u);
}

}  // namespace
}  // namespace watchpost::quarantine
