#pragma once
#include "base/metrics.h"
#include "detect/rules.h"
#include "ingest/pipeline.h"
#include "ingest/test_files.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// A pipeline over a real store, with an outbox that remembers.
namespace watchpost::ingest::test {

inline constexpr Time kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 12h;

class HandClock final : public Clock {
 public:
  Time now() const override { return now_.load(); }
  void set(Time now) { now_ = now; }

 private:
  std::atomic<Time> now_{kNoon};
};

class RememberingOutbox final : public Outbox {
 public:
  std::vector<store::Enforcement> rows_for(const Decision& decision, Time now) override {
    using Wanted = store::Enforcement::Wanted;
    return {{.decision = decision.id,
             .enforcer = "postfix",
             .wanted = decision.in_force(now) ? Wanted::applied : Wanted::undone,
             .changed_at = now}};
  }
  void committed(std::vector<Decision> active,
                 std::vector<std::pair<store::Enforcement, Decision>> rows,
                 std::vector<Notice> notices) override {
    {
      const std::lock_guard lock(mutex_);
      active_ = std::move(active);
      for (auto& row : rows) rows_.push_back(std::move(row));
      for (Notice& notice : notices) notices_.push_back(std::move(notice));
      ++calls_;
    }
    told_.notify_all();
  }
  // Waits until `so` holds for what is active.
  std::vector<Decision> active_when(const std::function<bool(const std::vector<Decision>&)>& so) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return calls_ > 0 && so(active_); }));
    return active_;
  }
  std::vector<std::pair<store::Enforcement, Decision>> rows() {
    const std::lock_guard lock(mutex_);
    return rows_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<Decision> active_;
  std::vector<std::pair<store::Enforcement, Decision>> rows_;
  std::vector<Notice> notices_;
  int calls_ = 0;
};

inline detect::DetectorSettings unknown_users() {
  return {.name = "unknown users",
          .watch = {"credential"},
          .window = 10min,
          .when = "bounced(class == unknown_user) >= 5",
          .mode = "enforce",
          .then = {"suspend 1h"}};
}

inline PipelineOptions options_in(const std::string& folder,
                                  const detect::DetectorSettings& settings = unknown_users()) {
  PipelineOptions options;
  options.store.path = folder;
  options.detectors.push_back(detect::make_detector(settings).value());
  return options;
}

// `count` bounces of one login, one a second from `at`; their ids begin at `first`.
inline EventBatch bounces(std::string_view login, int count, uint64_t first, Time at = kNoon) {
  EventBatch batch;
  for (int i = 0; i < count; ++i) {
    Event& event = batch.add();
    event.id = hash128(fmt::format("{} {}", login, first + static_cast<uint64_t>(i)));
    event.at = at + std::chrono::seconds(i);
    event.kind = EventKind::bounced;
    event[Field::credential] = batch.keep(login);
    event[Field::class_] = "unknown_user";
    event[Field::recipient] = batch.keep(fmt::format("user{}@example.com", i));
  }
  return batch;
}

// A running pipeline.
struct Running {
  HandClock clock;
  Metrics metrics;
  RememberingOutbox outbox;
  std::unique_ptr<Pipeline> pipeline;

  explicit Running(PipelineOptions options, Time now = kNoon + 1min) {
    clock.set(now);
    auto opened = Pipeline::open(std::move(options), outbox, clock, metrics);
    EXPECT_TRUE(opened) << opened.error().text();
    pipeline = std::move(*opened);
    pipeline->start();
  }
  std::future<Result<Done>> deliver(EventBatch events,
                                    std::optional<std::string> position = std::nullopt) {
    const auto settled = std::make_shared<std::promise<Result<Done>>>();
    auto answer = settled->get_future();
    EXPECT_TRUE(pipeline->deliver(
        {.events = std::move(events),
         .source = "log",
         .position = std::move(position),
         .settled = [settled](const Result<Done>& done) { settled->set_value(done); }}));
    return answer;
  }
  // Delivers, and waits until it is on disk.
  void put(EventBatch events, std::optional<std::string> position = std::nullopt) {
    const auto done = deliver(std::move(events), std::move(position)).get();
    EXPECT_TRUE(done) << done.error().text();
  }
  // What the detector counted for the login.
  double count_of(std::string_view login) {
    double value = -1;
    const auto done = pipeline->look([&](const decide::Decider&, const detect::Watch& watch, Time) {
      const auto views = watch.explain(Stream{{{Field::credential, std::string(login)}}});
      if (!views.empty()) value = views.front().value;
    });
    EXPECT_TRUE(done);
    return value;
  }
  std::vector<Incident> incidents() {
    std::vector<Incident> all;
    const auto done = pipeline->ask(
        [&](decide::Decider& decider, detect::Watch&, Time) -> Result<decide::Outcome> {
          for (const auto& [id, incident] : decider.incidents()) all.push_back(incident);
          return decide::Outcome{};
        });
    EXPECT_TRUE(done);
    return all;
  }
};

}  // namespace watchpost::ingest::test
