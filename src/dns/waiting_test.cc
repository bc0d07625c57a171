#include "dns/real_resolver.h"
#include "dns/test_asking.h"
#include "dns/test_server.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ResolverSettings settings_for(const TestServer& server) {
  ResolverSettings settings;
  settings.servers = {server.address()};
  settings.timeout = 20s;
  return settings;
}

std::vector<Said> text(const Heard& heard, std::string_view text) {
  return {{heard.reply().answer(pointer_to(12), 16, 300, wire_string(text)).bytes()}};
}

// Says nothing of names that begin with "slow".
TestServer::Says all_but_slow() {
  return [](const Heard& heard) -> std::vector<Said> {
    if (heard.name.starts_with("slow")) return {};
    return text(heard, heard.name);
  };
}

TEST(Waiting, WhoAsksTheSameSharesOneQuestion) {
  // The first packet goes unanswered, so that all have asked before the second comes.
  TestServer server([](const Heard& heard) -> std::vector<Said> {
    if (heard.times == 1) return {};
    return text(heard, "x");
  });
  ResolverSettings settings = settings_for(server);
  settings.timeout = 6s;
  Asking asking(settings);
  std::vector<std::future<AnswerPtr>> answers;
  for (const char* name : {"a.example", "A.example", "a.example."}) {
    answers.push_back(begin_asking(*asking.resolver, name, RecordType::txt, asking.budget));
  }
  const auto first = answers[0].get();
  EXPECT_THAT(first->texts, ElementsAre("x"));
  EXPECT_EQ(answers[1].get(), first);
  EXPECT_EQ(answers[2].get(), first);
  EXPECT_EQ(server.heard(), 2U);
}

TEST(Waiting, OthersDoNotWaitForTheSlow) {
  TestServer server(all_but_slow());
  Asking asking(settings_for(server));
  std::vector<std::future<AnswerPtr>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(
        begin_asking(*asking.resolver, "slow" + std::to_string(i), RecordType::txt, asking.budget));
  }
  EXPECT_THAT(asking.ask("quick", RecordType::txt)->texts, ElementsAre("quick"));
  for (const auto& one : slow) EXPECT_EQ(one.wait_for(0s), std::future_status::timeout);
  asking.resolver.reset();
}

TEST(Waiting, BudgetsAreWithinTheCall) {
  TestServer server(all_but_slow());
  Asking asking(settings_for(server));
  Budget two{.queries = 2};
  EXPECT_EQ(begin_asking(*asking.resolver, "a", RecordType::txt, two).get()->outcome,
            Outcome::found);
  EXPECT_EQ(begin_asking(*asking.resolver, "a", RecordType::txt, two).get()->outcome,
            Outcome::found);
  const auto third = begin_asking(*asking.resolver, "a", RecordType::txt, two).get();
  EXPECT_EQ(third->outcome, Outcome::failed);
  EXPECT_THAT(third->why, HasSubstr("no more than 2"));
  EXPECT_EQ(two.made, 2U);
  Budget over{.until = asking.clock.now() - 1us};
  EXPECT_EQ(begin_asking(*asking.resolver, "a", RecordType::txt, over).get()->outcome,
            Outcome::failed);
  // Runs out on the way, long before the question does.
  Budget soon{.until = asking.clock.now() + 50ms};
  const auto answer = begin_asking(*asking.resolver, "slow", RecordType::txt, soon).get();
  EXPECT_EQ(answer->outcome, Outcome::failed);
  EXPECT_THAT(answer->why, HasSubstr("time that the message had"));
  // That is no answer for others: the question is still being asked.
  auto other = begin_asking(*asking.resolver, "slow", RecordType::txt, asking.budget);
  EXPECT_EQ(other.wait_for(0s), std::future_status::timeout);
  asking.resolver.reset();
  EXPECT_EQ(other.get()->outcome, Outcome::failed);
}

TEST(Waiting, TheBudgetOfAMessage) {
  TestServer server(all_but_slow());
  ResolverSettings settings = settings_for(server);
  settings.message_lookups = 7;
  settings.message_time = 5s;
  Asking asking(settings);
  const Time before = asking.clock.now();
  const Budget budget = asking.resolver->message_budget();
  EXPECT_EQ(budget.queries, 7U);
  EXPECT_GE(budget.until, before + 5s);
}

Async<int> ask_in_turn(Resolver& resolver, Budget& budget, int count) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    const AnswerPtr answer =
        co_await resolver.look_up("a" + std::to_string(i), RecordType::txt, budget);
    if (answer->outcome == Outcome::found) ++found;
  }
  co_return found;
}

int in_turn(Asking& asking, int count) {
  std::promise<int> promise;
  start(ask_in_turn(*asking.resolver, asking.budget, count),
        [&promise](int found) { promise.set_value(found); });
  return promise.get_future().get();
}

TEST(Waiting, WhoWasAnsweredMayAskAgain) {
  TestServer server(all_but_slow());
  Asking asking(settings_for(server));
  EXPECT_EQ(in_turn(asking, 50), 50);
  EXPECT_EQ(in_turn(asking, 50), 50);
  EXPECT_EQ(server.heard(), 50U);
}

Async<std::string> ask_two(Resolver& resolver, Budget& budget) {
  const AnswerPtr first = co_await resolver.look_up("slow1", RecordType::txt, budget);
  const AnswerPtr second = co_await resolver.look_up("slow2", RecordType::txt, budget);
  co_return first->why + "; " + second->why;
}

TEST(Waiting, TheEndEndsAllWaits) {
  TestServer server(all_but_slow());
  Asking asking(settings_for(server));
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 10; ++i) {
    auto promise = std::make_shared<std::promise<std::string>>();
    answers.push_back(promise->get_future());
    start(ask_two(*asking.resolver, asking.budget),
          [promise](std::string why) { promise->set_value(std::move(why)); });
  }
  asking.resolver.reset();
  for (auto& one : answers) {
    ASSERT_EQ(one.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(one.get(), "Watchpost is stopping; Watchpost is stopping");
  }
}

TEST(Waiting, NoMoreWaitThanMay) {
  TestServer server(all_but_slow());
  ResolverSettings settings = settings_for(server);
  settings.most_waiting = 3;
  Asking asking(settings);
  std::vector<std::future<AnswerPtr>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(begin_asking(*asking.resolver, "slow", RecordType::txt, asking.budget));
  }
  const auto refused = asking.ask("quick", RecordType::txt);
  EXPECT_EQ(refused->outcome, Outcome::failed);
  EXPECT_THAT(refused->why, HasSubstr("Too many"));
  asking.resolver.reset();
}

TEST(Waiting, GoesOnWhereItIsWanted) {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::coroutine_handle<>> handles;
  TestServer server(all_but_slow());
  Asking asking(settings_for(server), [&](std::coroutine_handle<> handle) {
    const std::lock_guard lock(mutex);
    handles.push_back(handle);
    changed.notify_one();
  });
  std::thread::id went_on;
  start(asking.resolver->look_up("a", RecordType::txt, asking.budget),
        [&](const AnswerPtr&) { went_on = std::this_thread::get_id(); });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !handles.empty(); });
  lock.unlock();
  handles.front().resume();
  EXPECT_EQ(went_on, std::this_thread::get_id());
}

TEST(Waiting, ManyThreadsAskAtOnce) {
  TestServer server(all_but_slow());
  ResolverSettings settings = settings_for(server);
  settings.cache.entries = 30;
  Asking asking(settings);
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&asking, &right, thread] {
      for (int i = 0; i < 300; ++i) {
        Budget budget;
        const std::string name = "n" + std::to_string((i * 7 + thread) % 60);
        const auto answer = begin_asking(*asking.resolver, name, RecordType::txt, budget).get();
        if (answer->texts == std::vector{name}) ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 1200);
}

TEST(Resolver, RefusesServersThatAreNone) {
  const SystemClock clock;
  for (const std::string text : {"", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                                 "[::1]", "[::1]:x", "[127.0.0.1]:53", "1.2.3", "::1:53x"}) {
    Metrics metrics;
    ResolverSettings settings;
    settings.servers = {text};
    const auto opened = RealResolver::open(settings, clock, metrics);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().code, Code::bad_input);
    EXPECT_THAT(opened.error().what, HasSubstr("`" + text + "`"));
  }
  for (const std::string text : {"127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:5353"}) {
    Metrics metrics;
    ResolverSettings settings;
    settings.servers = {text};
    EXPECT_TRUE(RealResolver::open(settings, clock, metrics)) << text;
  }
  Metrics metrics;
  EXPECT_TRUE(RealResolver::open({}, clock, metrics));
}

}  // namespace
}  // namespace watchpost::dns
