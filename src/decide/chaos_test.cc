#include "decide/decider.h"
#include "decide/scope.h"
#include "decide/test_signals.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::decide {
namespace {

// Random signals, human acts, restarts and time: what must hold, holds after each step.
class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {
    settings_.most_decisions = 5;
    settings_.protect = {"credential=u0", "customer=c0"};
    settings_.grace = std::chrono::minutes(30);
    settings_.join = std::chrono::hours(2);
    settings_.longest = std::chrono::hours(6);
    settings_.memory = std::chrono::hours(5);
    decider_.emplace(settings_);
    steady_.emplace(settings_);
  }

  void step() {
    now_ += std::chrono::seconds(pick(60, 200));
    const std::string before = decider_->save();
    const bool restart = pick(0, 30) == 0;
    if (restart) {
      decider_ = from_store();
      ASSERT_EQ(decider_->save(), before);
      check(both([&](Decider& decider) { return Result<Outcome>(decider.advance_to(now_)); }));
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
    by_machine_ = false;
    for (int hours = 0; hours < 24; ++hours) {
      now_ += std::chrono::hours(1);
      check(both([&](Decider& decider) { return Result<Outcome>(decider.advance_to(now_)); }));
    }
    EXPECT_TRUE(decider_->decisions().empty());
    EXPECT_TRUE(decider_->incidents().empty());
  }

  size_t decided() const { return ends_.size(); }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }
  // As after a restart: all that was ever stored.
  Decider from_store() {
    Decider next(settings_);
    std::vector<Incident> incidents;
    for (const auto& [id, incident] : stored_incidents_) incidents.push_back(incident);
    std::vector<Decision> decisions;
    for (const auto& [id, decision] : stored_decisions_) decisions.push_back(decision);
    EXPECT_TRUE(next.restore(std::move(incidents), std::move(decisions), 0, decider_->save()));
    return next;
  }
  static std::string text_of_all(const Result<Outcome>& outcome) {
    if (!outcome) return outcome.error().text();
    std::string text;
    for (const Incident& one : outcome->incidents) {
      text += fmt::format("{} {} {} {} {}\n", text_of(one.id), name_of(one.state),
                          name_of(one.verdict), name_of(one.suggested), one.suggested_because);
      for (const auto& entry : one.timeline) text += entry.what + "\n";
    }
    for (const Decision& one : outcome->decisions) {
      text += fmt::format("{} {} {} {} {} {} {}\n", text_of(one.id), name_of(one.state),
                          one.measure.text(), one.scope.text(), format_time(one.until), one.because,
                          one.episode);
    }
    for (const Notice& one : outcome->notices) text += one.subject + one.text;
    for (const AuditEntry& one : outcome->audit) text += one.what + one.about + one.detail + "\n";
    for (const Rearm& one : outcome->rearm) text += one.detector + one.stream.text() + "\n";
    return text;
  }
  // One that is restarted now and then and one that never is: they do the same.
  Result<Outcome> both(const auto& act) {
    auto outcome = act(*decider_);
    EXPECT_EQ(text_of_all(outcome), text_of_all(act(*steady_)));
    if (!outcome) return outcome;
    for (const Incident& one : outcome->incidents) stored_incidents_[one.id] = one;
    for (const Decision& one : outcome->decisions) stored_decisions_[one.id] = one;
    return outcome;
  }
  void check(const Result<Outcome>& outcome) {
    ASSERT_TRUE(outcome);
    check(*outcome);
  }
  Stream stream() {
    switch (pick(0, 3)) {
      case 3: return parse_stream(fmt::format("provider=p{}", pick(0, 1))).value();
      case 0: return parse_stream(fmt::format("credential=u{}", pick(0, 9))).value();
      case 1: return parse_stream(fmt::format("customer=c{}", pick(0, 4))).value();
      default:
        return parse_stream(fmt::format("customer=c{} campaign=k{}", pick(0, 4), pick(0, 1)))
            .value();
    }
  }
  Measure measure() {
    constexpr std::array<const char*, 7> kMeasures{"suspend 1h",
                                                   "hold 20m",
                                                   "hold 3h",
                                                   "throttle 10/1h for 2h",
                                                   "throttle 5% for 30m",
                                                   "block 5m",
                                                   "throttle 100/1h for 20m"};
    return parse_measure(kMeasures[static_cast<size_t>(pick(0, 6))]).value();
  }

  Result<Outcome> act() {
    by_machine_ = false;
    const DecisionId decision{static_cast<uint64_t>(pick(1, static_cast<int>(ends_.size()) + 1))};
    const IncidentId incident{
        static_cast<uint64_t>(pick(1, static_cast<int>(incidents_.size()) + 1))};
    const Stream scope = stream();
    const Measure wanted = measure();
    const auto verdict = pick(0, 1) == 0 ? Verdict::bad_list : Verdict::none;
    const bool on = pick(0, 3) != 0;
    switch (pick(0, 14)) {
      case 0: return both([&](Decider& d) { return d.revoke(decision, "ada", "", now_); });
      case 1:
        return both([&](Decider& d) { return d.confirm(incident, verdict, "ada", "", now_); });
      case 2: return both([&](Decider& d) { return d.false_positive(incident, "ada", "", now_); });
      case 3: return both([&](Decider& d) { return d.impose(scope, wanted, "ada", "", now_); });
      case 4: return both([&](Decider& d) { return d.release(scope, "ada", "", now_); });
      case 5:
        return both(
            [&](Decider& d) { return Result<Outcome>(d.set_automation(on, "ada", "", now_)); });
      case 6:
      case 7:
      case 8: return both([&](Decider& d) { return Result<Outcome>(d.advance_to(now_)); });
      case 9: return both([&](Decider& d) { return d.note(incident, "ada", "looked", now_); });
      default: break;
    }
    by_machine_ = true;
    const Signal signal = any_signal(scope, wanted);
    grace_before_ = decider_->grace_of(signal.stream, now_);
    return both([&](Decider& d) { return Result<Outcome>(d.on(signal, {"{}"}, 1000, now_)); });
  }

  Signal any_signal(const Stream& scope, const Measure& wanted) {
    Signal signal = signal_on("credential=x", now_ - std::chrono::minutes(pick(0, 20)));
    signal.detector = fmt::format("d{}", pick(0, 2));
    signal.mode = static_cast<Mode>(pick(0, 3) == 0 ? pick(0, 2) : 3);
    signal.stream = scope;
    signal.then = {wanted, parse_measure("notify desk").value()};
    signal.suggests = static_cast<Verdict>(pick(0, 5));
    signal.escalate = pick(0, 1) == 0;
    if (signal.escalate) {
      signal.then.insert(signal.then.begin(), parse_measure("throttle 50/1h for 10m").value());
      if (pick(0, 1) == 0) std::ranges::rotate(signal.then, signal.then.end() - 1);
    }
    signal.threshold = 0.02;
    signal.value = 0.02 * pick(1, 5);
    for (const Field dimension : {Field::provider, Field::campaign, Field::credential}) {
      if (pick(0, 1) == 0) continue;
      const char letter = dimension == Field::provider   ? 'p'
                          : dimension == Field::campaign ? 'k'
                                                         : 'u';
      signal.shares.push_back({dimension, fmt::format("{}{}", letter, pick(0, 1)),
                               static_cast<uint64_t>(pick(30, 50)), 50});
    }
    return signal;
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
    // Longer for repeat offenders, but not without end.
    ASSERT_LE(decision.until - decision.from, settings_.longest);
    if (decision.pace != 0) {
      ASSERT_GT(decision.measure.share, 0);
      ASSERT_EQ(episodes_.insert(decision.episode).second, made) << decision.episode;
      return;
    }
    if (!made || !by_machine_) return;
    ASSERT_TRUE(episodes_.insert(decision.episode).second) << decision.episode;
    ASSERT_FALSE(grace_before_) << "decided in grace";
    if (decision.state != DecisionState::active) return;
    ASSERT_TRUE(decider_->automation());
    ASSERT_NE(decision.scope[Field::credential], "u0");
    ASSERT_NE(decision.scope[Field::customer], "c0");
    ASSERT_NE(decision.signalled[Field::customer], "c0");
    ASSERT_TRUE(!names_no_sender(decision.scope) || decision.measure.kind == MeasureKind::throttle);
    automatic_.push_back(now_);
  }

  std::mt19937 random_;
  DecideSettings settings_;
  std::optional<Decider> decider_;
  std::optional<Decider> steady_;
  std::map<IncidentId, Incident> stored_incidents_;
  std::map<DecisionId, Decision> stored_decisions_;
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
