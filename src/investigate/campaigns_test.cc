// Campaigns and feedback as they are read from a store.
#include "investigate/campaigns.h"

#include "investigate/feedback_status.h"
#include "investigate/largest_rows.h"
#include "store/store_fixture.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using store::kNoon;
using store::value_of;

struct Mail {
  std::string customer = "shop";
  std::string campaign = "autumn";
  std::string provider = "yahoo";
};

class Campaigns : public store::StoreTest {
 protected:
  Event& add(EventKind kind, Time at, const Mail& mail, const std::string& recipient) {
    Event& event = store::add_event(batch_, at, ++number_, recipient);
    event.kind = kind;
    event[Field::customer] = batch_.keep(mail.customer);
    event[Field::campaign] = batch_.keep(mail.campaign);
    event[Field::provider] = batch_.keep(mail.provider);
    event[Field::message_id] =
        batch_.keep(fmt::format("{}.{}@x.example", mail.campaign, recipient));
    return event;
  }
  // So many messages of which some bounce, a second apart.
  void send(const Mail& mail, Time from, size_t count, size_t bounced, char who = 'r') {
    for (size_t i = 0; i < count; ++i) {
      const std::string recipient = fmt::format("{}{}@y.example", who, i);
      add(i < bounced ? EventKind::bounced : EventKind::delivered, from + std::chrono::seconds(i),
          mail, recipient)[Field::class_] = i < bounced ? "unknown_user" : "";
    }
  }
  void commit(bool sealed) {
    auto store = open();
    value_of(store->commit(store::events_only(batch_)));
    if (sealed) seal(*store, kNoon + hours(24 * 2));
    batch_.clear();
  }
  Result<CampaignReport> report(CampaignQuery query, Time now = kNoon + hours(30)) {
    const auto opened = reader();
    return report_campaign(*opened, query, now, {});
  }

  EventBatch batch_;
  uint64_t number_ = 0;
};

TEST_F(Campaigns, AreReadFromSealedAndOpenHistory) {
  for (const bool sealed : {true, false}) {
    send({}, kNoon, 200, 10);
    send({.customer = "other"}, kNoon, 50, 50);
    send({.campaign = "winter"}, kNoon, 40, 40);
    Event& late = add(EventKind::complained, kNoon + hours(20), {}, "r50@y.example");
    late.delay = 20 * 3600.0;
    add(EventKind::complained, kNoon + hours(3), {}, "r60@y.example")[Field::proof] = "no_token";
    commit(sealed);
  }
  const auto found = value_of(report({.customer = "shop", .campaign = "autumn"}));
  // The second time the same messages came again: they are still the same.
  EXPECT_EQ(found.mail.total.sent, 200u);
  EXPECT_EQ(found.mail.total.bounced, 10u);
  EXPECT_EQ(found.mail.total.complained, 1u);
  EXPECT_EQ(found.events, 2u * 202);
  ASSERT_EQ(found.mail.hours.size(), 1u);
  EXPECT_EQ(found.mail.hours[0].at, kNoon);
  EXPECT_EQ(found.mail.classes.at(0).name, "unknown_user");
  ASSERT_EQ(found.unproven.size(), 1u);
  EXPECT_EQ(found.unproven[0].count, 2u);
  EXPECT_EQ(found.first_sent, kNoon);
  EXPECT_EQ(found.last_sent, kNoon + std::chrono::seconds(199));
  EXPECT_TRUE(found.complete);
  EXPECT_FALSE(found.sending);
  EXPECT_TRUE(found.past.rates.empty());
}

TEST_F(Campaigns, ABounceThatHasOnlyItsTokenIsOfItsMessage) {
  send({}, kNoon, 20, 0);
  Event& late = add(EventKind::bounced, kNoon + hours(20), {}, "r5@y.example");
  late.delay = 20 * 3600.0;
  late[Field::message_id] = {};
  late[Field::queue_id] = {};
  late[Field::proof] = kProvenByToken;
  commit(true);
  const auto found = value_of(report({.customer = "shop", .campaign = "autumn"}));
  EXPECT_EQ(found.mail.total.sent, 20u);
  EXPECT_EQ(found.mail.total.late_bounced, 1u);
}

TEST_F(Campaigns, OneThatIsBeingSentSaysSo) {
  send({}, kNoon, 20, 0);
  add(EventKind::deferred, kNoon + minutes(5), {}, "slow@y.example");
  commit(false);
  const auto found =
      value_of(report({.customer = "shop", .campaign = "autumn"}, kNoon + minutes(30)));
  EXPECT_TRUE(found.sending);
  EXPECT_EQ(found.mail.total.waiting, 1u);
}

TEST_F(Campaigns, SpansAreOfTheTimeOfSending) {
  send({}, kNoon, 10, 0);
  send({}, kNoon + hours(2), 7, 0, 'q');
  Event& late = add(EventKind::complained, kNoon + hours(5), {}, "someone@y.example");
  late.delay = 5 * 3600.0;
  commit(true);
  CampaignQuery query{.customer = "shop", .campaign = "autumn"};
  query.since = kNoon + hours(1);
  auto found = value_of(report(query));
  EXPECT_EQ(found.since, kNoon + hours(1));
  EXPECT_EQ(found.mail.total.sent, 7u);
  EXPECT_EQ(found.mail.total.complained, 0u);
  EXPECT_EQ(found.mail.outside, 1u);  // what was delivered before is not read
  query.since.reset();
  query.until = kNoon + hours(1);
  found = value_of(report(query));
  EXPECT_EQ(found.mail.total.sent, 10u);
  EXPECT_EQ(found.mail.outside, 7u);
  EXPECT_EQ(found.mail.total.complained, 1u);
}

TEST_F(Campaigns, PastIsTheCustomersOwn) {
  for (int earlier = 1; earlier <= 4; ++earlier) {
    const Time began = kNoon - hours(24 * earlier);
    send({.campaign = fmt::format("c{}", earlier)}, began, 200, static_cast<size_t>(earlier) * 10);
  }
  send({.campaign = "tiny"}, kNoon - hours(24), 5, 5);
  send({.campaign = "later"}, kNoon + hours(3), 200, 200);
  send({.campaign = "long ago"}, kNoon - hours(24 * 9), 200, 200);
  send({.customer = "other", .campaign = "c9"}, kNoon - hours(24), 200, 200);
  send({}, kNoon, 200, 100);
  commit(true);
  CampaignQuery query{.customer = "shop", .campaign = "autumn"};
  query.past = hours(24 * 7);
  auto found = value_of(report(query));
  EXPECT_EQ(found.past.campaigns, 4u);
  EXPECT_EQ(found.past.small, 1u);
  const auto bounced =
      std::ranges::find(found.past.rates, MailRate::bounced, &CampaignPast::Rate::rate);
  ASSERT_NE(bounced, found.past.rates.end());
  EXPECT_DOUBLE_EQ(bounced->median, 0.125);
  EXPECT_DOUBLE_EQ(bounced->low, 0.05);
  EXPECT_DOUBLE_EQ(bounced->high, 0.20);
  // A half of 200 is more than any of them, whatever chance does to a fifth of 200.
  EXPECT_EQ(bounced->beside, Beside::higher);
  query.past = hours(24 * 2 + 1);
  found = value_of(report(query));
  EXPECT_EQ(found.past.campaigns, 2u);
  EXPECT_TRUE(found.past.rates.empty());
  query.past = Duration::zero();
  EXPECT_FALSE(value_of(report(query)).past.since);
}

TEST_F(Campaigns, PastIsTakenAtTheSameAge) {
  for (int earlier = 1; earlier <= 3; ++earlier) {
    const Mail mail{.campaign = fmt::format("c{}", earlier)};
    const Time began = kNoon - hours(24 * earlier);
    send(mail, began, 200, 0);
    for (int i = 0; i < 40; ++i) {
      Event& late =
          add(EventKind::bounced, began + hours(20), mail, fmt::format("r{}@y.example", i));
      late.delay = 20 * 3600.0;
    }
  }
  send({}, kNoon, 200, 0);
  commit(true);
  const CampaignQuery query{.customer = "shop", .campaign = "autumn"};
  const auto most_bounced = [&](Time now) {
    const auto found = value_of(report(query, now));
    const auto bounced =
        std::ranges::find(found.past.rates, MailRate::bounced, &CampaignPast::Rate::rate);
    return std::pair(found.past.age, bounced == found.past.rates.end() ? -1 : bounced->high);
  };
  EXPECT_EQ(most_bounced(kNoon + hours(2)), std::pair(std::optional<Duration>(hours(2)), 0.0));
  EXPECT_EQ(most_bounced(kNoon + hours(21)), std::pair(std::optional<Duration>(hours(21)), 0.2));
  EXPECT_EQ(most_bounced(kNoon + hours(24 * 8)), std::pair(std::optional<Duration>(), 0.2));
}

TEST(CampaignsBeside, FewMessagesSayNothing) {
  const CampaignPast::Rate past{.low = 0.01, .high = 0.02, .may_be = {.low = 0.005, .high = 0.04}};
  EXPECT_EQ(beside({3, 200}, past), Beside::as_before);
  EXPECT_EQ(beside({1, 20}, past), Beside::unclear);
  EXPECT_EQ(beside({0, 100}, past), Beside::unclear);
  EXPECT_EQ(beside({500, 10'000}, past), Beside::higher);
  EXPECT_EQ(beside({10, 10'000}, past), Beside::lower);
}

TEST_F(Campaigns, WhatIsNotThereIsSaid) {
  open();
  auto found = report({.customer = "shop", .campaign = "autumn"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_EQ(found.error().what, "nothing of this customer is stored");
  send({}, kNoon, 3, 0);
  commit(true);
  found = report({.customer = "shop", .campaign = "autunm"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_EQ(found.error().what, "nothing of this campaign is stored; did you mean `autumn`?");
  CampaignQuery later{.customer = "shop", .campaign = "autumn"};
  later.since = kNoon + hours(5);
  found = report(later);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().what, "nothing of this campaign was sent in that time");
  for (const CampaignQuery& bad : {CampaignQuery{.customer = "", .campaign = "a"},
                                   CampaignQuery{.customer = "a", .campaign = ""}}) {
    ASSERT_FALSE(report(bad));
    EXPECT_EQ(report(bad).error().code, Code::bad_input);
  }
  later.until = kNoon;
  EXPECT_EQ(report(later).error().code, Code::bad_input);
}

TEST_F(Campaigns, ASearchThatIsStoppedHasSeenAllSinceThen) {
  for (int hour = 0; hour < 12; ++hour) {
    send({}, kNoon + hours(hour), 1000, 0, static_cast<char>('a' + hour));
  }
  commit(true);
  SearchBounds bounds;
  bounds.go_on = [](const Event&, uint64_t events) { return events < 4000; };
  const auto opened = reader();
  const CampaignQuery query{.customer = "shop", .campaign = "autumn", .past = Duration::zero()};
  const auto found = report_campaign(*opened, query, kNoon + hours(30), bounds);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_FALSE(found->complete);
  EXPECT_LT(found->events, 5000u);
  ASSERT_GE(found->mail.hours.size(), 1u);
  for (const auto& hour : found->mail.hours) {
    EXPECT_GE(hour.at, found->since);
    EXPECT_EQ(hour.mail.sent, 1000u);
  }
}

TEST_F(Campaigns, AreListedTheLastActiveFirst) {
  send({}, kNoon, 30, 3);
  send({.campaign = "winter"}, kNoon + hours(3), 20, 0);
  send({.customer = "other"}, kNoon + hours(1), 10, 0);
  add(EventKind::delivered, kNoon, {.campaign = ""}, "x@y.example");
  add(EventKind::complained, kNoon + hours(9), {}, "r9@y.example")[Field::proof] = "no_token";
  add(EventKind::deferred, kNoon + hours(9), {}, "r9@y.example").self_inflicted = true;
  commit(true);
  const auto opened = reader();
  const auto all = value_of(list_campaigns(*opened, {.since = kNoon}, {}));
  ASSERT_EQ(all.campaigns.size(), 3u);
  EXPECT_EQ(all.campaigns[0].campaign, "winter");
  EXPECT_EQ(all.campaigns[1].customer, "other");
  EXPECT_EQ(all.campaigns[2].campaign, "autumn");
  EXPECT_EQ(all.campaigns[2].delivered, 27u);
  EXPECT_EQ(all.campaigns[2].bounced, 3u);
  EXPECT_EQ(all.campaigns[2].complained, 0u);
  EXPECT_EQ(all.without, 1u);
  const auto theirs = value_of(list_campaigns(*opened, {.since = kNoon, .customer = "other"}, {}));
  EXPECT_EQ(theirs.campaigns.size(), 1u);
  const auto none = value_of(list_campaigns(*opened, {.since = kNoon + hours(20)}, {}));
  EXPECT_TRUE(none.campaigns.empty());
  EXPECT_FALSE(list_campaigns(*opened, {.since = kNoon, .until = kNoon}, {}));
}

TEST_F(Campaigns, FeedbackIsCountedByReporterAndBySource) {
  const auto feedback = [&](EventKind kind, std::string_view reporter, std::string_view way,
                            std::string_view proof) {
    Event& event = add(kind, kNoon, {}, "a@y.example");
    event[Field::source] = "mail";
    event[Field::reporter] = reporter;
    event[Field::attribution] = way;
    event[Field::proof] = proof;
  };
  feedback(EventKind::complained, "yahoo.example", "token", "token");
  feedback(EventKind::complained, "yahoo.example", "verp", "token");
  feedback(EventKind::complaint_withdrawn, "yahoo.example", "", "reporter");
  feedback(EventKind::bounced, "mx.example", "message_id", "no_token");
  feedback(EventKind::unsubscribed, "mx.example", "message_id", "expired_token");
  // A log's own bounce is no feedback.
  add(EventKind::bounced, kNoon, {}, "b@y.example");
  auto store = open();
  auto commit = store::events_only(batch_);
  const std::vector<KeptMail> kept = {{.number = 0,
                                       .at = kNoon + hours(1),
                                       .source = "mail",
                                       .reporter = "mx.example",
                                       .why = "no report in it",
                                       .sender = "<>",
                                       .recipients = {"fbl@x.example"},
                                       .bytes = "Subject: hello\r\n\r\n"}};
  commit.kept_mail = kept;
  value_of(store->commit(commit));
  const auto opened = reader();
  const auto status = value_of(feedback_status(*opened, kNoon, {}));
  ASSERT_EQ(status.reporters.size(), 2u);
  const FeedbackRow& yahoo = status.reporters[0];
  EXPECT_EQ(yahoo.name, "yahoo.example");
  EXPECT_EQ(yahoo.received, 3u);
  EXPECT_EQ(yahoo.proven, 3u);
  EXPECT_EQ(yahoo.unattributed, 1u);
  EXPECT_EQ(yahoo.attributed, (std::map<std::string, uint64_t>{{"token", 1}, {"verp", 1}}));
  const FeedbackRow& mx = status.reporters[1];
  EXPECT_EQ(mx.refused, (std::map<std::string, uint64_t>{{"no_token", 1}, {"expired_token", 1}}));
  EXPECT_EQ(mx.unread, 1u);
  EXPECT_EQ(mx.last_at, kNoon + hours(1));
  ASSERT_EQ(status.sources.size(), 1u);
  EXPECT_EQ(status.sources[0].received, 5u);
  EXPECT_EQ(status.total.bounced, 1u);
  EXPECT_TRUE(value_of(feedback_status(*opened, kNoon + hours(2), {})).reporters.empty());
}

TEST(LargestRows, WhoOnlyMakesNoisePushesOutNobody) {
  LargestRows<FeedbackRow> rows(10);
  rows.at("known").proven = 1;
  for (int i = 0; i < 1000; ++i) rows.at(fmt::format("noise{}", i)).received += 1;
  const auto largest = rows.largest();
  EXPECT_EQ(largest.size(), 10u);
  EXPECT_EQ(largest.front().first, "known");
  EXPECT_TRUE(rows.has_rest());
  uint64_t received = rows.rest().received;
  for (const auto& [name, row] : largest) received += row.received;
  EXPECT_EQ(received, 1000u);
}

}  // namespace
}  // namespace watchpost::investigate
