#include "enforce/dispatcher.h"

#include "enforce/retry.h"
#include "enforce/test_support.h"

#include <algorithm>
#include <map>
#include <mutex>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace watchpost::enforce {
namespace {

using Actual = store::Enforcement::Actual;
using Wanted = store::Enforcement::Wanted;

// What an outside party was told, and what it is to answer.
struct Outside {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> told;
  std::map<std::string, int> fail_times;  // "apply d-1" -> how often it fails first
  Code fail_with = Code::unavailable;
  bool blocked = false;

  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex);
    return told;
  }
  void block(bool on) {
    {
      const std::lock_guard lock(mutex);
      blocked = on;
    }
    changed.notify_all();
  }
  Result<Done> tell(const std::string& what) {
    std::unique_lock lock(mutex);
    told.push_back(what);
    changed.wait(lock, [&] { return !blocked; });
    if (fail_times[what]-- > 0) return fail(fail_with, "not now");
    return Done{};
  }
};

class FakeEnforcer final : public Enforcer {
 public:
  explicit FakeEnforcer(Outside& outside) : outside_(outside) {}
  Result<Done> can(const Decision& decision) const override {
    if (decision.scope[Field::campaign].empty()) return Done{};
    return fail(Code::refused, "no campaigns here");
  }
  Result<Done> apply(const Decision& decision, Duration) override {
    return outside_.tell("apply " + text_of(decision.id));
  }
  Result<Done> undo(const Decision& decision, Duration) override {
    return outside_.tell("undo " + text_of(decision.id));
  }
  std::string state() const override { return "fine"; }

 private:
  Outside& outside_;
};

class FakeNotifier final : public Notifier {
 public:
  explicit FakeNotifier(Outside& outside) : outside_(outside) {}
  Result<Done> send(const Notice& notice, Duration) override {
    return outside_.tell("send " + notice.subject);
  }
  std::string state() const override { return "fine"; }

 private:
  Outside& outside_;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    std::vector<NamedEnforcer> enforcers;
    enforcers.push_back({"mta", std::make_unique<FakeEnforcer>(mta_)});
    enforcers.push_back({"hook", std::make_unique<FakeEnforcer>(hook_)});
    std::vector<NamedNotifier> notifiers;
    notifiers.push_back({"desk", std::make_unique<FakeNotifier>(desk_)});
    dispatcher_.emplace(std::move(enforcers), std::move(notifiers), clock_, metrics_,
                        [this](Dispatcher::Report report) {
                          const std::lock_guard lock(mutex_);
                          for (auto& row : report.enforcements) rows_.push_back(std::move(row));
                          for (auto& notice : report.notices) notices_.push_back(std::move(notice));
                        });
  }
  // Nothing may be left blocked when the threads are joined.
  ~DispatcherTest() override {
    for (Outside* outside : {&mta_, &hook_, &desk_}) outside->block(false);
  }

  void want(const Decision& decision, std::string_view enforcer = "mta") {
    std::vector<std::pair<store::Enforcement, Decision>> rows;
    for (auto& row : dispatcher_->rows_for(decision, clock_.now())) {
      if (row.enforcer == enforcer) rows.emplace_back(row, decision);
    }
    dispatcher_->take(std::move(rows));
  }
  std::vector<store::Enforcement> rows() {
    const std::lock_guard lock(mutex_);
    return rows_;
  }
  std::vector<Notice> notices() {
    const std::lock_guard lock(mutex_);
    return notices_;
  }

  ManualClock clock_;
  Metrics metrics_;
  Outside mta_;
  Outside hook_;
  Outside desk_;
  std::mutex mutex_;
  std::vector<store::Enforcement> rows_;
  std::vector<Notice> notices_;
  std::optional<Dispatcher> dispatcher_;  // last: it uses all of the above
};

TEST(Retry, PausesDoubleToFiveMinutes) {
  EXPECT_EQ(pause_after(1, 0), std::chrono::seconds(1));
  EXPECT_EQ(pause_after(2, 0), std::chrono::seconds(2));
  EXPECT_EQ(pause_after(9, 0), std::chrono::seconds(256));
  EXPECT_EQ(pause_after(10, 0), kLongestPause);
  EXPECT_EQ(pause_after(UINT32_MAX, 0), kLongestPause);
  EXPECT_EQ(pause_after(0, 0), std::chrono::seconds(1));
  EXPECT_EQ(pause_after(3, 1), std::chrono::seconds(2));
}

TEST_F(DispatcherTest, RowsSayWhatEachEnforcerIsToDo) {
  Decision decision = make_decision(1, "credential=alice", "suspend 1h");
  auto rows = dispatcher_->rows_for(decision, kNow);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].enforcer, "mta");
  EXPECT_EQ(rows[0].wanted, Wanted::applied);
  EXPECT_EQ(rows[0].actual, Actual::pending);
  EXPECT_EQ(rows[0].next_try, kNow);

  Decision campaign = make_decision(2, "campaign=summer", "suspend 1h");
  rows = dispatcher_->rows_for(campaign, kNow);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].actual, Actual::unsupported);
  EXPECT_EQ(rows[0].error, "no campaigns here");
  EXPECT_FALSE(rows[0].next_try);

  decision.state = DecisionState::proposed;
  EXPECT_TRUE(dispatcher_->rows_for(decision, kNow).empty());
  decision.state = DecisionState::revoked;
  rows = dispatcher_->rows_for(decision, kNow);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].wanted, Wanted::undone);
  campaign.state = DecisionState::expired;
  EXPECT_TRUE(dispatcher_->rows_for(campaign, kNow).empty());
}

TEST_F(DispatcherTest, AppliesAndUndoes) {
  Decision decision = make_decision(1, "credential=alice", "suspend 1h");
  want(decision);
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  EXPECT_EQ(rows()[0].actual, Actual::applied);
  EXPECT_EQ(rows()[0].attempts, 1u);
  decision.state = DecisionState::revoked;
  want(decision);
  ASSERT_TRUE(soon([&] { return rows().size() == 2; }));
  EXPECT_EQ(rows()[1].wanted, Wanted::undone);
  EXPECT_EQ(rows()[1].actual, Actual::undone);
  EXPECT_EQ(mta_.seen(), (std::vector<std::string>{"apply d-1", "undo d-1"}));
  EXPECT_TRUE(hook_.seen().empty());
}

TEST_F(DispatcherTest, AFailureIsTriedAgainAndHoldsUpNobody) {
  mta_.fail_times["apply d-1"] = 2;
  want(make_decision(1, "credential=alice", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  EXPECT_EQ(rows()[0].actual, Actual::failed);
  EXPECT_EQ(rows()[0].error, "not now");
  ASSERT_TRUE(rows()[0].next_try);
  EXPECT_GT(*rows()[0].next_try, kNow);
  EXPECT_LE(*rows()[0].next_try, kNow + std::chrono::seconds(1));
  want(make_decision(2, "credential=bob", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return rows().size() == 2; }));
  EXPECT_EQ(rows()[1].decision, DecisionId{2});
  EXPECT_EQ(dispatcher_->states()[0].text, "fine; 1 waiting");
  clock_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(soon([&] { return rows().size() == 3; }));
  EXPECT_EQ(rows()[2].attempts, 2u);
  clock_.advance(std::chrono::seconds(2));
  ASSERT_TRUE(soon([&] { return rows().size() == 4; }));
  EXPECT_EQ(rows()[3].actual, Actual::applied);
  EXPECT_TRUE(rows()[3].error.empty());
}

TEST_F(DispatcherTest, ANoWaitsTheLongestPause) {
  mta_.fail_with = Code::refused;
  mta_.fail_times["apply d-1"] = 1;
  want(make_decision(1, "credential=alice", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  EXPECT_GE(*rows()[0].next_try, kNow + kLongestPause / 2);
}

TEST_F(DispatcherTest, TheFirstFailureAndTheRecoveryAreLogged) {
  testing::internal::CaptureStderr();
  mta_.fail_times["apply d-1"] = 3;
  want(make_decision(1, "credential=alice", "suspend 1h"));
  for (size_t tries = 1; tries <= 4; ++tries) {
    EXPECT_TRUE(soon([&] { return rows().size() == tries; }));
    clock_.advance(std::chrono::seconds(20));
  }
  Notice notice;
  notice.number = 7;
  notice.target = "desk";
  notice.subject = "hello";
  notice.at = kNow;
  desk_.fail_times["send hello"] = 1;
  dispatcher_->take(std::vector{notice});
  EXPECT_TRUE(soon([&] { return notices().size() == 1; }));
  clock_.advance(std::chrono::seconds(20));
  EXPECT_TRUE(soon([&] { return notices().size() == 2; }));
  dispatcher_->stop();
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(logged, '\n'), 4) << logged;
  for (const char* const text :
       {"enforcer mta failed on d-1, will be tried again", "enforcer mta works again: d-1",
        "notify target desk failed on notice 7", "notify target desk works again: notice 7"}) {
    EXPECT_NE(logged.find(text), std::string::npos) << text << '\n' << logged;
  }
}

TEST_F(DispatcherTest, GoesInTheOrderOfDecisions) {
  mta_.block(true);
  want(make_decision(9, "credential=first", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return mta_.seen().size() == 1; }));
  for (const uint64_t number : {7U, 3U, 5U}) {
    want(make_decision(number, "credential=alice", "suspend 1h"));
  }
  mta_.block(false);
  ASSERT_TRUE(soon([&] { return rows().size() == 4; }));
  EXPECT_EQ(mta_.seen(),
            (std::vector<std::string>{"apply d-9", "apply d-3", "apply d-5", "apply d-7"}));
}

TEST_F(DispatcherTest, AnUndoOvertakesItsApply) {
  Decision decision = make_decision(1, "credential=alice", "suspend 1h");
  mta_.block(true);
  want(decision);
  ASSERT_TRUE(soon([&] { return mta_.seen().size() == 1; }));
  decision.state = DecisionState::revoked;
  want(decision);
  mta_.block(false);
  ASSERT_TRUE(soon([&] { return !rows().empty(); }));
  // Nothing is said of the apply: it would stand over the newer wish.
  EXPECT_EQ(rows()[0].wanted, Wanted::undone);
  EXPECT_EQ(rows()[0].actual, Actual::undone);
  EXPECT_EQ(mta_.seen(), (std::vector<std::string>{"apply d-1", "undo d-1"}));
}

TEST_F(DispatcherTest, StopsTryingWhenTheDecisionRunsOut) {
  mta_.fail_times["apply d-1"] = 1000;
  want(make_decision(1, "credential=alice", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(soon([&] { return dispatcher_->states()[0].text == "fine"; }));
  EXPECT_EQ(mta_.seen().size(), 1u);
  EXPECT_EQ(rows().size(), 1u);
}

TEST_F(DispatcherTest, RowsOfEndedDecisionsAreUndoneAfterARestart) {
  Decision ended = make_decision(1, "credential=alice", "suspend 1h");
  ended.state = DecisionState::expired;
  store::Enforcement row{.decision = ended.id, .enforcer = "mta"};
  row.actual = Actual::applied;
  store::Enforcement done = row;
  done.decision = DecisionId{2};
  done.wanted = Wanted::undone;
  done.actual = Actual::undone;
  store::Enforcement elsewhere = row;
  elsewhere.enforcer = "gone";
  dispatcher_->take({{row, ended}, {done, ended}, {elsewhere, ended}});
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  EXPECT_EQ(rows()[0].wanted, Wanted::undone);
  EXPECT_EQ(rows()[0].actual, Actual::undone);
  EXPECT_EQ(mta_.seen(), std::vector<std::string>{"undo d-1"});
}

TEST_F(DispatcherTest, NoticesAreSentOrGivenUpAfterADay) {
  Notice notice{.number = 1, .target = "desk", .at = kNow, .subject = "one"};
  Notice bad{.number = 2, .target = "desk", .at = kNow, .subject = "two"};
  Notice astray{.number = 3, .target = "nobody", .at = kNow, .subject = "three"};
  desk_.fail_times["send two"] = 1000;
  dispatcher_->take({notice, bad, astray});
  ASSERT_TRUE(soon([&] { return notices().size() == 3; }));
  const auto by_number = [&](uint64_t number) {
    Notice found;
    for (const Notice& one : notices()) {
      if (one.number == number) found = one;
    }
    return found;
  };
  EXPECT_EQ(by_number(1).state, Notice::State::sent);
  EXPECT_EQ(by_number(2).state, Notice::State::pending);
  EXPECT_TRUE(by_number(2).next_try);
  EXPECT_EQ(by_number(3).state, Notice::State::failed);
  EXPECT_EQ(by_number(3).error, "there is no [[notify]] named `nobody`");
  clock_.advance(std::chrono::hours(24));
  ASSERT_TRUE(soon([&] { return by_number(2).state == Notice::State::failed; }));
}

TEST_F(DispatcherTest, StopsInTheMiddleOfABackoff) {
  mta_.fail_times["apply d-1"] = 1000;
  want(make_decision(1, "credential=alice", "suspend 1h"));
  ASSERT_TRUE(soon([&] { return rows().size() == 1; }));
  dispatcher_->stop();
  dispatcher_->stop();
  EXPECT_EQ(mta_.seen().size(), 1u);
}

}  // namespace
}  // namespace watchpost::enforce
