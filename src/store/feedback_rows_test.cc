// What the store keeps of feedback: ids that count once, mail that was not understood,
// suppressions.
#include "store/encoding.h"
#include "store/old_version.h"

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
  one.lifted_note = "address is back";
  one.by_person = true;
  one.of = {{Field::customer, "acme"}, {Field::credential, std::string("a\0", 2)}};
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
  EXPECT_EQ(got.lifted_note, one.lifted_note);
  EXPECT_EQ(got.by_person, one.by_person);
  EXPECT_EQ(got.of, one.of);
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

TEST_F(FeedbackRows, ForEachReasonThereIsOneAndWhatItWas) {
  const auto store = open();
  Commit commit;
  Suppression bounce = suppression(1, "a@x.example");
  bounce.reason = SuppressionReason::hard_bounce;
  commit.suppressions = {bounce, suppression(2, "a@x.example")};  // by hand
  value_of(store->commit(commit));
  value_of(store->commit(commit));  // tried again: it is no change
  const auto reads = reader();
  EXPECT_THAT(changes_of(value_of(reads->suppressions_after(0, 10))), ElementsAre(1, 2));
  EXPECT_TRUE(value_of(reads->suppression_history({.recipient = "a@x.example"})).empty());
  for (uint64_t change = 3; change < 3 + kMostSuppressionHistory + 4; ++change) {
    bounce.change = change;
    bounce.lifted = change % 2 == 1;
    commit.suppressions = {bounce};
    value_of(store->commit(commit));
  }
  const auto past = value_of(reads->suppression_history({.recipient = "a@x.example"}));
  ASSERT_EQ(past.size(), kMostSuppressionHistory);
  EXPECT_EQ(past.front().change, bounce.change - 1);
  EXPECT_EQ(past.back().change, bounce.change - kMostSuppressionHistory);
  EXPECT_TRUE(value_of(reads->suppression_history({.recipient = "b@x.example"})).empty());
  EXPECT_TRUE(value_of(reads->suppression_history(
                           {.recipient = "a@x.example", .reason = SuppressionReason::by_hand}))
                  .empty());
}

TEST_F(FeedbackRows, ThoseOfARecipientComeTogether) {
  const auto store = open();
  Commit commit;
  commit.suppressions = {suppression(1, "b@x.example"), suppression(2, "a@x.example"),
                         suppression(3, "b@x.example", "")};
  value_of(store->commit(commit));
  std::vector<uint64_t> changes;
  value_of(reader()->each_suppression([&](const Suppression& one) -> Result<Done> {
    changes.push_back(one.change);
    return Done{};
  }));
  EXPECT_THAT(changes, ElementsAre(2, 3, 1));
  EXPECT_EQ(reader()
                ->each_suppression([](const Suppression&) -> Result<Done> {
                  return fail(Code::exhausted, "no more");
                })
                .error()
                .code,
            Code::exhausted);
}

// A body as schema 1 had it.
std::string old_body(const Suppression& one) {
  Encoder out;
  for (const std::string_view text :
       {std::string_view(one.recipient), std::string_view(one.customer), name_of(one.reason),
        std::string_view(one.origin), std::string_view(one.note)}) {
    out.text(text);
  }
  out.time(one.since);
  out.number(0);  // until
  out.text(one.evidence);
  out.number(one.event.high);
  out.number(one.event.low);
  out.number(one.incident);
  out.number(one.lifted ? 1 : 0);
  out.text(one.lifted_by);
  out.time(one.changed_at);
  out.number(one.change);
  return out.take();
}

TEST_F(FeedbackRows, WhatVersion3HadIsTakenOver) {
  {
    const auto made = open();
  }
  Suppression bounce = suppression(1, "a@x.example");
  bounce.reason = SuppressionReason::hard_bounce;
  bounce.event = {1, 2};
  bounce.incident = 7;
  Suppression lifted = suppression(2, "b@x.example");
  lifted.lifted = true;
  lifted.lifted_by = "alice";
  lifted.note = "address is back";
  {
    auto database = as_version_3(settings().path + "/state.db");
    auto put = value_of(database.prepare("INSERT INTO suppressions VALUES(?, ?, ?, ?)"));
    for (const Suppression& one : {bounce, lifted}) {
      const std::string body = old_body(one);
      value_of(put.bind(one.recipient).bind(one.customer).bind(one.change).bind(body).run());
    }
  }
  const auto store = open();
  const auto all = value_of(reader()->suppressions_after(0, 10));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].key(), bounce.key());
  EXPECT_EQ(all[0].incident, 7U);
  EXPECT_FALSE(all[0].by_person);
  EXPECT_EQ(all[1].lifted_note, "address is back");
  EXPECT_EQ(all[1].note, "");
  EXPECT_TRUE(all[1].by_person);
  // There is room for more reasons now.
  Commit commit;
  commit.suppressions = {suppression(3, "a@x.example")};
  value_of(store->commit(commit));
  EXPECT_EQ(value_of(reader()->suppressions({.recipient = "a@x.example"})).size(), 2U);
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
