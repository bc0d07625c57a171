#include "api/api.h"

#include "api/fake_desk.h"
#include "net/http_client.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace watchpost::api {
namespace {

namespace files = std::filesystem;

// A pipeline that keeps arrivals until it is told what became of them.
class FakeSink final : public ingest::EventSink {
 public:
  bool deliver(ingest::Arrival arrival) override {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    arrivals_.push_back(std::move(arrival));
    changed_.notify_all();
    return true;
  }
  ingest::Arrival next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !arrivals_.empty(); });
    ingest::Arrival arrival = std::move(arrivals_.back());
    arrivals_.pop_back();
    return arrival;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ingest::Arrival> arrivals_;
  bool closed_ = false;
};

// A desk whose status() waits until it is let go.
class SlowDesk final : public FakeDesk {
 public:
  Result<investigate::StatusView> status() override {
    std::unique_lock lock(gate_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return FakeDesk::status();
  }
  void wait_for(int waiting) {
    std::unique_lock lock(gate_);
    changed_.wait(lock, [&] { return waiting_ >= waiting; });
  }
  void let_go() {
    const std::lock_guard lock(gate_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex gate_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

template <class DeskKind = FakeDesk>
struct Daemon {
  files::path folder = [] {
    std::string pattern = (files::temp_directory_path() / "api_test.XXXXXX").string();
    return files::path(mkdtemp(pattern.data()));
  }();
  DeskKind desk;
  FakeSink sink;
  SystemClock clock;
  feedback::Mapping mapping;
  ingest::Intake intake{sink, {feedback::Classifier::shipped(), mapping, clock}};
  Metrics metrics;
  Api api{desk,
          intake,
          metrics,
          {{"view", "v", Role::viewer},
           {"push", "p", Role::sender},
           {"ops", "o", Role::responder},
           {"reads", "r", Role::viewer, true},
           {"pushes and reads", "pr", Role::sender, true}}};
  net::Io io;
  std::unique_ptr<net::HttpServer> server;

  Daemon() {
    auto opened = net::HttpServer::open(io, {"unix:" + (folder / "s").string(), "127.0.0.1:0"},
                                        api.handler());
    EXPECT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
    io.start();
  }
  ~Daemon() {
    server.reset();
    files::remove_all(folder);
  }

  net::IncomingResponse ask(std::string method, std::string path, std::string token,
                            std::string body = {}) const {
    net::OutgoingRequest request{.method = std::move(method),
                                 .url = "http://127.0.0.1:" + std::to_string(server->port()) + path,
                                 .body = std::move(body),
                                 .allow_private = true};
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    const auto answer = net::fetch(request);
    EXPECT_TRUE(answer) << answer.error().text();
    return answer.value_or(net::IncomingResponse{});
  }
  int status_of(std::string method, std::string path, std::string token) const {
    return ask(std::move(method), std::move(path), std::move(token)).status;
  }
};

TEST(Api, HoldsToRoles) {
  const Daemon daemon;
  EXPECT_EQ(daemon.status_of("GET", "/health", ""), 200);
  EXPECT_EQ(daemon.status_of("GET", "/metrics", ""), 401);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", ""), 401);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "x"), 401);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "v"), 200);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "p"), 403);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "o"), 200);
  EXPECT_EQ(daemon.status_of("POST", "/v1/reload", "v"), 403);
  EXPECT_EQ(daemon.status_of("POST", "/v1/reload", "p"), 403);
  EXPECT_EQ(daemon.status_of("POST", "/v1/reload", "o"), 200);
  EXPECT_EQ(daemon.status_of("POST", "/v1/events", "v"), 403);
  EXPECT_EQ(daemon.status_of("GET", "/v1/nothing", ""), 404);
  EXPECT_EQ(daemon.desk.asked().back(), "reload token ops");
  EXPECT_NE(
      daemon.ask("GET", "/metrics", "v").body.find("watchpost_api_answers_total{class=\"4xx\"}"),
      std::string::npos);
}

TEST(Api, NamesTheUserOfTheSocket) {
  const Daemon daemon;
  const auto answer = net::fetch(
      {.method = "POST", .url = "http://watchpost/v1/reload", .unix_socket = daemon.folder / "s"});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(daemon.desk.asked().back().ends_with("(uid " + std::to_string(getuid()) + ")"));
}

TEST(Api, TokensAreReplaced) {
  Daemon daemon;
  daemon.api.set_tokens({{"new", "n", Role::viewer}});
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "v"), 401);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "n"), 200);
}

TEST(Api, AnswersPushesOnlyWhenOnDisk) {
  Daemon daemon;
  const std::string body = "{\"at\":\"2026-11-24T00:00:00Z\",\"kind\":\"delivered\"}\nnonsense\n";
  std::atomic<bool> answered{false};
  net::IncomingResponse answer;
  std::thread sender([&] {
    answer = daemon.ask("POST", "/v1/events", "p", body);
    answered = true;
  });
  const ingest::Arrival arrival = daemon.sink.next();
  EXPECT_EQ(arrival.events.size(), 1u);
  EXPECT_FALSE(answered);
  arrival.settled(Done{});
  sender.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("\"accepted\":1,"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("\"refused_total\":1}"), std::string::npos) << answer.body;

  std::thread other([&] { answer = daemon.ask("POST", "/v1/events", "p", body); });
  daemon.sink.next().settled(fail(Code::exhausted, "the disk is full"));
  other.join();
  EXPECT_EQ(answer.status, 503);

  daemon.sink.close();
  EXPECT_EQ(daemon.ask("POST", "/v1/events", "p", body).status, 503);
}

TEST(Api, SlowQuestionsDoNotStopTheRest) {
  Daemon<SlowDesk> daemon;
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] { EXPECT_EQ(daemon.status_of("GET", "/v1/status", "v"), 200); });
  }
  daemon.desk.wait_for(3);  // all threads that ask are taken
  std::thread sender([&] {
    EXPECT_EQ(
        daemon.ask("POST", "/v1/events", "p", R"({"at":"2026-11-24T00:00:00Z","kind":"delivered"})")
            .status,
        200);
  });
  daemon.sink.next().settled(Done{});
  sender.join();
  daemon.desk.let_go();
  for (std::thread& asker : askers) asker.join();
}

TEST(Api, StopsWithQuestionsWaiting) {
  Daemon<SlowDesk> daemon;
  std::vector<std::thread> askers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 10; ++i) {
    askers.emplace_back([&] {
      if (daemon.status_of("GET", "/v1/status", "v") == 503) ++refused;
    });
  }
  daemon.desk.wait_for(3);
  std::thread stopper([&] { daemon.api.stop(); });
  // Once another lane says so too, stop() has begun: what is queued is now answered with 503.
  while (daemon.status_of("POST", "/v1/events?x=1", "p") != 503) {
  }
  daemon.desk.let_go();
  stopper.join();
  for (std::thread& asker : askers) asker.join();
  EXPECT_GE(refused, 1);
  EXPECT_EQ(daemon.status_of("GET", "/v1/status", "v"), 503);
}

TEST(Api, ReadingMailIsARightOfItsOwn) {
  const Daemon daemon;
  const std::string mail = "/v1/quarantine/4f2a91c0000000000000000000000001";
  for (const std::string& path : {mail + "/view", mail + "/eml"}) {
    EXPECT_EQ(daemon.status_of("GET", path, "r"), 200);
    // Neither the highest role nor the right without a role that reads is enough.
    EXPECT_EQ(daemon.status_of("GET", path, "o"), 403);
    EXPECT_EQ(daemon.status_of("GET", path, "v"), 403);
    EXPECT_EQ(daemon.status_of("GET", path, "pr"), 403);
    EXPECT_EQ(daemon.status_of("GET", path, ""), 401);
    EXPECT_EQ(daemon.status_of("HEAD", path, "v"), 403);
  }
  EXPECT_EQ(daemon.status_of("GET", mail, "v"), 200);
  EXPECT_EQ(daemon.status_of("GET", "/v1/quarantine", "v"), 200);
  EXPECT_EQ(daemon.ask("POST", mail + "/release", "r", "{}").status, 403);
  EXPECT_EQ(daemon.ask("POST", mail + "/release", "o", "{}").status, 200);
  EXPECT_EQ(daemon.status_of("GET", "/v1/quarantine/request?t=good", ""), 200);
  EXPECT_EQ(daemon.status_of("POST", "/v1/quarantine/request?t=forged", ""), 404);
  EXPECT_EQ(daemon.status_of("GET", "/v1/quarantine", ""), 401);
}

}  // namespace
}  // namespace watchpost::api
