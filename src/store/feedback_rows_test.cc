// What the store keeps of feedback: ids that count once, mail that was not understood,
// suppressions.
#include "store/store_fixture.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using testing::ElementsAre;

class FeedbackRows : public StoreTest {};

Suppression suppression(uint64_t change, std::string recipient, std::string customer = "acme") {
  return {.recipient = std::move(recipient),
          .customer = std::move(customer),
          .since = kNoon,
          .changed_at = kNoon,
          .change = change};
}

std::vector<uint64_t> changes_of(const std::vector<Suppression>& all) {
  std::vector<uint64_t> changes;
  for (const Suppression& one : all) changes.push_back(one.change);
  return changes;
}

TEST_F(FeedbackRows, LastingIdsAreKnownUntilEventsOfTheirTimeGo) {
  const auto store = open();
  Commit commit;
  const std::vector<LastingId> ids{{{1, 2}, kNoon}, {{3, 4}, kNoon + std::chrono::days(20)}};
  commit.lasting = ids;
  value_of(store->commit(commit));
  value_of(store->commit(commit));  // twice is once
  for (const EventId& id : {EventId{1, 2}, EventId{3, 4}}) {
    EXPECT_TRUE(value_of(store->knows(id)));
    EXPECT_TRUE(value_of(reader()->knows(id)));
  }
  EXPECT_FALSE(value_of(store->knows({2, 1})));
  value_of(store->maintain(kNoon + std::chrono::days(31), std::chrono::minutes(1)));
  EXPECT_FALSE(value_of(store->knows({1, 2})));
  EXPECT_TRUE(value_of(store->knows({3, 4})));
}

TEST_F(FeedbackRows, MailThatWasNotUnderstoodComesBackWhole) {
  const auto store = open();
  std::vector<KeptMail> mails;
  for (int i = 0; i < 3; ++i) {
    KeptMail mail;
    mail.at = kNoon;
    mail.source = "feedback";
    mail.why = "no report in it";
    mail.sender = "<>";
    mail.recipients = {"a@x.example", "b@x.example"};
    mail.proven = i == 1;
    mail.unsubscribes = i == 1;
    mail.bytes = fmt::format("Subject: {}\r\n\r\n\0\xff", i);
    mails.push_back(mail);
  }
  Commit commit;
  commit.kept_mail = mails;
  value_of(store->commit(commit));
  const auto listed = value_of(reader()->kept_mail(2));
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].number, 3U);
  EXPECT_EQ(listed[0].bytes, "");
  const auto whole = value_of(reader()->kept_mail_of(2));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->bytes, mails[1].bytes);
  EXPECT_EQ(whole->recipients, mails[1].recipients);
  EXPECT_TRUE(whole->proven);
  EXPECT_TRUE(whole->unsubscribes);
  EXPECT_FALSE(listed[0].proven);
  EXPECT_FALSE(listed[0].unsubscribes);
  EXPECT_FALSE(value_of(reader()->kept_mail_of(4)));
}

TEST_F(FeedbackRows, ASuppressionComesBackWhole) {
  Suppression one = suppression(7, "a@x.example", std::string("acme\0\xff", 6));
  one.reason = SuppressionReason::complaint;
  one.origin = "rule `complaint`";
  one.note = "a\nnote";
  one.until = kNoon + std::chrono::hours(2);
  one.evidence = "550 \xff";
  one.event = {5, 6};
  one.incident = 9;
  one.lifted = true;
  one.lifted_by = "alice";
  one.changed_at = kNoon + std::chrono::hours(1);
  {
    Commit commit;
    commit.suppressions = {one};
    value_of(open()->commit(commit));
  }
  const auto store = open();  // also after a restart
  const auto all = value_of(reader()->suppressions_after(0, 10));
  ASSERT_EQ(all.size(), 1U);
  const Suppression& got = all[0];
  EXPECT_EQ(got.recipient, one.recipient);
  EXPECT_EQ(got.customer, one.customer);
  EXPECT_EQ(got.reason, one.reason);
  EXPECT_EQ(got.origin, one.origin);
  EXPECT_EQ(got.note, one.note);
  EXPECT_EQ(got.since, one.since);
  EXPECT_EQ(got.until, one.until);
  EXPECT_EQ(got.evidence, one.evidence);
  EXPECT_EQ(got.event, one.event);
  EXPECT_EQ(got.incident, one.incident);
  EXPECT_EQ(got.lifted, one.lifted);
  EXPECT_EQ(got.lifted_by, one.lifted_by);
  EXPECT_EQ(got.changed_at, one.changed_at);
  EXPECT_EQ(got.change, one.change);
}

TEST_F(FeedbackRows, ChangesComeInTheirOrderAndOnlyTheLastOfEach) {
  const auto store = open();
  Commit commit;
  commit.suppressions = {suppression(1, "a@x.example"), suppression(2, "b@x.example"),
                         suppression(3, "a@x.example", "other")};
  value_of(store->commit(commit));
  commit.suppressions = {suppression(4, "a@x.example")};
  value_of(store->commit(commit));
  const auto reads = reader();
  EXPECT_THAT(changes_of(value_of(reads->suppressions_after(0, 10))), ElementsAre(2, 3, 4));
  EXPECT_THAT(changes_of(value_of(reads->suppressions_after(0, 2))), ElementsAre(2, 3));
  EXPECT_THAT(changes_of(value_of(reads->suppressions_after(3, 10))), ElementsAre(4));
  EXPECT_TRUE(value_of(reads->suppressions_after(UINT64_MAX, 10)).empty());
}

TEST_F(FeedbackRows, SuppressionsAreFoundByWhatTheyAre) {
  const auto store = open();
  Commit commit;
  commit.suppressions = {suppression(1, "a@x.example"), suppression(2, "a@x.example", ""),
                         suppression(3, "a@x.example", "other"), suppression(4, "b@x.example"),
                         suppression(5, "c@x.example")};
  commit.suppressions[3].reason = SuppressionReason::complaint;
  commit.suppressions[3].until = kNoon + std::chrono::hours(1);
  commit.suppressions[4].since = kNoon - std::chrono::hours(1);
  commit.suppressions[4].lifted = true;
  value_of(store->commit(commit));
  const auto reads = reader();
  const auto find = [&](const SuppressionQuery& query) {
    return changes_of(value_of(reads->suppressions(query)));
  };
  EXPECT_THAT(find({}), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(find({.recipient = "a@x.example"}), ElementsAre(3, 2, 1));
  EXPECT_THAT(find({.recipient = "a@x.example", .customer = ""}), ElementsAre(2));
  EXPECT_THAT(find({.customer = "acme"}), ElementsAre(5, 4, 1));
  EXPECT_THAT(find({.reason = SuppressionReason::complaint}), ElementsAre(4));
  EXPECT_THAT(find({.since = kNoon}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(find({.held_at = kNoon}), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(find({.held_at = kNoon + std::chrono::hours(1)}), ElementsAre(3, 2, 1));
  // Pages.
  EXPECT_THAT(find({.customer = "acme", .limit = 2}), ElementsAre(5, 4));
  EXPECT_THAT(find({.customer = "acme", .limit = 2, .before = 4}), ElementsAre(1));
}

}  // namespace
}  // namespace watchpost::store
