#include "decide/decider.h"

#include "decide/scope.h"
#include "decide/step.h"

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::decide {
namespace {

using testing::HasSubstr;
using testing::Not;

const Time kStart = parse_time("2026-11-24T02:00:00Z").value();

Signal signal_on(std::string_view stream, Time at, std::string_view measure = "suspend 1h") {
  Signal signal;
  signal.at = at;
  signal.since = at - std::chrono::minutes(10);
  signal.detector = "unknown users";
  signal.mode = Mode::enforce;
  signal.stream = parse_stream(stream).value();
  signal.messages = 60;
  signal.because = "18/60 = 30% exceeds 2%";
  signal.then.push_back(parse_measure(measure).value());
  signal.then.push_back(parse_measure("notify desk").value());
  return signal;
}

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

TEST(Decider, EvidenceIsCappedAndCounted) {
  DecideSettings settings;
  settings.most_decisions = 0;
  Decider decider(settings);
  Time now = kStart;
  Outcome last;
  for (int i = 0; i < 700; ++i) {
    now += std::chrono::seconds(1);
    last =
        decider.on(signal_on("credential=alice", now), std::vector<std::string>(99, "{}"), 1, now);
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

// Random signals, human acts, restarts and time: what must hold, holds after each step.
class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {
    settings_.most_decisions = 5;
    settings_.protect = {"credential=u0", "customer=c0"};
    settings_.grace = std::chrono::minutes(30);
    settings_.join = std::chrono::hours(2);
    decider_.emplace(settings_);
  }

  void step() {
    now_ += std::chrono::seconds(pick(0, 200));
    const std::string before = decider_->save();
    const bool restart = pick(0, 30) == 0;
    if (restart) {
      decider_ = restored(*decider_, settings_);
      ASSERT_EQ(decider_->save(), before);
      return;
    }
    const auto outcome = act();
    if (!outcome) {
      ASSERT_EQ(decider_->save(), before) << "a refused act changed something";
      return;
    }
    ASSERT_EQ(outcome->state_changed, decider_->save() != before);
    check(*outcome);
  }

  // Left alone for long enough, nothing stays open.
  void rest() {
    for (int hours = 0; hours < 12; ++hours) {
      now_ += std::chrono::hours(1);
      check(decider_->advance_to(now_));
    }
    EXPECT_TRUE(decider_->decisions().empty());
    EXPECT_TRUE(decider_->incidents().empty());
  }

  size_t decided() const { return ends_.size(); }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }
  Stream stream() {
    switch (pick(0, 2)) {
      case 0: return parse_stream(fmt::format("credential=u{}", pick(0, 9))).value();
      case 1: return parse_stream(fmt::format("customer=c{}", pick(0, 4))).value();
      default:
        return parse_stream(fmt::format("customer=c{} campaign=k{}", pick(0, 4), pick(0, 1)))
            .value();
    }
  }
  Measure measure() {
    constexpr std::array<const char*, 5> kMeasures{"suspend 1h", "hold 20m", "hold 3h",
                                                   "throttle 10/1h for 2h", "block 5m"};
    return parse_measure(kMeasures[static_cast<size_t>(pick(0, 4))]).value();
  }

  Result<Outcome> act() {
    by_machine_ = false;
    const DecisionId decision{static_cast<uint64_t>(pick(1, static_cast<int>(ends_.size()) + 1))};
    const IncidentId incident{
        static_cast<uint64_t>(pick(1, static_cast<int>(incidents_.size()) + 1))};
    switch (pick(0, 12)) {
      case 0: return decider_->revoke(decision, "ada", "", now_);
      case 1: return decider_->confirm(incident, Verdict::bad_list, "ada", "", now_);
      case 2: return decider_->false_positive(incident, "ada", "", now_);
      case 3: return decider_->impose(stream(), measure(), "ada", "", now_);
      case 4: return decider_->release(stream(), "ada", "", now_);
      case 5: return decider_->set_automation(pick(0, 3) != 0, "ada", "", now_);
      case 6:
      case 7: return decider_->advance_to(now_);
      case 8: return decider_->note(incident, "ada", "looked", now_);
      default: break;
    }
    by_machine_ = true;
    Signal signal = signal_on("credential=x", now_ - std::chrono::minutes(pick(0, 20)));
    signal.detector = fmt::format("d{}", pick(0, 2));
    signal.mode = static_cast<Mode>(pick(0, 3) == 0 ? pick(0, 2) : 3);
    signal.stream = stream();
    signal.then = {measure(), parse_measure("notify desk").value()};
    grace_before_ = decider_->grace_of(signal.stream, now_);
    return decider_->on(std::move(signal), {"{}"}, 1000, now_);
  }

  void check(const Outcome& outcome) {
    for (const Incident& incident : outcome.incidents) check(incident);
    for (const auto& [id, incident] : decider_->incidents()) check_kept(incident);
    for (const Decision& decision : outcome.decisions) check(decision);
    for (const Notice& notice : outcome.notices) {
      ASSERT_GT(notice.number, last_notice_);
      last_notice_ = notice.number;
    }
    if (!outcome.decisions.empty() || !outcome.incidents.empty()) {
      ASSERT_FALSE(outcome.audit.empty());
    }
    std::erase_if(automatic_, [&](Time t) { return t <= now_ - settings_.period; });
    ASSERT_LE(automatic_.size(), static_cast<size_t>(settings_.most_decisions));
    for (const auto& [id, end] : in_force_) {
      if (end <= now_) continue;  // runs out with the next advance_to()
      const auto there = decider_->decisions().find(id);
      ASSERT_NE(there, decider_->decisions().end()) << text_of(id) << " ended early";
      ASSERT_GE(there->second.until, end) << text_of(id) << " was shortened";
    }
  }

  void check(const Incident& incident) {
    incidents_.insert(incident.id);
    const bool closed = incident.state == IncidentState::closed;
    ASSERT_TRUE(closed || !closed_.contains(incident.id)) << "opened again";
    const bool was_closed = closed && !closed_.insert(incident.id).second;
    const auto verdict = verdicts_.emplace(incident.id, incident.verdict).first;
    if (was_closed && verdict->second != Verdict::none) {
      ASSERT_EQ(incident.verdict, verdict->second) << "judged twice after it was closed";
    }
    verdict->second = incident.verdict;
  }
  void check_kept(const Incident& incident) {
    const bool stands = std::ranges::any_of(
        incident.decisions, [&](DecisionId id) { return decider_->decisions().contains(id); });
    if (incident.state == IncidentState::closed) {
      ASSERT_FALSE(stands) << text_of(incident.id) << " is closed over a measure";
    } else if (incident.evidence.empty()) {
      ASSERT_TRUE(stands) << text_of(incident.id) << " is by hand alone and over";
    }
  }

  void check(const Decision& decision) {
    const bool made = ends_.emplace(decision.id, decision.until).second;
    ASSERT_FALSE(decision.scope.empty());
    ASSERT_LT(decision.from, decision.until);
    ASSERT_TRUE(decision.incident);
    if (decision.state == DecisionState::active) {
      in_force_[decision.id] = decision.until;
    } else {
      in_force_.erase(decision.id);
    }
    if (!made || !by_machine_) return;
    ASSERT_TRUE(episodes_.insert(decision.episode).second) << decision.episode;
    ASSERT_FALSE(grace_before_) << "decided in grace";
    if (decision.state != DecisionState::active) return;
    ASSERT_TRUE(decider_->automation());
    ASSERT_NE(decision.scope[Field::credential], "u0");
    ASSERT_NE(decision.scope[Field::customer], "c0");
    automatic_.push_back(now_);
  }

  std::mt19937 random_;
  DecideSettings settings_;
  std::optional<Decider> decider_;
  Time now_ = kStart;
  bool by_machine_ = false;
  std::optional<Time> grace_before_;
  std::set<IncidentId> incidents_;
  std::set<IncidentId> closed_;
  std::map<IncidentId, Verdict> verdicts_;
  std::map<DecisionId, Time> ends_;
  std::map<DecisionId, Time> in_force_;
  std::set<std::string> episodes_;
  std::vector<Time> automatic_;
  uint64_t last_notice_ = 0;
};

TEST(Decider, InvariantsHoldWhateverHappens) {
  size_t decided = 0;
  for (uint32_t seed = 1; seed <= 60 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Chaos chaos(seed);
    for (int i = 0; i < 300 && !HasFatalFailure(); ++i) chaos.step();
    if (!HasFatalFailure()) chaos.rest();
    decided += chaos.decided();
  }
  EXPECT_GT(decided, 1000u);
}

}  // namespace
}  // namespace watchpost::decide
