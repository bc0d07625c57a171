#include "ingest/inbox.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

Arrival of(size_t events) {
  Arrival arrival;
  for (size_t i = 0; i < events; ++i) arrival.events.add();
  return arrival;
}

TEST(Inbox, OneThatIsLargerThanAllTheRoomIsLetInAlone) {
  Inbox inbox(10);
  EXPECT_TRUE(inbox.put(of(100), {}));
  const auto taken = inbox.take(1min, 1000);
  ASSERT_EQ(taken.arrivals.size(), 1U);
  EXPECT_EQ(inbox.events(), 0U);
}

TEST(Inbox, ASenderWaitsForRoomAndErrandsDoNot) {
  Inbox inbox(10);
  ASSERT_TRUE(inbox.put(of(8), {}));
  auto waiting = std::async(std::launch::async, [&] { return inbox.put(of(8), {}); });
  EXPECT_TRUE(inbox.put([] {}));
  EXPECT_EQ(inbox.take_errands(1min).errands.size(), 1U);
  EXPECT_EQ(inbox.events(), 9U);
  EXPECT_EQ(inbox.take(1min, 1).arrivals.size(), 1U);
  EXPECT_TRUE(waiting.get());
  EXPECT_EQ(inbox.take(1min, 1).arrivals.size(), 1U);
}

TEST(Inbox, MailThatIsKeptTakesRoom) {
  Inbox inbox(1000);
  Arrival arrival = of(2);
  arrival.kept_mail.push_back({.bytes = std::string(40'960, 'x')});
  arrival.kept_mail.push_back({.bytes = std::string(8192, 'x')});
  ASSERT_TRUE(inbox.put(std::move(arrival), {}));
  EXPECT_EQ(inbox.events(), 2U + 1 + 10 + 2);
  inbox.take(1min, 1);
  EXPECT_EQ(inbox.events(), 0U);
}

TEST(Inbox, VerdictsTakeRoomByTheirBytes) {
  Inbox inbox(1000);
  Arrival arrival = of(2);
  arrival.verdicts.push_back({{}, std::string(10'240, 'x')});
  arrival.verdicts.push_back({{}, "{}"});
  ASSERT_TRUE(inbox.put(std::move(arrival), {}));
  EXPECT_EQ(inbox.events(), 2U + 1 + 11 + 1);
  inbox.take(1min, 1);
  EXPECT_EQ(inbox.events(), 0U);
}

TEST(Inbox, AnOfferNeverWaits) {
  Inbox inbox(10);
  EXPECT_TRUE(inbox.offer(of(100)));  // alone
  EXPECT_FALSE(inbox.offer(of(0)));
  inbox.take(1min, 1000);
  EXPECT_TRUE(inbox.offer(of(4)));
  EXPECT_TRUE(inbox.offer(of(4)));
  EXPECT_FALSE(inbox.offer(of(0)));
  EXPECT_EQ(inbox.take(1min, 1000).arrivals.size(), 2U);
  inbox.close();
  EXPECT_FALSE(inbox.offer(of(0)));
}

TEST(Inbox, WhatIsOfferedIsGatheredUntilSomebodyWaits) {
  Inbox inbox(1000, 1h);
  ASSERT_TRUE(inbox.offer(of(1)));
  EXPECT_EQ(inbox.take(1min, 1000).arrivals.size(), 1U);  // the first does not wait
  const auto gathered_with = [&](const auto& sends) {
    EXPECT_TRUE(inbox.offer(of(1)));
    auto taking = std::async(std::launch::async, [&] { return inbox.take(1min, 1000); });
    EXPECT_TRUE(inbox.offer(of(1)));
    sends();
    return taking.get().arrivals.size();
  };
  EXPECT_EQ(gathered_with([&] { inbox.put(of(1), {}); }), 3U);
  EXPECT_EQ(gathered_with([&] { inbox.put([] {}); }), 2U);
  EXPECT_EQ(gathered_with([&] {
              Arrival awaited = of(1);
              awaited.settled = [](const Result<Done>&) {};
              inbox.offer(std::move(awaited));
            }),
            3U);
  EXPECT_EQ(gathered_with([&] { inbox.offer(of(500)); }), 3U);
  EXPECT_EQ(gathered_with([&] { inbox.close(); }), 2U);
}

// As when the daemon is told to stop while the disk is full.
TEST(Inbox, AStopEndsTheWait) {
  Inbox inbox(10);
  ASSERT_TRUE(inbox.put(of(8), {}));
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] { return inbox.put(of(8), stop.get_token()); });
  stop.request_stop();
  EXPECT_FALSE(waiting.get());
  // With room it is taken all the same.
  EXPECT_TRUE(inbox.put(of(0), stop.get_token()));
}

TEST(Inbox, ClosingEndsTheWaitAndGivesOutWhatIsInside) {
  Inbox inbox(10);
  ASSERT_TRUE(inbox.put(of(8), {}));
  auto waiting = std::async(std::launch::async, [&] { return inbox.put(of(8), {}); });
  inbox.close();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(inbox.put([] {}));
  const auto taken = inbox.take(1min, 1000);
  EXPECT_EQ(taken.arrivals.size(), 1U);
  EXPECT_TRUE(taken.closed);
}

}  // namespace
}  // namespace watchpost::ingest
