#include "ingest/intake.h"
#include "ingest/source.h"
#include "ingest/supervisor.h"
#include "ingest/test_pipeline.h"
#include "ingest/test_settings.h"

#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
namespace fs = std::filesystem;

struct Parts {
  feedback::Mapping mapping;
  HandClock clock;
  SourceContext context{feedback::Classifier::shipped(), mapping, clock};

  Result<std::unique_ptr<Source>> make(std::string_view kind, const std::string& path,
                                       const std::string& start = "beginning") {
    const SourceKind* const found = source_kind(kind);
    EXPECT_NE(found, nullptr);
    const auto settings = found->settings();
    Filler filler({{"path", path}, {"start", start}});
    settings->describe(filler);
    return found->make("log", *settings, context);
  }
};

std::string event_line(int number, Time at = kNoon) {
  return fmt::format(
      R"({{"v":1,"at":"{}","kind":"delivered","recipient":"u{}@Example.COM","credential":"alice"}})"
      "\n",
      format_time(at), number);
}

// Keeps what it is given, as a pipeline does.
class KeepingSink final : public EventSink {
 public:
  bool deliver(Arrival arrival) override {
    const std::lock_guard lock(mutex_);
    for (const Event& event : arrival.events.events()) {
      if (ids_.insert(event.id).second) kept_.copy(event);
      ++all_;
    }
    if (arrival.position) position_ = *arrival.position;
    if (arrival.settled) arrival.settled(Done{});
    return true;
  }
  size_t kept() const {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }
  size_t all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::string position() const {
    const std::lock_guard lock(mutex_);
    return position_;
  }
  std::vector<std::string> recipients() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const Event& event : kept_.events()) all.emplace_back(event[Field::recipient]);
    return all;
  }
  EventBatch copy() const {
    const std::lock_guard lock(mutex_);
    EventBatch batch;
    for (const Event& event : kept_.events()) batch.copy(event);
    return batch;
  }

 private:
  mutable std::mutex mutex_;
  EventBatch kept_;
  std::set<EventId> ids_;
  size_t all_ = 0;
  std::string position_;
};

void wait_until(const std::function<bool()>& so) {
  for (int i = 0; i < 60'000 && !so(); ++i) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(so());
}

TEST(Sources, EveryKindIsInTheTableAndDescribesItself) {
  std::set<std::string_view> names;
  for (const SourceKind* const kind : source_kinds()) {
    EXPECT_TRUE(names.insert(kind->name).second);
    EXPECT_FALSE(kind->summary.empty());
    EXPECT_EQ(source_kind(kind->name), kind);
    Filler filler({});
    kind->settings()->describe(filler);
  }
  EXPECT_EQ(source_kind("carrier_pigeon"), nullptr);
  size_t files = 0;
  for (const auto& file :
       fs::directory_iterator(std::string(WATCHPOST_SOURCE_DIR) + "/src/ingest/sources")) {
    files += file.path().extension() == ".cc" ? 1 : 0;
  }
  EXPECT_EQ(files, names.size());
}

TEST(Sources, AFolderIsRefusedAndAMissingFileIsNot) {
  const Folder folder;
  Parts parts;
  const auto refused = parts.make("events", folder.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::bad_input);
  EXPECT_FALSE(parts.make("events", ""));
  EXPECT_TRUE(parts.make("events", folder / "missing"));
}

TEST(Sources, KumomtaReadsAFolderOfSegmentsAndAFile) {
  const Folder folder;
  Parts parts;
  const std::string record =
      R"({"type":"Delivery","id":"1","timestamp":1700000000,"recipient":"u@X.example"})"
      "\n";
  write_file(folder / "20261124-104500", zstd(record));
  write_file(folder / "log", record);
  for (const std::string& path : {folder.path(), folder / "log"}) {
    auto source = parts.make("kumomta_log", path).value();
    KeepingSink sink;
    std::jthread thread(
        [&](const std::stop_token& stop) { EXPECT_TRUE(source->run(sink, "", stop)); });
    wait_until([&] { return sink.kept() == 1; });
    thread.request_stop();
    thread.join();
    EXPECT_EQ(sink.copy().events()[0][Field::recipient_domain], "x.example");
    EXPECT_EQ(source->status().lines, 1u);
    EXPECT_FALSE(sink.position().empty());
  }
  EXPECT_TRUE(parts.make("kumomta_log", folder / "missing/"));
}

TEST(Sources, FollowsEventsAndSaysWhatItDoes) {
  const Folder folder;
  Parts parts;
  auto source = parts.make("events", folder / "log").value();
  KeepingSink sink;
  std::jthread thread(
      [&](const std::stop_token& stop) { EXPECT_TRUE(source->run(sink, "", stop)); });
  wait_until([&] { return source->status().state.find("does not exist") != std::string::npos; });
  write_file(folder / "log", event_line(1) + "not an event\n" + event_line(2, kNoon + 2h));
  wait_until([&] { return sink.kept() == 2; });
  wait_until([&] {
    const SourceStatus now = source->status();
    return now.events == 2 && now.lines == 3 && !now.unread.empty();
  });
  const SourceStatus status = source->status();
  EXPECT_TRUE(status.healthy) << status.state;
  EXPECT_EQ(status.unread.at("bad_event").count, 1U);
  const EventBatch kept = sink.copy();
  // The mapping has been applied.
  EXPECT_EQ(kept.events()[0][Field::recipient_domain], "example.com");
  EXPECT_FALSE(kept.events()[0].clock_suspect);
  // An event of the future is one of now.
  EXPECT_TRUE(kept.events()[1].clock_suspect);
  EXPECT_EQ(kept.events()[1].at, kNoon);
}

TEST(Sources, AJoinSurvivesARestart) {
  const Folder folder;
  Parts parts;
  const std::string open =
      "2026-11-24T11:00:00.000000+00:00 mx postfix/smtpd[1]: 4Xy1bc2KdzFgh: "
      "client=unknown[192.0.2.1], "
      "sasl_method=PLAIN, sasl_username=alice\n"
      "2026-11-24T11:00:00.100000+00:00 mx postfix/qmgr[2]: 4Xy1bc2KdzFgh: from=<a@example.org>, "
      "size=100, "
      "nrcpt=1 (queue active)\n";
  const std::string sent =
      "2026-11-24T11:00:01.000000+00:00 mx postfix/smtp[3]: 4Xy1bc2KdzFgh: to=<b@example.com>, "
      "relay=mx.example.com[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 "
      "ok)\n";
  write_file(folder / "log", open);
  KeepingSink sink;
  {
    auto source = parts.make("postfix_log", folder / "log").value();
    std::jthread thread([&](const std::stop_token& stop) { (void)source->run(sink, "", stop); });
    wait_until([&] { return source->status().lines == 2; });
  }
  append_file(folder / "log", sent);
  auto source = parts.make("postfix_log", folder / "log").value();
  std::jthread thread(
      [&](const std::stop_token& stop) { (void)source->run(sink, sink.position(), stop); });
  const auto delivered = [&] {
    const EventBatch kept = sink.copy();
    for (const Event& event : kept.events()) {
      if (event.kind == EventKind::delivered) return std::string(event[Field::credential]);
    }
    return std::string("none");
  };
  wait_until([&] { return delivered() != "none"; });
  EXPECT_EQ(delivered(), "alice");
  EXPECT_EQ(source->status().lines, 1U);
}

TEST(Sources, TheTimeOfTheNewestEventSurvivesARestart) {
  const Folder folder;
  Parts parts;
  write_file(folder / "log", event_line(1, kNoon - 2h) + event_line(2, kNoon - 3h));
  KeepingSink sink;
  const auto run_from = [&](const std::string& position, const std::function<bool()>& so) {
    auto source = parts.make("events", folder / "log").value();
    std::jthread thread(
        [&](const std::stop_token& stop) { EXPECT_TRUE(source->run(sink, position, stop)); });
    wait_until([&] { return so() && source->status().state == "following"; });
    thread.request_stop();
    thread.join();
    return source->status().last_event_at;
  };
  EXPECT_EQ(run_from("", [&] { return sink.kept() == 2; }), kNoon - 2h);
  const std::string position = sink.position();
  EXPECT_EQ(run_from(position, [] { return true; }), kNoon - 2h);
  // Of before this was kept: known from the next event on.
  const std::string old = position.substr(position.find("follow1 "));
  EXPECT_EQ(run_from(old, [] { return true; }), std::nullopt);
  append_file(folder / "log", event_line(3, kNoon - 1h));
  EXPECT_EQ(run_from(old, [&] { return sink.kept() == 3; }), kNoon - 1h);
  auto source = parts.make("events", folder / "log").value();
  const auto ended = source->run(sink, "newest1 yesterday\n" + old, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::corrupt);
}

TEST(Sources, ABadPositionIsAnErrorAndNotAFreshStart) {
  const Folder folder;
  Parts parts;
  write_file(folder / "log", event_line(1));
  auto source = parts.make("events", folder / "log").value();
  KeepingSink sink;
  const auto ended = source->run(sink, "no position", {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::corrupt);
  EXPECT_EQ(sink.all(), 0U);
}

// A writer that never stops, a rotation every few lines, a reader that is stopped and started.
TEST(Sources, ThreadsAndRotationsLoseNothing) {
  const Folder folder;
  Parts parts;
  const std::string path = folder / "log";
  constexpr int kLines = 3000;
  KeepingSink sink;
  append_file(path, event_line(0));
  std::jthread writer([&] {
    // What was rotated away before a first start is not looked for.
    wait_until([&] { return !sink.position().empty(); });
    for (int i = 1; i < kLines; ++i) {
      append_file(path, event_line(i));
      if (i % 100 != 99) continue;
      for (int number = 40; number > 0; --number) {
        for (const char* const packing : {"", ".gz"}) {
          const std::string from = fmt::format("{}.{}{}", path, number, packing);
          if (fs::exists(from)) fs::rename(from, fmt::format("{}.{}{}", path, number + 1, packing));
        }
      }
      fs::rename(path, path + ".1");
      if (fs::exists(path + ".2")) pack(path + ".2", false);
    }
  });
  int runs = 0;
  while (sink.kept() < kLines && runs < 2000) {
    auto source = parts.make("events", path).value();
    const size_t before = sink.all();
    std::jthread reader(
        [&](const std::stop_token& stop) { (void)source->run(sink, sink.position(), stop); });
    wait_until([&] { return sink.all() >= before + 50 || sink.kept() >= kLines; });
    ++runs;
  }
  std::vector<std::string> wanted;
  for (int i = 0; i < kLines; ++i) wanted.push_back(fmt::format("u{}@Example.COM", i));
  EXPECT_EQ(sink.recipients(), wanted);
  EXPECT_EQ(sink.all(), sink.kept());
}

class FailingSource final : public Source {
 public:
  Result<Done> run(EventSink&, std::string_view position, std::stop_token) override {
    EXPECT_EQ(position, "there");
    ++runs;
    if (runs == 1) return fail(Code::unavailable, "not now");
    return Done{};
  }
  SourceStatus status() const override { return {.state = "fine"}; }
  std::atomic<int> runs = 0;
};

TEST(Sources, TheSupervisorStartsAFailedOneAgain) {
  KeepingSink sink;
  std::vector<NamedSource> sources;
  auto failing = std::make_unique<FailingSource>();
  const FailingSource& seen = *failing;
  sources.push_back({"log", "fake", std::move(failing)});
  Supervisor supervisor(std::move(sources), sink, [](std::string_view) { return "there"; });
  supervisor.start();
  wait_until([&] { return seen.runs >= 1; });
  wait_until([&] { return !supervisor.statuses()[0].status.healthy || seen.runs == 2; });
  wait_until([&] { return seen.runs == 2; });
  wait_until([&] { return supervisor.statuses()[0].status.healthy; });
  supervisor.stop();
}

TEST(Sources, TheSupervisorShowsEachInTheMetrics) {
  const Folder folder;
  Parts parts;
  KeepingSink sink;
  write_file(folder / "there", event_line(1));
  std::vector<NamedSource> sources;
  for (const char* const name : {"there", "missing"}) {
    sources.push_back({name, "events", parts.make("events", folder / name).value()});
  }
  Supervisor supervisor(std::move(sources), sink, [](std::string_view) { return ""; });
  Metrics metrics;
  metrics.before_text([&] { supervisor.show(metrics); });
  supervisor.start();
  const auto shows = [&](std::string_view line) {
    return metrics.text().find(line) != std::string::npos;
  };
  wait_until([&] { return shows("watchpost_source_healthy{source=\"missing\"} 0\n"); });
  wait_until([&] { return shows("watchpost_source_healthy{source=\"there\"} 1\n"); });
  wait_until([&] { return shows("watchpost_source_bytes_behind{source=\"there\"} 0\n"); });
  supervisor.stop();
}

TEST(Sources, FromALogToAMeasureAndOnAfterARestart) {
  const Folder folder;
  Parts parts;
  const auto bounce = [](int i) {
    return fmt::format(
        R"({{"v":1,"at":"{}","kind":"bounced","class":"unknown_user","credential":"alice","recipient":"u{}@example.com"}})"
        "\n",
        format_time(kNoon + std::chrono::seconds(i)), i);
  };
  const auto supervised = [&](Running& running) {
    std::vector<NamedSource> sources;
    sources.push_back({"log", "events", parts.make("events", folder / "log").value()});
    return std::make_unique<Supervisor>(
        std::move(sources), *running.pipeline,
        [&](std::string_view name) { return running.pipeline->position_of(name); });
  };
  {
    Running running(options_in(folder / "data"));
    auto supervisor = supervised(running);
    supervisor->start();
    for (int i = 0; i < 3; ++i) append_file(folder / "log", bounce(i));
    wait_until([&] { return running.count_of("alice") == 3; });
    supervisor->stop();
  }
  fs::rename(folder / "log", folder / "log.1");
  append_file(folder / "log.1", bounce(3));
  append_file(folder / "log", bounce(4));
  Running running(options_in(folder / "data"));
  auto supervisor = supervised(running);
  supervisor->start();
  EXPECT_EQ(running.outbox.active_when([](const auto& all) { return !all.empty(); }).size(), 1U);
  EXPECT_EQ(running.pipeline->health().events, 5U);
  supervisor->stop();
}

TEST(Intake, AcceptsWhatItCanAndSaysWhatItCannot) {
  KeepingSink sink;
  Parts parts;
  Intake intake(sink, parts.context);
  std::optional<Result<IntakeReceipt>> answer;
  const auto keep = [&](Result<IntakeReceipt> given) { answer = std::move(given); };
  const std::string body = event_line(1) + "\r\n{\"v\":1}\n" + event_line(2) + "junk";
  intake.take("shop", body, keep);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->accepted, 2U);
  EXPECT_EQ((*answer)->refused_total, 2U);
  ASSERT_EQ((*answer)->refused.size(), 2U);
  EXPECT_EQ((*answer)->refused[0].line, 3U);
  EXPECT_EQ((*answer)->refused[1].line, 5U);
  EXPECT_FALSE((*answer)->refused[0].why.empty());
  // The same body again is the same events.
  intake.take("shop", body, keep);
  EXPECT_EQ(sink.kept(), 2U);
  EXPECT_EQ(sink.all(), 4U);
  EXPECT_EQ(intake.status().unread.at("bad_event").count, 4U);
  intake.take("shop", "", keep);
  EXPECT_EQ((*answer)->accepted, 0U);
}

TEST(Intake, TakesKumomtaRecordsOnceInWhateverCompany) {
  KeepingSink sink;
  Parts parts;
  Intake intake(sink, parts.context);
  std::optional<Result<IntakeReceipt>> answer;
  const auto keep = [&](Result<IntakeReceipt> given) { answer = std::move(given); };
  const auto record = [](int number) {
    return fmt::format(
        R"({{"type":"Delivery","id":"{}","timestamp":1700000000,"recipient":"u@x.example",)"
        R"("meta":{{"account":"acme"}}}})",
        number);
  };
  feedback::KumomtaNames names;
  names.customer = {"account"};
  intake.take_kumomta("hook", names, "[" + record(1) + "," + record(2) + ",{}]", keep);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->accepted, 2U);
  ASSERT_EQ((*answer)->refused.size(), 1U);
  EXPECT_EQ((*answer)->refused[0].line, 3U);
  // Alone, and with another one.
  intake.take_kumomta("hook", names, record(2), keep);
  intake.take_kumomta("hook", names, record(1) + "\n" + record(3) + "\n", keep);
  EXPECT_EQ((*answer)->accepted, 2U);
  EXPECT_EQ(sink.kept(), 3U);
  const EventBatch kept = sink.copy();
  EXPECT_EQ(kept.events()[0][Field::customer], "acme");
  EXPECT_EQ(kept.events()[0][Field::recipient_domain], "x.example");
  EXPECT_EQ(intake.status().unread.at("no_type").count, 1U);
  names.customer = {""};
  intake.take_kumomta("hook", names, record(4), keep);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, Code::bad_input);
}

TEST(Intake, AnswersWhenItIsOnDiskAndOnlyThen) {
  const Folder folder;
  Parts parts;
  std::promise<Result<IntakeReceipt>> promise;
  Running running(options_in(folder / "data"));
  Intake intake(*running.pipeline, parts.context);
  intake.take("shop", event_line(1),
              [&](Result<IntakeReceipt> given) { promise.set_value(std::move(given)); });
  EXPECT_EQ(promise.get_future().get()->accepted, 1U);
  auto reader = store::Reader::open({.path = folder / "data"}).value();
  EXPECT_EQ(reader->events({}).value().events.size(), 1U);
  running.pipeline->stop();
  std::promise<Result<IntakeReceipt>> late;
  intake.take("shop", event_line(2),
              [&](Result<IntakeReceipt> given) { late.set_value(std::move(given)); });
  EXPECT_EQ(late.get_future().get().error().code, Code::unavailable);
}

}  // namespace
}  // namespace watchpost::ingest
