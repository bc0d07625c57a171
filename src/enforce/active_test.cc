#include "enforce/active.h"

#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

const Time kNow = parse_time("2026-11-24T02:00:00Z").value();

Decision decision(uint64_t number, std::string_view scope, std::string_view measure) {
  Decision made;
  made.id = DecisionId{number};
  made.scope = parse_stream(scope).value();
  made.measure = parse_measure(measure).value();
  made.from = kNow;
  made.until = kNow + made.measure.span;
  return made;
}

uint64_t strictest(const ActiveDecisions& active, const Event& event, Time now = kNow) {
  const Decision* const found = active.strictest(event, now);
  return found != nullptr ? found->id.number : 0;
}

TEST(ActiveDecisions, StrictestWinsThenLongest) {
  const ActiveDecisions active({decision(1, "credential=alice", "hold 5h"),
                                decision(2, "customer=acme", "suspend 1h"),
                                decision(3, "customer=acme credential=alice", "suspend 2h"),
                                decision(4, "client_ip=192.0.2.1", "throttle 10/1h for 9h"),
                                decision(5, "client_ip=192.0.2.1", "throttle 1/1h for 1h")});
  Event event;
  EXPECT_EQ(strictest(active, event), 0u);
  event[Field::credential] = "alice";
  EXPECT_EQ(strictest(active, event), 1u);
  event[Field::customer] = "acme";
  EXPECT_EQ(strictest(active, event), 3u);
  EXPECT_EQ(strictest(active, event, kNow + std::chrono::hours(2)), 1u);
  EXPECT_EQ(strictest(active, event, kNow + std::chrono::hours(5)), 0u);
  event[Field::credential] = "bob";
  EXPECT_EQ(strictest(active, event), 2u);
  Event other;
  other[Field::client_ip] = "192.0.2.1";
  EXPECT_EQ(strictest(active, other), 5u);
}

TEST(ActiveDecisions, AShareAndARateAreBothFound) {
  const ActiveDecisions active({decision(1, "customer=acme", "throttle 100/1h for 9h"),
                                decision(2, "credential=alice", "throttle 10% for 1h"),
                                decision(3, "credential=alice", "throttle 1% for 1h"),
                                decision(4, "credential=bob", "hold 1h"),
                                decision(5, "customer=acme", "throttle 10/1h for 1h")});
  Event event;
  event[Field::credential] = "alice";
  EXPECT_EQ(strictest(active, event), 3u);
  EXPECT_EQ(active.strictest_rate(event, kNow), nullptr);
  event[Field::customer] = "acme";
  EXPECT_EQ(strictest(active, event), 3u);
  ASSERT_NE(active.strictest_rate(event, kNow), nullptr);
  EXPECT_EQ(active.strictest_rate(event, kNow)->id.number, 5u);
  event[Field::credential] = "bob";
  EXPECT_EQ(strictest(active, event), 4u);
}

TEST(ActiveDecisions, AHoldIsFoundUnderAStricterMeasureToo) {
  const ActiveDecisions active(
      {decision(1, "credential=alice", "hold 1h"), decision(2, "customer=acme", "hold 9h"),
       decision(3, "credential=alice", "suspend 1h"), decision(4, "credential=bob", "suspend 1h")});
  Event event;
  event[Field::credential] = "alice";
  EXPECT_EQ(strictest(active, event), 3u);
  ASSERT_NE(active.longest_hold(event, kNow), nullptr);
  EXPECT_EQ(active.longest_hold(event, kNow)->id.number, 1u);
  event[Field::customer] = "acme";
  EXPECT_EQ(active.longest_hold(event, kNow)->id.number, 2u);
  EXPECT_EQ(active.longest_hold(event, kNow + std::chrono::hours(2))->id.number, 2u);
  EXPECT_EQ(active.longest_hold(event, kNow + std::chrono::hours(10)), nullptr);
  Event other;
  other[Field::credential] = "bob";
  EXPECT_EQ(active.longest_hold(other, kNow), nullptr);
}

TEST(ActiveDecisions, WhatIsNotInForceOrHasNoScopeNeverHolds) {
  Decision proposed = decision(1, "credential=alice", "suspend 1h");
  proposed.state = DecisionState::proposed;
  Decision everything = decision(2, "credential=alice", "suspend 1h");
  everything.scope = {};
  Decision notice = decision(3, "credential=alice", "suspend 1h");
  notice.measure.kind = MeasureKind::notify;
  const ActiveDecisions active({proposed, everything, notice});
  Event event;
  event[Field::credential] = "alice";
  EXPECT_EQ(strictest(active, event), 0u);
}

// Against the plainest way to say it.
TEST(ActiveDecisions, AgreesWithLookingAtAll) {
  std::mt19937 random(7);
  const auto pick = [&](int most) { return std::uniform_int_distribution<>(0, most)(random); };
  constexpr std::array kMeasures{"throttle 5/1h for 1h", "hold 1h", "suspend 1h", "block 1h"};
  constexpr std::array kFields{Field::credential, Field::customer, Field::provider};
  for (int round = 0; round < 300; ++round) {
    std::vector<Decision> all;
    for (int i = 0; i < 12; ++i) {
      std::string scope;
      for (const Field field : kFields) {
        if (pick(1) == 0) scope += fmt::format("{}={} ", name_of(field), pick(2));
      }
      if (scope.empty()) continue;
      all.push_back(
          decision(static_cast<uint64_t>(i + 1), scope, kMeasures[static_cast<size_t>(pick(3))]));
      all.back().until += std::chrono::minutes(pick(90) - 60);
    }
    const std::array<std::string, 3> values{"0", "1", "2"};
    Event event;
    for (const Field field : kFields) event[field] = values[static_cast<size_t>(pick(2))];
    const Time now = kNow + std::chrono::minutes(30);
    const Decision* naive = nullptr;
    for (const Decision& one : all) {
      if (!one.in_force(now) || !one.scope.holds(event)) continue;
      if (naive == nullptr || one.measure.kind > naive->measure.kind ||
          (one.measure.kind == naive->measure.kind && one.until > naive->until)) {
        naive = &one;
      }
    }
    const ActiveDecisions active(all);
    const Decision* const found = active.strictest(event, now);
    ASSERT_EQ(found == nullptr, naive == nullptr);
    if (naive == nullptr) continue;
    EXPECT_EQ(found->measure.kind, naive->measure.kind);
    EXPECT_EQ(found->until, naive->until);
  }
}

}  // namespace
}  // namespace watchpost::enforce
