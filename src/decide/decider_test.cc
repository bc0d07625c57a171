#include "decide/decider.h"

#include "decide/scope.h"
#include "decide/step.h"
#include "decide/test_signals.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::decide {
namespace {

using testing::HasSubstr;
using testing::Not;

Decider restored(const Decider& from, const DecideSettings& settings) {
  Decider next(settings);
  std::vector<Incident> incidents;
  for (const auto& [id, incident] : from.incidents()) incidents.push_back(incident);
  std::vector<Decision> decisions;
  for (const auto& [id, decision] : from.decisions()) decisions.push_back(decision);
  EXPECT_TRUE(next.restore(std::move(incidents), std::move(decisions), 0, from.save()));
  return next;
}

TEST(Decider, NoticeSaysWhatToDo) {
  Decider decider({});
  const Outcome outcome = decider.on(signal_on("credential=alice", kStart), {}, 1, kStart);
  ASSERT_EQ(outcome.notices.size(), 1u);
  const Notice& notice = outcome.notices[0];
  EXPECT_EQ(notice.target, "desk");
  EXPECT_EQ(notice.number, 1u);
  EXPECT_EQ(notice.subject, "[watchpost] i-1 credential=alice: suspend 1h");
  EXPECT_THAT(notice.text, HasSubstr("Its mail is refused (suspend) for 1h (d-1). This ends by "
                                     "itself at 2026-11-24T03:00:00Z."));
  EXPECT_THAT(notice.text, HasSubstr("18/60 = 30% exceeds 2%"));
  EXPECT_THAT(notice.text, HasSubstr("watchpost incident show i-1\n"));
  EXPECT_THAT(notice.text, HasSubstr("watchpost incident false-positive i-1\n"));
}

TEST(Decider, HostileNamesStayOnOneLine) {
  Decider decider({});
  Signal signal = signal_on("credential=x", kStart);
  signal.stream.parts[0].value = "a\r\nBcc: victim@example.com\x1b[2J";
  signal.detector = "d\nd";
  const Outcome outcome = decider.on(signal, {}, 1, kStart);
  ASSERT_EQ(outcome.notices.size(), 1u);
  EXPECT_THAT(outcome.notices[0].subject, Not(HasSubstr("\n")));
  EXPECT_THAT(outcome.notices[0].text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(outcome.notices[0].text, Not(HasSubstr("\nBcc:")));
  for (const TimelineEntry& entry : outcome.incidents[0].timeline) {
    EXPECT_THAT(entry.what, Not(HasSubstr("\n")));
  }
}

// A detector that says the same again and again is a number, not a page.
TEST(Decider, RepeatsAreCountedInOneLine) {
  Decider decider(DecideSettings{});
  Time now = kStart;
  Outcome last;
  size_t entries = 0;
  for (int i = 0; i < 100; ++i) {
    now += std::chrono::minutes(7);
    Signal signal = signal_on("credential=alice", now);
    signal.mode = Mode::notify;
    last = decider.on(std::move(signal), {}, 1, now);
    ASSERT_EQ(last.incidents.size(), 1u);
    if (i == 3) entries = last.incidents[0].timeline.size();
  }
  const Incident& incident = last.incidents[0];
  EXPECT_EQ(incident.id, IncidentId{1});
  EXPECT_EQ(incident.evidence.size(), 4u) << "the first ones and the newest";
  EXPECT_EQ(incident.evidence.back().signal.at, now);
  EXPECT_EQ(incident.timeline.size(), entries);
  EXPECT_EQ(incident.timeline.back().what,
            "again, counted only: unknown users on credential=alice: 97");
  EXPECT_EQ(incident.timeline.back().at, now);
  // Another detector, and another stream, are news.
  Signal other = signal_on("credential=alice", now);
  other.detector = "blocks";
  last = decider.on(std::move(other), {}, 1, now);
  EXPECT_EQ(last.incidents[0].evidence.size(), 5u);
}

// What is usual is not learned from hours in which mail was kept back.
TEST(Decider, SaysFromWhenToWhenMailWasKeptBack) {
  Decider decider(DecideSettings{});
  decider.on(signal_on("credential=alice", kStart), {}, 100, kStart);
  const Outcome ended = decider.advance_to(kStart + std::chrono::hours(1));
  ASSERT_EQ(ended.kept_back.size(), 1u);
  EXPECT_EQ(ended.kept_back[0].stream.text(), "credential=alice");
  EXPECT_EQ(ended.kept_back[0].since, kStart);
  // A proposal kept nothing back.
  DecideSettings none;
  none.most_decisions = 0;
  Decider careful(none);
  careful.on(signal_on("credential=alice", kStart), {}, 100, kStart);
  const Outcome lapsed = careful.advance_to(kStart + std::chrono::hours(1));
  ASSERT_EQ(lapsed.decisions.size(), 1u);
  EXPECT_EQ(lapsed.kept_back.size(), 0u);
}

TEST(Decider, EvidenceIsCappedAndCounted) {
  DecideSettings settings;
  settings.most_decisions = 0;
  Decider decider(settings);
  Time now = kStart;
  Outcome last;
  for (int i = 0; i < 700; ++i) {
    now += std::chrono::seconds(1);
    Signal signal = signal_on("credential=alice", now);
    signal.detector = fmt::format("detector {}", i);
    last = decider.on(std::move(signal), std::vector<std::string>(99, "{}"), 1, now);
  }
  ASSERT_EQ(last.incidents.size(), 1u);
  const Incident& incident = last.incidents[0];
  EXPECT_EQ(incident.evidence.size(), kMostEvidence);
  EXPECT_EQ(incident.evidence[0].sample_events.size(), kMostSamples);
  EXPECT_LE(incident.timeline.size(), kMostTimeline + 2);
  const auto counted = std::ranges::find_if(incident.timeline, [](const TimelineEntry& e) {
    return e.what == "further signals, counted only: 650";
  });
  EXPECT_NE(counted, incident.timeline.end());
  // People can still write.
  EXPECT_TRUE(decider.note(incident.id, "ada", "looked", now));
}

TEST(Decider, OpenIncidentsAreBounded) {
  Decider decider({});
  Time now = kStart;
  size_t closed = 0;
  for (size_t i = 0; i < kMostOpenIncidents + 5; ++i) {
    now += std::chrono::milliseconds(1);
    Signal signal = signal_on(fmt::format("credential=u{}", i), now);
    signal.mode = Mode::notify;
    for (const Incident& incident : decider.on(std::move(signal), {}, 1, now).incidents) {
      closed += incident.state == IncidentState::closed ? 1 : 0;
    }
  }
  EXPECT_EQ(decider.incidents().size(), kMostOpenIncidents);
  EXPECT_EQ(closed, 5u);
}

TEST(Decider, ClosedIncidentsAreBoundedToo) {
  Decider decider({});
  const Measure hour = parse_measure("suspend 1h").value();
  Time now = kStart;
  for (size_t i = 0; i < kMostOpenIncidents + 5; ++i) {
    now += std::chrono::milliseconds(1);
    const Stream stream = parse_stream(fmt::format("credential=u{}", i)).value();
    ASSERT_TRUE(decider.impose(stream, hour, "ada", "", now));
    ASSERT_TRUE(decider.release(stream, "ada", "", now));
  }
  EXPECT_EQ(decider.incidents().size(), kMostOpenIncidents);
  const auto gone = decider.note(IncidentId{5}, "ada", "looked", now);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::refused);
  EXPECT_TRUE(decider.note(IncidentId{6}, "ada", "looked", now));
  // An open one takes the place of a closed one.
  const Outcome outcome = decider.on(signal_on("credential=bob", now), {}, 1, now);
  ASSERT_EQ(outcome.incidents.size(), 1u);
  EXPECT_EQ(outcome.incidents[0].state, IncidentState::open);
  EXPECT_EQ(decider.incidents().size(), kMostOpenIncidents);
}

TEST(Decider, ManyThatAreOverAreClosedStepByStep) {
  Decider decider({});
  for (int i = 0; i < 250; ++i) {
    Signal signal = signal_on(fmt::format("credential=u{}", i), kStart);
    signal.mode = Mode::notify;
    (void)decider.on(std::move(signal), {}, 1, kStart);
  }
  Time now = kStart + std::chrono::hours(25);
  std::vector<size_t> closed;
  for (int i = 0; i < 4; ++i, now += std::chrono::minutes(1)) {
    closed.push_back(decider.advance_to(now).incidents.size());
  }
  EXPECT_EQ(closed, (std::vector<size_t>{100, 100, 50, 0}));
}

TEST(Decider, AnIncidentByHandFromBeforeClosesAfterARestart) {
  Incident incident;
  incident.id = IncidentId{4};
  incident.subject = parse_stream("credential=alice").value();
  incident.opened_at = incident.updated_at = kStart;
  incident.decisions = {DecisionId{7}};  // ended long ago
  Decider decider({});
  ASSERT_TRUE(decider.restore({incident}, {}, 0, ""));
  const Outcome outcome = decider.advance_to(kStart + std::chrono::minutes(5));
  ASSERT_EQ(outcome.incidents.size(), 1u);
  EXPECT_EQ(outcome.incidents[0].state, IncidentState::closed);
}

TEST(Decider, AnUnreadableProtectedListOnlyProposes) {
  DecideSettings settings;
  settings.protect = {"credental=ceo"};
  EXPECT_FALSE(check(settings));
  Decider decider(settings);
  const Outcome outcome = decider.on(signal_on("credential=alice", kStart), {}, 1, kStart);
  ASSERT_EQ(outcome.decisions.size(), 1u);
  EXPECT_EQ(outcome.decisions[0].state, DecisionState::proposed);
}

TEST(Decider, RefusesWhatPeopleCannotMean) {
  Decider decider({});
  const Stream alice = parse_stream("credential=alice").value();
  const Measure hour = parse_measure("suspend 1h").value();
  const auto code = [](const Result<Outcome>& r) { return r ? Code::internal : r.error().code; };
  EXPECT_EQ(code(decider.impose({}, hour, "ada", "", kStart)), Code::bad_input);
  EXPECT_EQ(code(decider.impose(alice, hour, "", "", kStart)), Code::bad_input);
  EXPECT_EQ(code(decider.impose(alice, Measure{}, "ada", "", kStart)), Code::bad_input);
  Measure endless = hour;
  endless.span = Duration::max();
  EXPECT_EQ(code(decider.impose(alice, endless, "ada", "", kStart)), Code::bad_input);
  EXPECT_EQ(code(decider.impose(alice, hour, "ada", std::string(10'000, 'x'), kStart)),
            Code::bad_input);
  EXPECT_EQ(code(decider.release(alice, "ada", "", kStart)), Code::not_found);
  EXPECT_FALSE(decider.save().empty());
  EXPECT_TRUE(decider.incidents().empty());
}

TEST(Decider, RestoreRefusesWhatItDidNotWrite) {
  Decider decider({});
  const auto refused = [&](std::string_view saved) {
    const auto done = decider.restore({}, {}, 0, saved);
    return !done && done.error().code == Code::corrupt;
  };
  const std::string head = "watchpost decider 1\n";
  for (const char* line :
       {"grace\n", "grace 1\n", "grace 1 nothing=x\n", "grace -1 customer=x\n",
        "grace 1 customer=\n", "grace 1 customer=a customer=b\n", "signalled d customer=x\n",
        "automation maybe\n", "last 1 2\n", "last 1 2 x\n", "measure 99999999999999999999\n",
        "episode %4\n", "episode %zz\n", "other 1\n", "\n", "automation on"}) {
    EXPECT_TRUE(refused(head + line)) << line;
  }
  EXPECT_TRUE(refused("x"));
  EXPECT_TRUE(refused("watchpost decider 2\n"));
  EXPECT_FALSE(refused(""));
  Decision twice;
  twice.id = DecisionId{1};
  twice.scope = parse_stream("credential=alice").value();
  EXPECT_FALSE(decider.restore({}, {twice, twice}, 0, ""));
  twice.scope = {};
  EXPECT_FALSE(decider.restore({}, {twice}, 0, ""));
}

TEST(Decider, NumbersGoOnAfterARestart) {
  DecideSettings settings;
  Decider first(settings);
  (void)first.on(signal_on("credential=alice", kStart), {}, 1, kStart);
  (void)first.false_positive(IncidentId{1}, "ada", "", kStart);
  Decider second = restored(first, settings);  // nothing open is left, yet numbers go on
  EXPECT_TRUE(second.grace_of(parse_stream("credential=alice").value(), kStart));
  const Outcome outcome = second.on(signal_on("credential=bob", kStart), {}, 1, kStart);
  EXPECT_EQ(outcome.incidents.at(0).id, IncidentId{2});
  EXPECT_EQ(outcome.decisions.at(0).id, DecisionId{2});
  EXPECT_EQ(outcome.notices.at(0).number, 2u);
}

TEST(Scope, StricterIsALowerRate) {
  const auto measure = [](std::string_view text) { return parse_measure(text).value(); };
  EXPECT_TRUE(
      at_least_as_strict(measure("throttle 10/1h for 1h"), measure("throttle 1/1m for 1h")));
  EXPECT_FALSE(
      at_least_as_strict(measure("throttle 1/1m for 1h"), measure("throttle 10/1h for 1h")));
  EXPECT_TRUE(at_least_as_strict(measure("hold 1h"), measure("throttle 1/1m for 1h")));
}

TEST(Scope, SharesAndRatesAreNotCompared) {
  const auto measure = [](std::string_view text) { return parse_measure(text).value(); };
  const Measure share = measure("throttle 1% for 1h");
  const Measure rate = measure("throttle 10/1h for 1h");
  EXPECT_FALSE(at_least_as_strict(share, rate));
  EXPECT_FALSE(at_least_as_strict(rate, share));
  EXPECT_TRUE(at_least_as_strict(share, measure("throttle 10% for 1h")));
  EXPECT_FALSE(at_least_as_strict(measure("throttle 10% for 1h"), share));
  EXPECT_TRUE(at_least_as_strict(measure("hold 1h"), share));
  EXPECT_TRUE(stricter(share, rate));
  EXPECT_FALSE(stricter(rate, share));
}

// What one signal costs does not grow with what is open: each incident and each decision is looked
// up by what it is about. Both find what there is, whatever order the parts stand in.
TEST(Decider, TenThousandStreamsAtOnce) {
  DecideSettings settings;
  settings.most_decisions = 1'000'000;
  settings.most_share = 1;
  Decider decider(settings);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 9'999; ++i) {
      Signal signal = signal_on(fmt::format("customer=c{} campaign=k", i), kStart, "hold 1h");
      signal.detector = fmt::format("d{}", round);
      if (round == 1) std::ranges::reverse(signal.stream.parts);
      const Outcome outcome = decider.on(std::move(signal), {}, 1'000'000, kStart);
      ASSERT_EQ(outcome.incidents.size(), 1u);
      ASSERT_EQ(outcome.incidents[0].id.number, static_cast<uint64_t>(i) + 1);
      ASSERT_EQ(outcome.decisions.size(), round == 0 ? 1u : 0u);
    }
  }
  const Outcome outcome = decider.advance_to(kStart + std::chrono::hours(1));
  EXPECT_EQ(outcome.rearm.size(), 2u * 9'999u);
  EXPECT_EQ(outcome.decisions.size(), 2u * 9'999u);  // ended, and the first step of the return
}

}  // namespace
}  // namespace watchpost::decide
