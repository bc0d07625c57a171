#include "suppress/keeper.h"

#include "model/feedback_proof.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const Time kNoon = *parse_time("2026-11-24T12:00:00Z");

Rule rule(SuppressSettings settings) {
  if (settings.name.empty()) settings.name = "a rule";
  auto made = make_rule(settings);
  EXPECT_TRUE(made) << made.error().text();
  return std::move(*made);
}

SuppressSettings unknown_users() {
  return {.name = "no such mailbox", .when = "kind == bounced and class == unknown_user"};
}
SuppressSettings full_mailboxes() {
  return {.name = "mailbox full",
          .when = "class == mailbox_full",
          .after = 3,
          .within = std::chrono::days(30),
          .apart = std::chrono::days(1),
          .lasts = std::chrono::days(90)};
}
SuppressSettings complaints() {
  return {.name = "complaint", .when = "kind == complained", .reason = "complaint"};
}

class KeeperTest : public ::testing::Test {
 protected:
  Event event(EventKind kind, std::string_view recipient, std::string_view customer = "acme",
              std::string_view class_name = {}, Time at = kNoon) {
    Event made;
    made.id = {1, ++number_};
    made.at = at;
    made.kind = kind;
    made[Field::recipient] = recipient;
    made[Field::customer] = customer;
    made[Field::class_] = class_name;
    return made;
  }
  Event unknown(std::string_view recipient, std::string_view customer = "acme", Time at = kNoon) {
    return event(EventKind::bounced, recipient, customer, "unknown_user", at);
  }
  Event full(Time at, std::string_view customer = "acme") {
    return event(EventKind::bounced, "a@x.example", customer, "mailbox_full", at);
  }

  Keeper& keeper(std::vector<SuppressSettings> settings) {
    std::vector<Rule> rules;
    for (SuppressSettings& one : settings) rules.push_back(rule(std::move(one)));
    keeper_ = std::make_unique<Keeper>(std::move(rules), list_, 9);
    return *keeper_;
  }
  // What it changed, committed.
  std::vector<Suppression> on(const Event& event, const Around& around = {}) {
    std::vector<Suppression> changed;
    keeper_->on(event, event.at, around, changed);
    keeper_->committed(changed);
    return changed;
  }

  List list_{3};
  std::unique_ptr<Keeper> keeper_;
  uint64_t number_ = 0;
};

TEST_F(KeeperTest, SuppressesAtOnceForTheEventsCustomer) {
  keeper({unknown_users()});
  Event bounce = unknown("A@X.example");
  bounce[Field::reply] = "550 5.1.1 no such user";
  const auto made = on(bounce);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].recipient, "a@x.example");
  EXPECT_EQ(made[0].customer, "acme");
  EXPECT_EQ(made[0].reason, SuppressionReason::hard_bounce);
  EXPECT_EQ(made[0].origin, "rule `no such mailbox`");
  EXPECT_EQ(made[0].evidence, "bounced, unknown_user: 550 5.1.1 no such user");
  EXPECT_EQ(made[0].event, bounce.id);
  EXPECT_EQ(made[0].change, 1U);
  EXPECT_FALSE(made[0].until);
  EXPECT_TRUE(list_.holding("acme", "a@x.example", kNoon));
  EXPECT_FALSE(list_.holding("other", "a@x.example", kNoon));
  // Again: nothing is to be changed.
  EXPECT_TRUE(on(unknown("a@x.example")).empty());
  EXPECT_EQ(on(unknown("a@x.example", "other")).size(), 1U);
}

TEST_F(KeeperTest, OnlyWhatProvesItselfOfMailThatWentOut) {
  keeper({unknown_users(), complaints()});
  Event own = unknown("a@x.example");
  own.self_inflicted = true;
  EXPECT_TRUE(on(own).empty());
  Event inbound = unknown("a@x.example");
  inbound.direction = Direction::inbound;
  EXPECT_TRUE(on(inbound).empty());
  Event forged = event(EventKind::complained, "a@x.example");
  forged[Field::proof] = "none";
  EXPECT_TRUE(on(forged).empty());
  EXPECT_TRUE(on(unknown("not an address")).empty());
  EXPECT_TRUE(on(unknown("a@x.example", "")).empty());
  EXPECT_EQ(keeper_->take_made()["no such mailbox"].without_customer, 1U);
  forged[Field::proof] = kProvenByToken;
  EXPECT_EQ(on(forged).size(), 1U);
}

TEST_F(KeeperTest, ForEverybodyOnlyWhereTheRuleSaysSo) {
  auto settings = unknown_users();
  settings.scope = "all";
  keeper({settings});
  EXPECT_EQ(on(unknown("a@x.example", ""))[0].customer, "");
  EXPECT_TRUE(list_.holding("acme", "a@x.example", kNoon));
  EXPECT_EQ(on(unknown("b@x.example"))[0].customer, "");
  EXPECT_TRUE(list_.holding("other", "b@x.example", kNoon));
}

TEST_F(KeeperTest, ACustomersTokenSuppressesForThatCustomerOnly) {
  auto settings = complaints();
  settings.scope = "all";
  keeper({settings});
  Event complaint = event(EventKind::complained, "a@x.example");
  complaint[Field::proof] = kProvenByToken;
  complaint[Field::attribution] = kByCustomersToken;
  const auto made = on(complaint);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].customer, "acme");
  EXPECT_FALSE(list_.holding("other", "a@x.example", kNoon));
  complaint[Field::recipient] = "b@x.example";
  complaint[Field::customer] = "";
  EXPECT_TRUE(on(complaint).empty());
  EXPECT_EQ(keeper_->take_made()["complaint"].without_customer, 1U);
}

TEST_F(KeeperTest, SeveralTakeDaysAndADeliveryEndsTheCount) {
  keeper({full_mailboxes()});
  const auto day = [](int n) { return kNoon + std::chrono::days(n); };
  EXPECT_TRUE(on(full(day(0))).empty());
  EXPECT_TRUE(on(full(day(0) + 1h)).empty());  // no day later
  EXPECT_TRUE(on(full(day(1))).empty());
  EXPECT_TRUE(on(event(EventKind::delivered, "a@x.example", "acme", "", day(2))).empty());
  EXPECT_EQ(keeper_->counts().size(), 0U);
  EXPECT_TRUE(on(full(day(3))).empty());
  EXPECT_TRUE(on(full(day(4), "other")).empty());  // another customer's count
  EXPECT_TRUE(on(full(day(4))).empty());
  const auto made = on(full(day(5)));
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].until, day(5) + std::chrono::days(90));
  // Too far apart.
  EXPECT_TRUE(on(full(day(35), "other")).empty());
  EXPECT_TRUE(on(full(day(36), "other")).empty());
  EXPECT_EQ(on(full(day(37), "other")).size(), 1U);
}

TEST_F(KeeperTest, CountsSurviveARestart) {
  keeper({full_mailboxes()});
  on(full(kNoon));
  on(full(kNoon + 25h));
  const auto saved = keeper_->counts().take_changes();
  ASSERT_EQ(saved.size(), 1U);
  keeper({full_mailboxes()});
  keeper_->counts().restore({saved.begin(), saved.end()});
  EXPECT_EQ(on(full(kNoon + 50h)).size(), 1U);
  // What is no saved count is no count.
  Counts counts(9, 10);
  counts.restore({{"x", "1:2"}, {"", ""}, {std::string(32, '1'), "1:x 2 :3 4:"}});
  EXPECT_EQ(counts.size(), 0U);
}

SuppressSettings unsubscribes() {
  return {.name = "unsubscribe", .when = "kind == unsubscribed", .reason = "unsubscribe"};
}

TEST_F(KeeperTest, EachReasonStandsForItself) {
  keeper({unknown_users(), complaints(), unsubscribes()});
  on(unknown("a@x.example"));
  for (const EventKind kind : {EventKind::complained, EventKind::unsubscribed}) {
    EXPECT_EQ(on(event(kind, "a@x.example")).size(), 1U);
    EXPECT_TRUE(on(event(kind, "a@x.example")).empty());
  }
  EXPECT_TRUE(on(unknown("a@x.example")).empty());
  // Withdrawing the complaint leaves the others.
  EXPECT_EQ(on(event(EventKind::complaint_withdrawn, "a@x.example")).size(), 1U);
  EXPECT_TRUE(list_.holding("acme", "a@x.example", kNoon));
  EXPECT_EQ(list_.size(), 3U);
}

TEST_F(KeeperTest, SaysWhoseMailItWas) {
  keeper({unknown_users()});
  Event bounce = unknown("a@x.example");
  bounce[Field::credential] = "alice";
  bounce[Field::queue_id] = "4F2A";  // no dimension
  const auto made = on(bounce, {.incident = [](const Event&) { return 3; }, .bounces_mislead = {}});
  ASSERT_EQ(made.size(), 1U);
  const std::vector<Stream::Part> expected{
      {Field::recipient, "a@x.example"}, {Field::customer, "acme"}, {Field::credential, "alice"}};
  EXPECT_EQ(made[0].of, expected);
  EXPECT_EQ(made[0].incident, 3U);
  EXPECT_FALSE(made[0].by_person);
}

TEST_F(KeeperTest, APersonsWishIsJudgedBesideWhatIsThere) {
  keeper({unknown_users()});
  Suppression wish = on(unknown("a@x.example"))[0];
  // What an event made becomes a person's; the other reasons are free.
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::changes);
  const auto put = [&](Suppression one) {
    keeper_->number(one, kNoon);
    keeper_->committed(std::vector{one});
  };
  wish.by_person = true;
  put(wish);
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::held);
  Suppression imported = wish;
  imported.reason = SuppressionReason::imported;
  Suppression unsubscribed = wish;
  unsubscribed.reason = SuppressionReason::unsubscribe;
  EXPECT_EQ(keeper_->judge(imported, kNoon), Wish::changes);
  // A person lifts it: a list does not bring it back, but the recipient's own wish counts.
  wish.lifted = true;
  put(wish);
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::was_lifted);
  EXPECT_EQ(keeper_->judge(imported, kNoon), Wish::was_lifted);
  EXPECT_EQ(keeper_->judge(unsubscribed, kNoon), Wish::changes);
  wish.by_person = false;  // it was an undoing
  put(wish);
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::changes);
  wish.lifted = false;
  wish.by_person = true;
  wish.until = kNoon + 1h;
  put(wish);
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::held);
  wish.until = std::nullopt;
  EXPECT_EQ(keeper_->judge(wish, kNoon), Wish::changes);
}

TEST_F(KeeperTest, NotSpamLeavesAComplaintThatAPersonMade) {
  keeper({complaints()});
  Suppression imported{.recipient = "a@x.example",
                       .customer = "acme",
                       .reason = SuppressionReason::complaint,
                       .until = kNoon + 1h,
                       .by_person = true};
  keeper_->number(imported, kNoon);
  keeper_->committed(std::vector{imported});
  EXPECT_TRUE(on(event(EventKind::complaint_withdrawn, "a@x.example")).empty());
  // Also where an event made it hold longer.
  EXPECT_EQ(on(event(EventKind::complained, "a@x.example")).size(), 1U);
  EXPECT_TRUE(on(event(EventKind::complaint_withdrawn, "a@x.example")).empty());
  EXPECT_TRUE(list_.holding("acme", "a@x.example", kNoon));
}

TEST_F(KeeperTest, ADeliveryLeavesCountsOfComplaints) {
  auto twice = complaints();
  twice.after = 2;
  keeper({full_mailboxes(), twice});
  on(full(kNoon));
  on(event(EventKind::complained, "a@x.example"));
  on(event(EventKind::delivered, "a@x.example", "acme", "", kNoon + 24h));
  EXPECT_EQ(keeper_->counts().size(), 1U);
  EXPECT_EQ(on(event(EventKind::complained, "a@x.example", "acme", "", kNoon + 48h)).size(), 1U);
  EXPECT_TRUE(on(full(kNoon + 49h)).empty());
  EXPECT_TRUE(on(full(kNoon + 74h)).empty());
}

TEST_F(KeeperTest, ALongerTimeReplacesAShorterOneWhereItIsWorthIt) {
  auto settings = unknown_users();
  settings.lasts = std::chrono::days(100);
  keeper({settings});
  on(unknown("a@x.example"));
  EXPECT_TRUE(on(unknown("a@x.example", "acme", kNoon + std::chrono::days(5))).empty());
  EXPECT_EQ(on(unknown("a@x.example", "acme", kNoon + std::chrono::days(11))).size(), 1U);
  // It ended long ago.
  EXPECT_EQ(on(unknown("a@x.example", "acme", kNoon + std::chrono::days(300))).size(), 1U);
}

TEST_F(KeeperTest, WhatWasLiftedIsSuppressedByWhatHappensAfterwards) {
  keeper({unknown_users()});
  auto made = on(unknown("a@x.example"));
  made[0].lifted = true;
  keeper_->number(made[0], kNoon + 1h);
  keeper_->committed(made);
  EXPECT_TRUE(on(unknown("a@x.example", "acme", kNoon + 30min)).empty());
  EXPECT_EQ(on(unknown("a@x.example", "acme", kNoon + 2h)).size(), 1U);
}

TEST_F(KeeperTest, NotSpamTakesBackWhatAComplaintDid) {
  keeper({unknown_users(), complaints()});
  on(event(EventKind::complained, "a@x.example"));
  on(unknown("b@x.example"));
  const auto lifted = on(event(EventKind::complaint_withdrawn, "a@x.example"));
  ASSERT_EQ(lifted.size(), 1U);
  EXPECT_TRUE(lifted[0].lifted);
  EXPECT_FALSE(list_.holding("acme", "a@x.example", kNoon));
  EXPECT_TRUE(on(event(EventKind::complaint_withdrawn, "b@x.example")).empty());
}

TEST_F(KeeperTest, NotSpamTakesBackWhatAComplaintDidForAll) {
  auto settings = complaints();
  settings.scope = "all";
  keeper({settings});
  on(event(EventKind::complained, "a@x.example"));
  Event withdrawn = event(EventKind::complaint_withdrawn, "a@x.example");
  withdrawn[Field::proof] = kProvenByToken;
  withdrawn[Field::attribution] = kByCustomersToken;
  EXPECT_TRUE(on(withdrawn).empty());
  withdrawn[Field::attribution] = "token";
  const auto lifted = on(withdrawn);
  ASSERT_EQ(lifted.size(), 1U);
  EXPECT_EQ(lifted[0].customer, "");
  EXPECT_FALSE(list_.holding("acme", "a@x.example", kNoon));
}

TEST_F(KeeperTest, AShadowRuleOnlyCounts) {
  auto settings = unknown_users();
  settings.mode = "shadow";
  auto off = complaints();
  off.mode = "off";
  keeper({settings, off});
  EXPECT_TRUE(on(unknown("a@x.example")).empty());
  EXPECT_TRUE(on(event(EventKind::complained, "a@x.example")).empty());
  EXPECT_EQ(list_.size(), 0U);
  const auto made = keeper_->take_made();
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made.at("no such mailbox").would_have, 1U);
}

TEST_F(KeeperTest, WhatMisleadsNeitherSuppressesNorCounts) {
  keeper({unknown_users(), full_mailboxes(), complaints()});
  const Around outage{.incident = [](const Event&) { return 3; },
                      .bounces_mislead = [](const Event&) { return true; }};
  EXPECT_TRUE(on(unknown("a@x.example"), outage).empty());
  on(full(kNoon), outage);
  on(full(kNoon + 25h), outage);
  EXPECT_EQ(keeper_->counts().size(), 0U);
  EXPECT_TRUE(on(full(kNoon + 50h)).empty());
  EXPECT_EQ(on(event(EventKind::complained, "a@x.example"), outage).size(), 1U);
}

TEST_F(KeeperTest, WhatWasDroppedHasNotHappened) {
  keeper({unknown_users()});
  std::vector<Suppression> changed;
  keeper_->on(unknown("a@x.example"), kNoon, {}, changed);
  keeper_->on(unknown("a@x.example"), kNoon, {}, changed);
  EXPECT_EQ(changed.size(), 1U);
  keeper_->dropped();
  EXPECT_EQ(on(unknown("a@x.example")).size(), 1U);
}

TEST_F(KeeperTest, OfOneRecipientInOneStepEachReasonOnce) {
  keeper({unknown_users(), unsubscribes()});
  std::vector<Suppression> changed;
  const Event bounce = unknown("a@x.example");
  const Event unsubscribed = event(EventKind::unsubscribed, "a@x.example");
  for (const Event& one : {bounce, bounce, unsubscribed, bounce}) {
    keeper_->on(one, one.at, {}, changed);
  }
  EXPECT_EQ(changed.size(), 2U);
  EXPECT_FALSE(list_.holding("acme", "a@x.example", kNoon));  // not committed yet
  keeper_->committed(changed);
  EXPECT_TRUE(list_.of("acme", "a@x.example", SuppressionReason::hard_bounce));
  EXPECT_TRUE(list_.of("acme", "a@x.example", SuppressionReason::unsubscribe));
}

TEST(Rules, EachWrongSettingIsNamed) {
  struct Case {
    std::string_view about;
    SuppressSettings settings;
  };
  const SuppressSettings right = unknown_users();
  const auto with = [&](auto change) {
    SuppressSettings settings = right;
    change(settings);
    return settings;
  };
  const Case cases[] = {
      {"name", with([](auto& s) { s.name = " "; })},
      {"name", with([](auto& s) { s.name = "a\nb"; })},
      {"when", with([](auto& s) { s.when = ""; })},
      {"when, column 6", with([](auto& s) { s.when = "kind = bounced"; })},
      {"when, column 10", with([](auto& s) { s.when = "class == unknown_usr"; })},
      {"reason", with([](auto& s) { s.reason = "by_hand"; })},
      {"after", with([](auto& s) { s.after = 0; })},
      {"after", with([](auto& s) { s.after = 21; })},
      {"within", with([](auto& s) { s.within = Duration(0); })},
      {"within", with([](auto& s) { s.within = 1500ms; })},
      {"apart", with([](auto& s) {
         s.after = 3;
         s.apart = std::chrono::days(7);
       })},
      {"for", with([](auto& s) { s.lasts = -1s; })},
      {"scope", with([](auto& s) { s.scope = "everybody"; })},
      {"mode", with([](auto& s) { s.mode = "notify"; })},
  };
  EXPECT_TRUE(make_rule(right));
  for (const Case& one : cases) {
    const auto made = make_rule(one.settings);
    ASSERT_FALSE(made) << one.about;
    EXPECT_EQ(made.error().about, one.about) << made.error().text();
  }
}

}  // namespace
}  // namespace watchpost::suppress
