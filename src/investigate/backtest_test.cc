#include "investigate/backtest.h"

#include "detect/test_events.h"
#include "expr/event_schema.h"
#include "investigate/recorded.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using detect::kTestStart;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

detect::Detector bounces_at_least(int count, std::string name = "bounces",
                                  std::vector<std::string> then = {"suspend 1h"}) {
  return detect::detector_of({.name = std::move(name),
                              .watch = {"credential"},
                              .window = 1h,
                              .when = fmt::format("bounced >= {}", count),
                              .mode = "shadow",
                              .then = std::move(then)});
}

RuleSet rules(std::string name, std::vector<detect::Detector> detectors) {
  return {.name = std::move(name),
          .detectors = std::move(detectors),
          .limits = {},
          .decide = {},
          .as_enforce = true};
}

// A message each minute, from `first` on: accepted, and a second later bounced or delivered.
void send(Backtest& backtest, const std::string& login, int first, int count,
          const std::string& result = "bounced") {
  for (int minute = first; minute < first + count; ++minute) {
    const std::string accepted = "accepted credential=" + login;
    const std::string after = result + " credential=" + login;
    backtest.on(detect::event_at(std::chrono::minutes(minute), accepted));
    backtest.on(detect::event_at(std::chrono::minutes(minute) + 1s, after));
  }
}

Verdicts judged(const std::string& stream, Verdict verdict) {
  return Verdicts({{.stream = parse_stream(stream).value(),
                    .from = kTestStart,
                    .until = kTestStart + 24h,
                    .verdict = verdict,
                    .incident = {4}}},
                  1h, false);
}

std::vector<std::string> texts(const std::vector<expr::CountTerm>& terms) {
  std::vector<std::string> all;
  for (const expr::CountTerm& term : terms) all.push_back(term.text);
  return all;
}

TEST(BadCounts, StandLeftOfTheFirstDivisionOrComparison) {
  const auto bad = [](std::string when) {
    const auto condition = expr::CountCondition::parse(when, expr::event_schema());
    EXPECT_TRUE(condition) << when;
    return condition ? texts(bad_counts(*condition)) : std::vector<std::string>{};
  };
  EXPECT_THAT(bad("bounced / attempted exceeds 2%"), ElementsAre("bounced"));
  EXPECT_THAT(bad("accepted > 500"), ElementsAre("accepted"));
  EXPECT_THAT(bad("(bounced(class == unknown_user) + complained) / delivered > 1%"),
              ElementsAre("bounced(class == unknown_user)", "complained"));
  EXPECT_THAT(bad("bounced(size > 5 and class != mailbox_full) >= 3"),
              ElementsAre("bounced(size > 5 and class != mailbox_full)"));
  EXPECT_THAT(bad("100 < complained and bounced > 2"), ElementsAre("complained"));
}

TEST(Backtest, TimeAndMailToDetection) {
  Backtest backtest({rules("draft", {bounces_at_least(3)})}, {});
  send(backtest, "alice", 0, 5, "delivered");
  send(backtest, "alice", 5, 3);
  const BacktestReport report = backtest.report();
  EXPECT_EQ(report.events, 16u);
  EXPECT_FALSE(report.difference);
  ASSERT_EQ(report.sets.size(), 1u);
  ASSERT_EQ(report.sets[0].hits.size(), 1u);
  const Hit& hit = report.sets[0].hits[0];
  EXPECT_EQ(hit.stream.text(), "credential=alice");
  EXPECT_EQ(hit.first_bad, kTestStart + 5min + 1s);
  EXPECT_EQ(hit.at, kTestStart + 7min + 1s);
  EXPECT_EQ(hit.took(), 2min);
  // Accepted after the first bounce: those of minutes 6 and 7.
  EXPECT_EQ(hit.messages, 2u);
  EXPECT_EQ(hit.measure, "suspend 1h");
  EXPECT_EQ(hit.decided_at, hit.at);
  const DetectorReport& detector = report.sets[0].detectors[0];
  EXPECT_EQ(detector.streams, 1u);
  EXPECT_EQ(detector.hits, 1u);
  EXPECT_EQ(detector.median_took, 2min);
  EXPECT_EQ(detector.worst_messages, 2u);
  EXPECT_EQ(detector.decisions, 1u);
}

TEST(Backtest, StopsMailUntilTheMeasureEnds) {
  Backtest backtest({rules("draft", {bounces_at_least(3)})},
                    judged("credential=alice", Verdict::bad_list));
  send(backtest, "alice", 0, 3);                 // found at 2 min and a second, for an hour
  send(backtest, "alice", 10, 20, "delivered");  // stopped
  send(backtest, "bob", 10, 20, "delivered");    // another's
  send(backtest, "alice", 600, 2, "delivered");  // over, and so is the return after it
  const BacktestReport report = backtest.report();
  ASSERT_EQ(report.sets[0].hits.size(), 1u);
  const Hit& hit = report.sets[0].hits[0];
  EXPECT_EQ(hit.stopped.rightly, 20u);
  EXPECT_EQ(hit.stopped.wrongly, 0u);
  EXPECT_EQ(hit.stopped.unknown, 0u);
  EXPECT_EQ(hit.verdict, Verdict::bad_list);
  EXPECT_EQ(hit.fairness, Fairness::rightly);
  EXPECT_EQ(hit.incident, IncidentId{4});
  EXPECT_EQ(report.sets[0].stopped.rightly, 20u);
  EXPECT_EQ(report.sets[0].detectors[0].rightly, 1u);
}

TEST(Backtest, VerdictsSayWhatWasWrong) {
  for (const Verdict verdict :
       {Verdict::false_positive, Verdict::receiver_fault, Verdict::monitoring_fault}) {
    Backtest backtest({rules("draft", {bounces_at_least(3)})}, judged("credential=alice", verdict));
    send(backtest, "alice", 0, 13);
    EXPECT_EQ(backtest.report().sets[0].stopped.wrongly, 10u);
  }
  Backtest backtest({rules("draft", {bounces_at_least(3)})},
                    judged("credential=bob", Verdict::content));
  send(backtest, "alice", 0, 13);
  EXPECT_EQ(backtest.report().sets[0].stopped.unknown, 10u);
}

TEST(Backtest, WhatIsNotInACompleteTruthWasGood) {
  auto truth = truth_from(R"({"bad": [{"stream": "credential=eve", "from": "2026-11-24T10:00:00Z",
                             "until": "2026-11-24T12:00:00Z"}]})");
  ASSERT_TRUE(truth) << truth.error().text();
  Backtest backtest({rules("draft", {bounces_at_least(3)})},
                    Verdicts(std::move(*truth), Duration{0}, true));
  send(backtest, "eve", 0, 13);
  send(backtest, "alice", 20, 8);
  const Stopped stopped = backtest.report().sets[0].stopped;
  EXPECT_EQ(stopped.rightly, 10u);
  EXPECT_EQ(stopped.wrongly, 5u);
  EXPECT_EQ(stopped.unknown, 0u);
}

TEST(Backtest, TriesCountWhereNoMessageIsToldOf) {
  Backtest backtest({rules("draft", {bounces_at_least(3)})}, {});
  for (int minute = 0; minute < 10; ++minute) {
    backtest.on(detect::event_at(std::chrono::minutes(minute), "bounced credential=alice"));
  }
  const BacktestReport report = backtest.report();
  EXPECT_EQ(report.sets[0].hits[0].messages, 3u);
  EXPECT_EQ(report.sets[0].stopped.unknown, 7u);
}

TEST(Backtest, ResultsOfMailSentBeforeAreNotStopped) {
  Backtest backtest({rules("draft", {bounces_at_least(3)})}, {});
  for (int minute = 0; minute < 6; ++minute) {
    Event event = detect::event_at(std::chrono::minutes(minute), "bounced credential=alice");
    event.delay = 3600;
    backtest.on(event);
  }
  const BacktestReport report = backtest.report();
  EXPECT_EQ(report.sets[0].decisions, 1u);
  EXPECT_EQ(report.sets[0].stopped.all(), 0u);
}

TEST(Backtest, AThrottleLetsThroughWhatItAllows) {
  Backtest backtest({rules("draft", {bounces_at_least(3, "bounces", {"throttle 6/1h for 2h"})})},
                    {});
  for (int minute = 0; minute < 3; ++minute) {
    backtest.on(detect::event_at(std::chrono::minutes(minute), "bounced credential=alice"));
  }
  // A full bucket of six, and one more after ten minutes.
  for (int second = 0; second < 12; ++second) {
    backtest.on(detect::event_at(3min + std::chrono::seconds(second), "accepted credential=alice"));
  }
  backtest.on(detect::event_at(20min, "accepted credential=alice"));
  EXPECT_EQ(backtest.report().sets[0].stopped.unknown, 6u);
}

TEST(Backtest, TheCapHoldsInATrialAsWell) {
  RuleSet set = rules("draft", {bounces_at_least(3)});
  set.decide.most_decisions = 1;
  Backtest backtest({set}, {});
  send(backtest, "alice", 0, 5);
  send(backtest, "bob", 5, 5);
  const BacktestReport report = backtest.report();
  EXPECT_EQ(report.sets[0].decisions, 1u);
  EXPECT_EQ(report.sets[0].proposals, 1u);
  EXPECT_EQ(report.sets[0].hits[1].decisions, 0u);
  EXPECT_EQ(report.sets[0].hits[1].stopped.all(), 0u);
}

TEST(Backtest, AsWrittenShadowStopsNothing) {
  RuleSet set = rules("live", {bounces_at_least(3)});
  set.as_enforce = false;
  Backtest backtest({set}, {});
  send(backtest, "alice", 0, 13);
  const BacktestReport report = backtest.report();
  EXPECT_EQ(report.sets[0].hits_total, 1u);
  EXPECT_EQ(report.sets[0].detectors[0].mode, Mode::shadow);
  EXPECT_EQ(report.sets[0].decisions, 0u);
  EXPECT_EQ(report.sets[0].stopped.all(), 0u);
}

TEST(Backtest, DifferenceOfTwoRuleSets) {
  Backtest backtest(
      {rules("draft", {bounces_at_least(3)}), rules("live", {bounces_at_least(6, "many")})}, {});
  send(backtest, "alice", 0, 10);  // both, the draft sooner by three minutes
  send(backtest, "bob", 20, 4);    // the draft alone
  const BacktestReport report = backtest.report();
  ASSERT_TRUE(report.difference);
  EXPECT_EQ(report.difference->only_first, 1u);
  EXPECT_EQ(report.difference->only_second, 0u);
  EXPECT_EQ(report.difference->both, 1u);
  EXPECT_EQ(report.difference->sooner, 1u);
  EXPECT_EQ(report.difference->later, 0u);
  ASSERT_EQ(report.difference->found.size(), 2u);
  const Found& alice = report.difference->found[0];
  EXPECT_EQ(alice.subject.text(), "credential=alice");
  EXPECT_EQ(alice.first[1]->at - alice.first[0]->at, 3min);
  EXPECT_EQ(alice.messages, 3u);
  EXPECT_EQ(report.sets[0].detectors[0].alone, 1u);
  EXPECT_EQ(report.sets[1].detectors[0].alone, 0u);
}

TEST(Backtest, MailStoppedTwiceCountsOnce) {
  Backtest backtest({rules("draft", {bounces_at_least(3), bounces_at_least(3, "again")})}, {});
  send(backtest, "alice", 0, 13);
  const BacktestReport report = backtest.report();
  // The second finds a measure as strict and as long in force.
  EXPECT_EQ(report.sets[0].decisions, 1u);
  EXPECT_EQ(report.sets[0].detectors[0].stopped.unknown, 10u);
  EXPECT_EQ(report.sets[0].detectors[1].stopped.all(), 0u);
  EXPECT_EQ(report.sets[0].stopped.unknown, 10u);
}

TEST(Backtest, NothingComesOfNothing) {
  Backtest backtest({rules("draft", {bounces_at_least(3)}), rules("live", {})}, {});
  const BacktestReport report = backtest.report();
  EXPECT_FALSE(report.first_at);
  EXPECT_THAT(report.sets[0].hits, IsEmpty());
  EXPECT_EQ(report.difference->both, 0u);
}

TEST(Recorded, ShadowBesideWhatWasInForce) {
  const Stream alice = parse_stream("credential=alice").value();
  const Stream bob = parse_stream("credential=bob").value();
  const Measure suspend = parse_measure("suspend 1h").value();
  const ShadowDecision shadow{kTestStart + 5min, "early", alice, suspend, "because"};
  const Decision live{.id = {1},
                      .incident = {4},
                      .state = DecisionState::expired,
                      .scope = alice,
                      .measure = suspend,
                      .from = kTestStart + 10min,
                      .until = kTestStart + 70min,
                      .detector = "late",
                      .ended_at = kTestStart + 70min};
  Decision by_hand = live;
  by_hand.detector.clear();
  by_hand.scope = bob;
  Recorded recorded({shadow}, {live, by_hand}, judged("credential=alice", Verdict::compromised),
                    24h);
  for (int minute = 0; minute < 100; ++minute) {
    const bool refused = minute > 10 && minute < 70;
    recorded.on(detect::event_at(
        std::chrono::minutes(minute),
        refused ? "rejected self_inflicted credential=alice" : "accepted credential=alice"));
  }
  const BacktestReport report = recorded.report();
  ASSERT_EQ(report.sets.size(), 2u);
  ASSERT_EQ(report.sets[0].hits.size(), 1u);
  EXPECT_EQ(report.sets[0].hits[0].stopped.rightly, 6u);  // minutes 5 to 10
  ASSERT_EQ(report.sets[1].hits.size(), 1u);
  EXPECT_EQ(report.sets[1].hits[0].stopped.rightly, 59u);
  EXPECT_EQ(report.difference->both, 1u);
  EXPECT_EQ(report.difference->sooner, 1u);
  EXPECT_EQ(report.difference->found[0].messages, 5u);
}

TEST(Truth, HostileTextIsRefused) {
  for (
      const std::string_view json :
      {"", "[]", "{}", R"({"bad": 1})", R"({"bad": [1]})", R"({"bad": [{}]})",
       R"({"bad": [{"stream": "nonsense=1", "from": "2026-11-24T10:00:00Z", "until": "2026-11-24T10:00:00Z"}]})",
       R"({"bad": [{"stream": "credential=a", "from": "yesterday", "until": "2026-11-24T10:00:00Z"}]})",
       R"({"bad": [{"stream": "credential=a", "from": "2026-11-24T11:00:00Z", "until": "2026-11-24T10:00:00Z"}]})",
       R"({"bad": [{"stream": "credential=a", "from": "2026-11-24T10:00:00Z", "until": "2026-11-24T10:00:00Z", "verdict": "x"}]})"}) {
    EXPECT_FALSE(truth_from(json)) << json;
  }
  EXPECT_TRUE(truth_from(R"({"bad": []})"));
}

TEST(Truth, OfASimulation) {
  const auto truth = truth_from(R"({"seed": 1, "incidents": [
      {"kind": "stolen_login", "harmful": true, "start": "2026-11-24T10:00:00Z",
       "end": "2026-11-24T11:00:00Z", "verdict": "compromised", "customer": "c", "credential": "l"},
      {"kind": "bad_list", "harmful": true, "start": "2026-11-24T10:00:00Z",
       "end": "2026-11-24T11:00:00Z", "verdict": "bad_list", "customer": "c", "campaign": "x"},
      {"kind": "outage", "harmful": false, "start": "2026-11-24T10:00:00Z",
       "end": "2026-11-24T11:00:00Z", "verdict": "receiver_fault", "provider": "gmx"}]})");
  ASSERT_TRUE(truth) << truth.error().text();
  ASSERT_EQ(truth->size(), 2u);
  EXPECT_EQ((*truth)[0].stream.text(), "credential=l");
  EXPECT_EQ((*truth)[1].stream.text(), "customer=c campaign=x");
  EXPECT_EQ((*truth)[1].verdict, Verdict::bad_list);
  EXPECT_FALSE(truth_from(R"({"incidents": [{"harmful": true}]})"));
}

TEST(Verdicts, TheNearestIncidentSpeaks) {
  const Stream alice = parse_stream("credential=alice").value();
  const Verdicts verdicts({{alice, kTestStart, kTestStart + 1h, Verdict::false_positive, {1}},
                           {alice, kTestStart + 10h, kTestStart + 11h, Verdict::compromised, {2}}},
                          24h, false);
  EXPECT_EQ(verdicts.of(alice, kTestStart + 2h), Fairness::wrongly);
  EXPECT_EQ(verdicts.of(alice, kTestStart + 9h), Fairness::rightly);
  EXPECT_EQ(verdicts.of(alice, kTestStart + 48h), Fairness::unknown);
}

}  // namespace
}  // namespace watchpost::investigate
