// What names no message is joined with the one it is about.
#include "investigate/campaign_tally.h"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Time kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + hours(8);
constexpr Time kEnd = kStart + hours(24 * 10);

class JoinedOutcomesTest : public ::testing::Test {
 protected:
  Event& add(EventKind kind, Duration sent, std::string_view recipient) {
    Event& event = batch_.add();
    event.id = {3, ++number_};
    event.at = kStart + sent;
    event.kind = kind;
    event[Field::recipient] = batch_.keep(recipient);
    event[Field::provider] = "yahoo";
    return event;
  }
  void logged(EventKind kind, Duration sent, std::string_view message,
              std::string_view recipient = "a@y.example") {
    add(kind, sent, recipient)[Field::message_id] = batch_.keep(message);
  }
  // By its token alone, three days later.
  void came_back(EventKind kind, Duration sent, std::string_view recipient = "a@y.example") {
    Event& event = add(kind, sent, recipient);
    event.at += hours(72) + std::chrono::microseconds(1);
    event.delay = 72 * 3600.0;
    event[Field::proof] = kProvenByToken;
    event[Field::reporter] = "y.example";
  }
  // In several orders; they must not differ.
  MailFigures total(size_t most = CampaignTally::kMostOutcomes) {
    std::vector<const Event*> order;
    for (const Event& event : batch_.events()) order.push_back(&event);
    std::mt19937 random(1);
    for (int turn = 0; turn < 4; ++turn) {
      CampaignTally tally(Field::provider, kStart, kEnd, most);
      for (const Event* const event : order) tally.on(*event);
      const TallyResult result = tally.result();
      if (turn > 0 && most == CampaignTally::kMostOutcomes) {
        EXPECT_EQ(result.total, result_.total) << "turn " << turn;
        EXPECT_EQ(result.hours.size(), result_.hours.size());
        EXPECT_EQ(result.outside, result_.outside);
      }
      result_ = result;
      std::ranges::shuffle(order, random);
    }
    return result_.total;
  }

  EventBatch batch_;
  uint64_t number_ = 0;
  TallyResult result_;
};

TEST_F(JoinedOutcomesTest, ABounceWithNothingButItsTokenIsOfTheMessageThatWasSent) {
  logged(EventKind::delivered, minutes(5), "m1");
  logged(EventKind::delivered, minutes(5), "m2", "b@y.example");
  came_back(EventKind::bounced, minutes(4));
  const MailFigures mail = total();
  EXPECT_EQ(mail.sent, 2U);
  EXPECT_EQ(mail.delivered, 1U);
  EXPECT_EQ(mail.bounced, 1U);
  EXPECT_EQ(mail.late_bounced, 1U);
}

TEST_F(JoinedOutcomesTest, TheRecipientMayBeWrittenOtherwise) {
  logged(EventKind::delivered, minutes(5), "m1");
  came_back(EventKind::complained, minutes(4), "A@Y.example");
  EXPECT_EQ(total().complained, 1U);
  EXPECT_EQ(total().reporting_complained, 1U);
  EXPECT_EQ(rate_of(total(), MailRate::complained), 1.0);
}

TEST_F(JoinedOutcomesTest, OfSeveralMessagesItIsTheNearest) {
  logged(EventKind::delivered, minutes(5), "m1");
  logged(EventKind::delivered, hours(10), "m2");
  logged(EventKind::delivered, hours(50), "m3");
  came_back(EventKind::bounced, hours(10) - minutes(2));
  EXPECT_EQ(total().late_bounced, 1U);
  ASSERT_EQ(result_.hours.size(), 3U);
  EXPECT_EQ(result_.hours[1].at, kStart + hours(10));
  EXPECT_EQ(result_.hours[1].mail.bounced, 1U);
}

TEST_F(JoinedOutcomesTest, TwoTokensAreTwoMessages) {
  logged(EventKind::delivered, minutes(5), "m1");
  logged(EventKind::delivered, minutes(6), "m2");
  came_back(EventKind::bounced, minutes(5));
  came_back(EventKind::bounced, minutes(6));
  EXPECT_EQ(total().late_bounced, 2U);
  EXPECT_EQ(total().sent, 2U);
}

TEST_F(JoinedOutcomesTest, OneTokenIsOneMessageWhateverIsToldOfIt) {
  came_back(EventKind::bounced, minutes(5));
  came_back(EventKind::complained, minutes(5));
  EXPECT_EQ(total().sent, 1U);
  logged(EventKind::delivered, minutes(7), "m1");
  EXPECT_EQ(total().sent, 1U);
  EXPECT_EQ(total().late_bounced, 1U);
  EXPECT_EQ(total().complained, 1U);
}

TEST_F(JoinedOutcomesTest, WhatWasNotSentThenIsAnotherMessage) {
  logged(EventKind::delivered, hours(30), "m1");
  came_back(EventKind::bounced, hours(4));   // its own message is in no log
  came_back(EventKind::bounced, hours(33));  // no message is sent before its token is made
  const MailFigures mail = total();
  EXPECT_EQ(mail.sent, 3U);
  EXPECT_EQ(mail.delivered, 1U);
  EXPECT_EQ(mail.late_bounced, 0U);
}

TEST_F(JoinedOutcomesTest, AMessageThatWasAcceptedForManyIsNobodys) {
  Event& accepted = add(EventKind::accepted, minutes(5), "");
  accepted[Field::message_id] = "m1";
  accepted.recipients = 2;
  came_back(EventKind::bounced, minutes(5));
  EXPECT_EQ(total().accepted, 2U);
  EXPECT_EQ(total().bounced, 1U);
}

TEST_F(JoinedOutcomesTest, AnEstimateJoinsAsWell) {
  constexpr size_t kSent = 20'000;
  for (size_t i = 0; i < kSent; ++i) {
    const std::string recipient = fmt::format("r{}@y.example", i);
    logged(EventKind::delivered, minutes(5), "m1", recipient);
    if (i % 10 == 0) came_back(EventKind::bounced, minutes(4), recipient);
  }
  const MailFigures mail = total(4000);
  EXPECT_GT(result_.sampled, 1U);
  EXPECT_NEAR(static_cast<double>(mail.sent), kSent, 0.1 * kSent);
  EXPECT_EQ(mail.late_bounced, mail.bounced);
  EXPECT_NEAR(*rate_of(mail, MailRate::bounced), 0.1, 0.03);
}

}  // namespace
}  // namespace watchpost::investigate
