#include "suppress/list.h"

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::suppress {
namespace {

const Time kNoon = *parse_time("2026-11-24T12:00:00Z");

Suppression suppression(std::string recipient, std::string customer = {}) {
  return {.recipient = std::move(recipient), .customer = std::move(customer), .since = kNoon};
}

TEST(List, TellsCustomersApart) {
  List list(1);
  list.put(suppression("a@x.example", "acme"));
  EXPECT_TRUE(list.holding("acme", "a@x.example", kNoon));
  EXPECT_FALSE(list.holding("other", "a@x.example", kNoon));
  EXPECT_FALSE(list.holding("", "a@x.example", kNoon));
  EXPECT_FALSE(list.holding("acme", "b@x.example", kNoon));
  list.put(suppression("b@x.example"));
  for (const char* const customer : {"acme", "other", ""}) {
    EXPECT_TRUE(list.holding(customer, "b@x.example", kNoon)) << customer;
  }
}

TEST(List, KnowsAnAddressHoweverItIsWritten) {
  List list(1);
  list.put(suppression("a.person@x.example", "acme"));
  for (const char* const written :
       {"A.Person@X.Example", "<a.person@x.example>", "a.person@x.example."}) {
    EXPECT_TRUE(list.holding("acme", written, kNoon)) << written;
  }
  for (const char* const other : {"", "@", "x.example", "a.person@", "a person@x.example"}) {
    EXPECT_FALSE(list.holding("acme", other, kNoon)) << other;
  }
}

TEST(List, HoldsUntilItsEndAndNotOneMomentLess) {
  List list(1);
  Suppression one = suppression("a@x.example", "acme");
  one.until = kNoon + 1h;
  list.put(one);
  EXPECT_TRUE(list.holding("acme", "a@x.example", kNoon + 1h - Duration(1)));
  EXPECT_FALSE(list.holding("acme", "a@x.example", kNoon + 1h));
  one.until = kNoon + 1h + Duration(1);
  list.put(one);
  EXPECT_TRUE(list.holding("acme", "a@x.example", kNoon + 1h));
  EXPECT_FALSE(list.holding("acme", "a@x.example", kNoon + 1h + 1s));
}

TEST(List, WhatWasLiftedHoldsNoMore) {
  List list(1);
  Suppression one = suppression("a@x.example", "acme");
  one.reason = SuppressionReason::complaint;
  list.put(one);
  one.lifted = true;
  one.changed_at = kNoon + 90ms;
  one.change = 7;
  list.put(one);
  EXPECT_FALSE(list.holding("acme", "a@x.example", kNoon));
  const auto entry = list.of("acme", "a@x.example", SuppressionReason::complaint);
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->lifted);
  EXPECT_EQ(entry->lifted_at, kNoon);
  EXPECT_EQ(entry->reason, SuppressionReason::complaint);
  EXPECT_EQ(list.size(), 1U);
  EXPECT_EQ(list.last_change(), 7U);
}

TEST(List, HoldsWhileAnyReasonDoes) {
  List list(1);
  Suppression bounce = suppression("a@x.example", "acme");
  bounce.reason = SuppressionReason::hard_bounce;
  Suppression unsubscribe = bounce;
  unsubscribe.reason = SuppressionReason::unsubscribe;
  list.put(bounce);
  list.put(unsubscribe);
  EXPECT_EQ(list.size(), 2U);
  for (Suppression* const one : {&bounce, &unsubscribe}) {
    EXPECT_TRUE(list.holding("acme", "a@x.example", kNoon));
    one->lifted = true;
    list.put(*one);
  }
  EXPECT_FALSE(list.holding("acme", "a@x.example", kNoon));
}

TEST(List, TimesFarAwayAreTakenAsFarAsTheyGo) {
  List list(1);
  Suppression one = suppression("a@x.example");
  one.until = *parse_time("9999-01-01T00:00:00Z");
  list.put(one);
  EXPECT_TRUE(list.holding("", "a@x.example", *parse_time("2106-01-01T00:00:00Z")));
  one.until = *parse_time("1900-01-01T00:00:00Z");
  list.put(one);
  EXPECT_FALSE(list.holding("", "a@x.example", kNoon));
}

TEST(List, LongNamesAreNoOthers) {
  List list(1);
  const std::string customer(2000, 'c');
  list.put(suppression("a@x.example", customer));
  EXPECT_TRUE(list.holding(customer, "a@x.example", kNoon));
  EXPECT_FALSE(list.holding(customer + "c", "a@x.example", kNoon));
}

// Beside a map that cannot be wrong.
TEST(List, IsAsAMapWouldBe) {
  std::mt19937_64 random(7);
  List list(random());
  std::map<SuppressionKey, Suppression> naive;
  for (int i = 0; i < 20'000; ++i) {
    Suppression one = suppression(fmt::format("u{}@x.example", random() % 5000),
                                  fmt::format("c{}", random() % 3));
    one.lifted = random() % 4 == 0;
    if (random() % 2 == 0) one.until = kNoon + std::chrono::seconds(random() % 200);
    one.reason = static_cast<SuppressionReason>(random() % 5);
    one.changed_at = kNoon;
    one.by_person = random() % 2 == 0;
    list.put(one);
    naive[one.key()] = one;
  }
  EXPECT_EQ(list.size(), naive.size());
  const Time now = kNoon + 100s;
  std::map<std::pair<std::string, std::string>, size_t> there, held;
  for (const auto& [key, one] : naive) {
    const auto entry = list.of(key.customer, key.recipient, key.reason);
    ASSERT_TRUE(entry) << key.recipient;
    EXPECT_EQ(entry->reason, one.reason);
    EXPECT_EQ(entry->by_person, one.by_person);
    EXPECT_EQ(entry->holds(now), one.holds(now));
    ++there[{key.customer, key.recipient}];
    held[{key.customer, key.recipient}] += one.holds(now) ? 1 : 0;
  }
  for (const auto& [key, count] : there) {
    EXPECT_EQ(list.all_of(key.first, key.second).size(), count) << key.second;
    EXPECT_EQ(list.holding(key.first, key.second, now).has_value(), held[key] > 0) << key.second;
  }
  for (int i = 5000; i < 10'000; ++i) {
    EXPECT_TRUE(list.all_of("c1", fmt::format("u{}@x.example", i)).empty());
  }
}

TEST(List, MayBeAskedWhileItGrows) {
  List list(1);
  list.put(suppression("first@x.example", "acme"));
  std::atomic<bool> done{false};
  std::thread asks([&] {
    while (!done) EXPECT_TRUE(list.holding("acme", "first@x.example", kNoon));
  });
  for (int i = 0; i < 50'000; ++i) list.put(suppression(fmt::format("u{}@x.example", i), "acme"));
  done = true;
  asks.join();
  EXPECT_EQ(list.size(), 50'001U);
  // 16 bytes at 57 % to 80 % of the places.
  EXPECT_LT(list.bytes(), 50'001U * 32);
}

}  // namespace
}  // namespace watchpost::suppress
