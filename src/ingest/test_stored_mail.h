#pragma once
#include "feedback/attribution/test_mail.h"
#include "ingest/feedback_reader.h"
#include "ingest/source.h"
#include "ingest/test_files.h"
#include "ingest/test_settings.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

// Sources of stored mail, run for tests.
namespace watchpost::ingest::test {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class KeepingSink final : public EventSink {
 public:
  bool deliver(Arrival arrival) override {
    if (const auto act = std::exchange(at_first_, {})) act();
    {
      const std::lock_guard lock(mutex_);
      for (const Event& event : std::as_const(arrival.events).events()) {
        recipients_.emplace_back(event[Field::recipient]);
        times_.push_back(event.at);
      }
      for (KeptMail& kept : arrival.kept_mail) kept_.push_back(std::move(kept));
      if (arrival.position) position_ = *arrival.position;
      ++arrivals_;
    }
    if (arrival.settled) arrival.settled(Done{});
    told_.notify_all();
    return true;
  }
  // What is done once, in the middle of the first mail.
  void at_first(std::function<void()> act) { at_first_ = std::move(act); }
  // Waits for so many events.
  std::vector<std::string> recipients(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return recipients_.size() >= wanted; }));
    return recipients_;
  }
  // Waits for so many mails, whatever they bring. Folders are read in no certain order.
  void arrivals(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return arrivals_ >= wanted; }));
  }
  std::vector<KeptMail> kept(size_t wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, 60s, [&] { return kept_.size() >= wanted; }));
    return kept_;
  }
  std::string position() {
    const std::lock_guard lock(mutex_);
    return position_;
  }
  std::vector<Time> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::function<void()> at_first_;
  size_t arrivals_ = 0;
  std::vector<std::string> recipients_;
  std::vector<Time> times_;
  std::vector<KeptMail> kept_;
  std::string position_;
};

inline std::string bounce_of(std::string_view user) {
  return feedback::test::dsn_text({.recipient = std::string(user) + "@example.com"});
}
inline std::string in_mbox(const std::string& mail,
                           std::string_view date = "Tue Nov 24 03:00:01 2026") {
  return fmt::format("From MAILER-DAEMON {}\n{}\n", date, mail);
}

// A clock that is put forward, and says how often it was asked.
class SetClock final : public Clock {
 public:
  Time now() const override {
    ++asked_;
    return SystemClock().now() + Duration(ahead_.load());
  }
  void put_forward(Duration by) { ahead_ += by.count(); }
  // Until somebody who asks with each look has looked again.
  void wait_for_looks() const {
    for (const int before = asked_; asked_ < before + 6;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  mutable std::atomic<int> asked_{0};
  std::atomic<Duration::rep> ahead_{0};
};

class StoredMail : public ::testing::Test {
 protected:
  std::unique_ptr<Source> make(std::string_view kind,
                               std::map<std::string, std::string, std::less<>> values) {
    const SourceKind* const found = source_kind(kind);
    const auto settings = found->settings();
    Filler filler(std::move(values));
    settings->describe(filler);
    auto made = found->make("mail", *settings, context_);
    EXPECT_TRUE(made) << made.error().text();
    return std::move(*made);
  }
  // Runs it while `meanwhile` does something; gives the last position.
  std::string run(Source& source, const std::string& position, KeepingSink& sink,
                  const std::function<void()>& meanwhile) {
    std::jthread thread([&](const std::stop_token& stop) {
      const auto done = source.run(sink, position, stop);
      EXPECT_TRUE(done) << done.error().text();
    });
    meanwhile();
    thread.request_stop();
    thread.join();
    return sink.position();
  }
  void put(std::string_view name, const std::string& mail) const {
    write_file(folder_ / "tmp/" + std::string(name), mail);
    fs::rename(folder_ / "tmp/" + std::string(name), folder_ / "new/" + std::string(name));
  }
  void make_folders() const {
    for (const char* const one : {"new", "cur", "tmp"}) fs::create_directories(folder_ / one);
  }

  Folder folder_;
  SetClock clock_;
  feedback::Mapping mapping_;
  feedback::AttributionRules rules_;
  Metrics metrics_;
  FeedbackReader reader_{
      std::shared_ptr<const feedback::AttributionRules>(std::shared_ptr<void>(), &rules_),
      feedback::Classifier::shipped(), mapping_, nullptr, metrics_};
  SourceContext context_{feedback::Classifier::shipped(), mapping_, clock_, &reader_};
};

}  // namespace watchpost::ingest::test
