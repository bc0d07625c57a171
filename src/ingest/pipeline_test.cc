#include "ingest/pipeline.h"

#include "feedback/formats/event_json.h"
#include "ingest/test_pipeline.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
namespace fs = std::filesystem;

const auto kAny = [](const std::vector<Decision>& active) { return !active.empty(); };
const auto kNone = [](const std::vector<Decision>& active) { return active.empty(); };

// The folder as a crash at this moment leaves it.
std::string crashed_copy(const Folder& folder, std::string_view name) {
  const std::string copy = folder / name;
  fs::copy(folder / "data", copy, fs::copy_options::recursive);
  return copy;
}

TEST(Pipeline, FromEventsToAMeasureInForce) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 4, 0));
  EXPECT_EQ(running.count_of("alice"), 4);
  EXPECT_TRUE(running.incidents().empty());
  running.put(bounces("alice", 2, 4, kNoon + 10s));
  const auto active = running.outbox.active_when(kAny);
  ASSERT_EQ(active.size(), 1U);
  EXPECT_EQ(active[0].scope.text(), "credential=alice");
  const auto rows = running.outbox.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].second.id, active[0].id);

  // The evidence has events of before and of now, as JSON, and only of this stream.
  const auto incidents = running.incidents();
  ASSERT_EQ(incidents.size(), 1U);
  const auto& samples = incidents[0].evidence.at(0).sample_events;
  ASSERT_EQ(samples.size(), 5U);
  for (const std::string& sample : samples) EXPECT_THAT(sample, testing::HasSubstr("\"alice\""));

  // All of it is in the store.
  auto reader = store::Reader::open({.path = folder / "data"}).value();
  EXPECT_EQ(reader->events({}).value().events.size(), 6U);
  EXPECT_EQ(reader->decisions().value().size(), 1U);
  EXPECT_EQ(reader->incidents().value().size(), 1U);
  EXPECT_EQ(reader->enforcements().value().size(), 1U);
  EXPECT_TRUE(reader->verify_audit());
  EXPECT_THAT(running.metrics.text(),
              testing::HasSubstr("watchpost_events_total{source=\"log\",kind=\"bounced\"} 6"));
}

TEST(Pipeline, AnEventReadTwiceCountsOnce) {
  const Folder folder;
  {
    Running running(options_in(folder / "data"));
    running.put(bounces("alice", 3, 0));
    running.put(bounces("alice", 4, 0));
    EXPECT_EQ(running.count_of("alice"), 4);
  }
  // Also after a restart, whatever time they are of.
  Running again(options_in(folder / "data"), kNoon + std::chrono::days(3));
  again.put(bounces("alice", 4, 0));
  EXPECT_EQ(again.pipeline->health().events, 4U);
  EXPECT_TRUE(again.incidents().empty());
}

TEST(Pipeline, ABounceCountsOnceWhoeverTellsOfItFirst) {
  const Folder folder;
  OwnFailures own;
  PipelineOptions options = options_in(folder / "data");
  options.own_failures = &own;
  Running running(std::move(options));
  const auto of_messages = [](uint64_t first_id, std::string_view proof) {
    EventBatch batch = bounces("alice", 3, first_id);
    for (size_t i = 0; i < batch.size(); ++i) {
      batch.events()[i][Field::message_id] = batch.keep(fmt::format("m{}@shop.example", i));
      batch.events()[i][Field::proof] = batch.keep(proof);
    }
    return batch;
  };
  running.put(of_messages(0, kProvenByToken));
  running.put(of_messages(10, ""));
  EXPECT_EQ(running.count_of("alice"), 3);
  EXPECT_EQ(running.pipeline->health().events, 6U);
}

EventBatch accepted(std::string_view told_by, std::string_view queue_id) {
  EventBatch batch;
  Event& event = batch.add();
  event.id = hash128(fmt::format("{} {}", told_by, queue_id));
  event.at = kNoon;
  event.kind = EventKind::accepted;
  event[Field::credential] = "jo";
  event[Field::queue_id] = batch.keep(queue_id);
  return batch;
}

TEST(Pipeline, WhatAMilterAndALogTellOfIsAcceptedOnce) {
  const Folder folder;
  PipelineOptions options = options_in(folder / "data", {.name = "volume",
                                                         .watch = {"credential"},
                                                         .window = 1h,
                                                         .when = "accepted >= 100",
                                                         .mode = "notify"});
  options.accepted_twice = true;
  {
    Running running(options);
    running.put(accepted("milter", "4F01"));
    running.put(accepted("log", "4F01"));
    running.put(accepted("log", "4F02"));
    running.put(accepted("milter", ""));
    running.put(accepted("log", ""));
    EXPECT_EQ(running.count_of("jo"), 4);
    running.pipeline->stop();
  }
  // The log may be read again after a crash.
  Running again(options);
  again.put(accepted("log", "4F01"));
  EXPECT_EQ(again.count_of("jo"), 4);
}

TEST(Pipeline, MailThatIsHandedInAgainIsKeptOnce) {
  const Folder folder;
  const auto hand_in = [](Running& running, std::string bytes) {
    std::promise<Result<Done>> settled;
    Arrival arrival{.source = "mail"};
    for (int i = 0; i < 2; ++i) {
      arrival.kept_mail.push_back({.at = kNoon, .source = "mail", .sender = "<>", .bytes = bytes});
    }
    arrival.settled = [&](const Result<Done>& done) { settled.set_value(done); };
    EXPECT_TRUE(running.pipeline->deliver(std::move(arrival)));
    EXPECT_TRUE(settled.get_future().get());
  };
  {
    Running running(options_in(folder / "data"));
    hand_in(running, "Subject: one\r\n\r\n");
    hand_in(running, "Subject: one\r\n\r\n");
  }
  Running again(options_in(folder / "data"));
  hand_in(again, "Subject: one\r\n\r\n");
  hand_in(again, "Subject: two\r\n\r\n");
  const auto reader = store::Reader::open({.path = folder / "data"}).value();
  EXPECT_EQ(reader->kept_mail(10).value().size(), 2U);
}

TEST(Pipeline, PositionsAreKeptWithTheEvents) {
  const Folder folder;
  {
    Running running(options_in(folder / "data"));
    EXPECT_EQ(running.pipeline->position_of("log"), "");
    running.put(bounces("alice", 1, 0), std::string("behind\0one", 10));
    running.put(bounces("alice", 1, 1));
    running.put({}, std::string("behind\0two", 10));
    EXPECT_EQ(running.pipeline->position_of("log"), std::string("behind\0two", 10));
  }
  Running again(options_in(folder / "data"));
  EXPECT_EQ(again.pipeline->position_of("log"), std::string("behind\0two", 10));
  EXPECT_EQ(again.pipeline->position_of("other"), "");
}

TEST(Pipeline, AfterACrashCountersAndMeasuresAreAsBefore) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 7, 0));
  running.put(bounces("bob", 3, 0, kNoon + 20s));
  const auto before = running.outbox.active_when(kAny);
  Running again(options_in(crashed_copy(folder, "crashed")));
  EXPECT_EQ(again.outbox.active_when(kAny)[0].id, before[0].id);
  for (const char* const login : {"alice", "bob"}) {
    EXPECT_EQ(again.count_of(login), running.count_of(login)) << login;
  }
  // Not carried out before the crash as far as is known: handed out again.
  ASSERT_EQ(again.outbox.rows().size(), 1U);
  // Both go on alike: bob's next two make five.
  for (Running* const one : {&running, &again}) {
    one->put(bounces("bob", 2, 3, kNoon + 30s));
    EXPECT_EQ(one->outbox.active_when([](const auto& all) { return all.size() == 2; }).size(), 2U);
  }
}

// The saved counters as a pipe: who reads them waits until somebody writes.
class SlowCounters {
 public:
  explicit SlowCounters(std::string path) : path_(std::move(path)) {
    std::filesystem::remove(path_);
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  }
  // They are damaged, then: counted anew from the events.
  void let_go() const { open_to_write(0); }
  // Also where a test breaks off.
  struct LetGo {
    explicit LetGo(const SlowCounters& all) : counters(all) {}
    ~LetGo() { counters.open_to_write(O_NONBLOCK); }
    const SlowCounters& counters;
  };

 private:
  void open_to_write(int flags) const {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | flags);
    if (file >= 0) ::close(file);
  }
  const std::string path_;
};

TEST(Pipeline, WhatIsInForceHoldsWhileCountersAreStillRead) {
  const Folder folder;
  DecisionId decision;
  {
    Running running(options_in(folder / "data"));
    running.put(bounces("alice", 7, 0));
    running.put(bounces("bob", 3, 0));
    decision = running.outbox.active_when(kAny)[0].id;
  }
  SlowCounters slow(folder / "data/detector.state");
  Running again(options_in(folder / "data"), kNoon + 2min);
  const SlowCounters::LetGo at_the_end(slow);
  EXPECT_EQ(again.outbox.active_when(kAny)[0].id, decision);
  auto settled = again.deliver(bounces("bob", 2, 3, kNoon + 30s));
  size_t decisions = 0;
  ASSERT_TRUE(again.pipeline->look_at_once(
      [&](const decide::Decider& decider, const detect::Watch& watch, Time) {
        decisions = decider.decisions().size();
        EXPECT_EQ(watch.stats().streams, 0U);
      }));
  EXPECT_EQ(decisions, 1U);
  EXPECT_FALSE(again.pipeline->health().counting);
  EXPECT_THAT(again.metrics.text(), testing::HasSubstr("\nwatchpost_counting 0\n"));
  // People can undo it meanwhile, and what it was made of is no evidence afterwards.
  ASSERT_TRUE(again.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.revoke(decision, "desk", "a mailing that was agreed", now);
  }));
  again.outbox.active_when(kNone);
  EXPECT_EQ(settled.wait_for(0s), std::future_status::timeout);
  slow.let_go();
  EXPECT_TRUE(settled.get());
  EXPECT_TRUE(again.pipeline->health().counting);
  EXPECT_THAT(again.metrics.text(), testing::HasSubstr("\nwatchpost_counting 1\n"));
  EXPECT_EQ(again.count_of("alice"), 0);
  EXPECT_EQ(again.count_of("bob"), 5) << "3 of before, 2 that waited";
}

TEST(Pipeline, WhatWasUndoneIsNotEvidenceAgainAfterACrash) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 4, 0));
  running.put(bounces("alice", 3, 4, kNoon + 10s));
  const DecisionId decision = running.outbox.active_when(kAny)[0].id;
  ASSERT_TRUE(running.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.revoke(decision, "desk", "a mailing that was agreed", now);
  }));
  running.outbox.active_when(kNone);
  running.put(bounces("alice", 1, 7, kNoon + 20s));
  const double counted = running.count_of("alice");
  EXPECT_LT(counted, 5);
  Running again(options_in(crashed_copy(folder, "crashed")));
  EXPECT_EQ(again.count_of("alice"), counted);
  EXPECT_TRUE(again.outbox.active_when(kNone).empty());
}

TEST(Pipeline, DecisionsStandInTheLogAndInTheMetrics) {
  const Folder folder;
  testing::internal::CaptureStderr();
  {
    Running running(options_in(folder / "data"));
    const auto shows = [&](std::string_view line) {
      for (int i = 0; i < 60'000; ++i) {
        if (running.metrics.text().contains(line)) return true;
        std::this_thread::sleep_for(1ms);
      }
      return false;
    };
    running.put(bounces("alice", 6, 0));
    EXPECT_TRUE(shows("watchpost_decisions_in_force{measure=\"suspend\"} 1\n"));
    EXPECT_TRUE(shows("watchpost_decisions_in_force{measure=\"hold\"} 0\n"));
    EXPECT_TRUE(shows("watchpost_storing 1\n"));
    EXPECT_TRUE(shows("watchpost_automation 1\n"));
    const auto act = [&](const Pipeline::Question& question) {
      EXPECT_TRUE(running.pipeline->ask(question));
    };
    act([](decide::Decider& decider, detect::Watch&, Time now) {
      return Result<decide::Outcome>(decider.set_automation(false, "desk", "", now));
    });
    running.put(bounces("bob", 6, 10));
    act([](decide::Decider& decider, detect::Watch&, Time now) {
      return decider.revoke(DecisionId{1}, "desk", "wrong", now);
    });
    EXPECT_TRUE(shows("watchpost_automation 0\n"));
    EXPECT_TRUE(shows("watchpost_decisions_proposed 1\n"));
    EXPECT_TRUE(shows("watchpost_decisions_in_force{measure=\"suspend\"} 0\n"));
    EXPECT_TRUE(shows("watchpost_open_incidents 2\n"));
  }
  const std::string logged = testing::internal::GetCapturedStderr();
  for (const char* const text :
       {"incident opened: i-1 by watchpost: credential=alice", "decision made: d-1 by watchpost: ",
        "decision proposed: d-2 by watchpost: ", "decision revoked: d-1 by desk: "}) {
    EXPECT_THAT(logged, testing::HasSubstr(text));
  }
  EXPECT_THAT(logged, testing::Not(testing::HasSubstr("signal joined")));
}

TEST(Pipeline, AQuestionThatFailsChangesNothing) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  const auto answer = running.pipeline->ask([](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.revoke(DecisionId{17}, "desk", "none such", now);
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::not_found);
}

TEST(Pipeline, NewRulesKeepWhatIsCounted) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 4, 0));
  auto stricter = unknown_users();
  stricter.when = "bounced(class == unknown_user) >= 6";
  ASSERT_TRUE(running.pipeline->replace_rules({detect::make_detector(stricter).value()}, {}));
  EXPECT_EQ(running.count_of("alice"), 4);
  running.put(bounces("alice", 1, 4, kNoon + 10s));
  EXPECT_TRUE(running.incidents().empty());
  running.put(bounces("alice", 1, 5, kNoon + 11s));
  EXPECT_EQ(running.outbox.active_when(kAny).size(), 1U);
}

TEST(Pipeline, ALateReportOfAnEndedDecisionDoesNotHideTheUndoing) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 6, 0));
  const DecisionId decision = running.outbox.active_when(kAny)[0].id;
  ASSERT_TRUE(running.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.revoke(decision, "desk", "wrong", now);
  }));
  store::Enforcement late{.decision = decision, .enforcer = "postfix"};
  late.actual = store::Enforcement::Actual::applied;
  running.pipeline->report({late}, {});
  running.pipeline->stop();
  auto reader = store::Reader::open({.path = folder / "data"}).value();
  const auto rows = reader->enforcements().value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].wanted, store::Enforcement::Wanted::undone);
}

TEST(Pipeline, AReportIsKept) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 6, 0));
  store::Enforcement applied = running.outbox.rows().at(0).first;
  applied.actual = store::Enforcement::Actual::applied;
  applied.attempts = 2;
  running.pipeline->report({applied}, {});
  running.pipeline->stop();
  auto reader = store::Reader::open({.path = folder / "data"}).value();
  const auto rows = reader->enforcements().value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].actual, store::Enforcement::Actual::applied);
}

TEST(Pipeline, ADecisionEndsByTheClock) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("alice", 6, 0));
  running.outbox.active_when(kAny);
  // What follows is the paced return.
  const auto paced = [](std::string_view measure) {
    return [measure](const std::vector<Decision>& active) {
      return active.size() == 1 && active[0].measure.text() == measure;
    };
  };
  running.clock.set(kNoon + 2h);
  running.outbox.active_when(paced("throttle 1% for 15m"));
  running.clock.set(kNoon + 2h + 15min);
  running.outbox.active_when(paced("throttle 10% for 15m"));
  running.clock.set(kNoon + 2h + 30min);
  EXPECT_TRUE(running.outbox.active_when(kNone).empty());
}

TEST(Pipeline, EvidenceSaysWhereTheFailuresAre) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  EventBatch batch = bounces("alice", 6, 0);
  for (Event& event : batch.events()) event[Field::provider] = "gmail";
  running.put(std::move(batch));
  const auto incidents = running.incidents();
  ASSERT_EQ(incidents.size(), 1u);
  const auto& shares = incidents[0].evidence.at(0).signal.shares;
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(text_of(shares[0]), "5 of 5 failures at provider=gmail");
}

TEST(Pipeline, AfterTheStopNothingIsTaken) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.pipeline->stop();
  EXPECT_FALSE(running.pipeline->deliver({.source = "log"}));
  const auto answer = running.pipeline->ask(
      [](decide::Decider&, detect::Watch&, Time) { return decide::Outcome{}; });
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

// Files may not grow while this lives, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() { free_room(); }
  void free_room() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(Pipeline, AFullDiskPausesAndLosesNothing) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("bob", 1, 0), "first");
  FullDisk disk;
  auto settled = running.deliver(bounces("alice", 6, 0), "second");
  // The block holds at once, for a short while, and says so.
  const auto active = running.outbox.active_when(kAny);
  EXPECT_LE(active[0].until, running.clock.now() + 15min);
  EXPECT_THAT(active[0].because, testing::HasSubstr("not stored yet"));
  EXPECT_TRUE(running.outbox.rows().empty());
  const auto health = running.pipeline->health();
  EXPECT_FALSE(health.storing);
  EXPECT_FALSE(health.error.empty());
  EXPECT_THAT(running.metrics.text(), testing::HasSubstr("watchpost_storing 0\n"));
  EXPECT_EQ(settled.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(running.pipeline->position_of("log"), "first");
  // Questions are answered, changes refused.
  EXPECT_EQ(running.count_of("alice"), 6);
  const auto change =
      running.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
        return decider.revoke(active[0].id, "desk", "wrong", now);
      });
  EXPECT_FALSE(change);

  disk.free_room();
  EXPECT_TRUE(settled.get());
  EXPECT_TRUE(running.pipeline->health().storing);
  EXPECT_THAT(running.metrics.text(), testing::HasSubstr("watchpost_storing 1\n"));
  EXPECT_EQ(running.pipeline->position_of("log"), "second");
  const auto stored = running.outbox.active_when(
      [&](const auto& all) { return !all.empty() && all[0].until > running.clock.now() + 30min; });
  EXPECT_EQ(running.outbox.rows().size(), 1U);
  auto reader = store::Reader::open({.path = folder / "data"}).value();
  EXPECT_EQ(reader->events({}).value().events.size(), 7U);
  EXPECT_EQ(reader->decisions().value().size(), 1U);
}

TEST(Pipeline, AQuestionTakenTogetherWithWhatCannotBeStoredIsAnswered) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  running.put(bounces("bob", 1, 0));
  // While the pipeline is held up, both an arrival and a question come to wait for it.
  std::promise<void> held;
  std::promise<void> go_on;
  const auto wait = [&] {
    return running.pipeline->look([&](const decide::Decider&, const detect::Watch&, Time) {
      held.set_value();
      go_on.get_future().wait();
    });
  };
  auto holding = std::async(std::launch::async, wait);
  held.get_future().wait();
  FullDisk disk;
  auto settled = running.deliver(bounces("alice", 6, 0));
  auto answer = std::async(std::launch::async, [&] { return running.count_of("bob"); });
  std::this_thread::sleep_for(50ms);  // for the question to be in the inbox; else this tests less
  go_on.set_value();
  EXPECT_TRUE(holding.get());
  EXPECT_EQ(answer.get(), 1);
  EXPECT_EQ(settled.wait_for(0s), std::future_status::timeout);
  disk.free_room();
  EXPECT_TRUE(settled.get());
}

TEST(Pipeline, StoppedWhileTheDiskIsFullKeepsNothingBehindAGap) {
  const Folder folder;
  {
    Running running(options_in(folder / "data"));
    running.put(bounces("bob", 1, 0), "first");
    FullDisk disk;
    auto settled = running.deliver(bounces("alice", 6, 0), "second");
    running.outbox.active_when(kAny);
    auto behind = running.deliver(bounces("carol", 1, 0), "third");
    std::thread stopping([&] { running.pipeline->stop(); });
    EXPECT_FALSE(settled.get());
    disk.free_room();
    EXPECT_FALSE(behind.get());
    stopping.join();
  }
  Running again(options_in(folder / "data"));
  EXPECT_EQ(again.pipeline->position_of("log"), "first");
  again.put(bounces("alice", 6, 0), "second");
  EXPECT_EQ(again.outbox.active_when(kAny).size(), 1U);
}

}  // namespace
}  // namespace watchpost::ingest
