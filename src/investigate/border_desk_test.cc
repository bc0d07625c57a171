#include "investigate/border_desk.h"

#include "ingest/test_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using relate::Deed;
using relate::Party;
using relate::Reputation;

constexpr Time kNow{std::chrono::seconds(1'795'000'000)};

TEST(PartyName, IsAsTheReputationHasIt) {
  EXPECT_EQ(party_name(Party::ip, "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(party_name(Party::ip, "2001:DB8:0::1"), "2001:db8::1");
  EXPECT_EQ(party_name(Party::ip, "::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(party_name(Party::network, "192.0.2.7"), "192.0.2.0/24");
  EXPECT_EQ(party_name(Party::network, "192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(party_name(Party::network, "2001:db8:1:2::3"), "2001:db8:1::/48");
  EXPECT_EQ(party_name(Party::domain, "Shop.Example."), "shop.example");
  EXPECT_EQ(party_name(Party::signer, "shop.example"), "shop.example");
}

TEST(PartyName, NamesThatCannotBeAreBadInput) {
  for (const auto& [party, text] : {std::pair<Party, std::string>{Party::ip, "shop.example"},
                                    {Party::ip, ""},
                                    {Party::network, "192.0.2.0/16"},
                                    {Party::network, "192.0.2/24"},
                                    {Party::domain, ""},
                                    {Party::signer, std::string(254, 'a')}}) {
    const auto name = party_name(party, text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, Code::bad_input);
    EXPECT_EQ(name.error().about, "name");
  }
}

TEST(BorderDesk, WithoutAReputationItSaysSo) {
  for (const Error& error : {reputation_of(nullptr, Party::ip, "192.0.2.1", kNow).error(),
                             worst_of(nullptr, 5, kNow).error()}) {
    EXPECT_EQ(error.code, Code::refused);
  }
}

TEST(BorderDesk, TheWorstAreThoseWithSomethingAgainstThem) {
  Reputation reputation({});
  reputation.note(Party::ip, "192.0.2.1", Deed::good, kNow);
  reputation.note(Party::ip, "192.0.2.2", Deed::bad, kNow);
  const auto worst = worst_of(&reputation, 10, kNow);
  ASSERT_TRUE(worst);
  ASSERT_EQ(worst->size(), 1U);
  EXPECT_EQ(worst->front().name, "192.0.2.2");
  const auto one = reputation_of(&reputation, Party::ip, "192.0.2.9", kNow);
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->standing.known());
}

TEST(BorderDesk, WhatIsForgottenIsInTheAuditLog) {
  const ingest::test::Folder folder;
  ingest::test::Running running(ingest::test::options_in(folder / "data"));
  Reputation reputation({});
  reputation.note(Party::domain, "shop.example", Deed::bad, running.clock.now());
  const auto unknown =
      forget_party(&reputation, *running.pipeline, Party::domain, "x.example", "ops", "w");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::not_found);
  const auto done =
      forget_party(&reputation, *running.pipeline, Party::domain, "SHOP.example", "ops", "ours");
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(reputation.size(), 0U);
  const auto audit = store::Reader::open({.path = folder / "data"}).value()->audit(10).value();
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].who, "ops");
  EXPECT_EQ(audit[0].what, "reputation forgotten");
  EXPECT_EQ(audit[0].about, "domain shop.example");
  EXPECT_THAT(audit[0].detail, testing::HasSubstr("1 messages, badness 0.21: ours"));
}

TEST(BorderDesk, VerdictsAreFoundByWhatIsAsked) {
  const ingest::test::Folder folder;
  ingest::test::Running running(ingest::test::options_in(folder / "data"));
  for (uint64_t n = 1; n <= 3; ++n) {
    ingest::Arrival arrival;
    Event& event = arrival.events.add();
    event.id = {7, n};
    event.at = ingest::test::kNoon + std::chrono::seconds(n);
    event.kind = EventKind::judged;
    event[Field::queue_id] = "4F2A";
    event[Field::sender] = n == 2 ? "b@x.example" : "a@x.example";
    arrival.verdicts.push_back({event.id, std::to_string(n)});
    ASSERT_TRUE(running.pipeline->offer(std::move(arrival)));
  }
  running.put(ingest::test::bounces("bob", 1, 0));
  const auto reader = store::Reader::open({.path = folder / "data"}).value();
  const auto found = [&](const VerdictSearch& search) {
    const auto verdicts = find_verdicts(*reader, search).value();
    std::string all;
    for (const auto& one : verdicts) all += one.kept.json;
    return all;
  };
  EXPECT_EQ(found({}), "321");
  EXPECT_EQ(found({.queue_id = "4F2A", .sender = "a@x.example"}), "31");
  EXPECT_EQ(found({.queue_id = "4F2A", .limit = 1}), "3");
  EXPECT_EQ(found({.queue_id = "4F2B"}), "");
}

}  // namespace
}  // namespace watchpost::investigate
