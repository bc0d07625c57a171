#include "border/milter/server.h"

#include "base/sanitized.h"
#include "border/milter/test_client.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::border {
namespace {

namespace files = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string begun() { return offer() + connects() + say('H', texts({"helo.example"})); }
std::string small_message(std::string_view from = "<a@x.example>") {
  return message_with(from, {"<b@y.example>"},
                      field("Subject", " hi") + say('N') + say('B', "body\r\n"));
}

MilterSettings usual() {
  MilterSettings settings;
  settings.name = "test";
  settings.listen = {"127.0.0.1:0"};
  return settings;
}

struct Running {
  explicit Running(const MilterSettings& settings = usual()) {
    auto opened = MilterServer::open(io, settings, handler, metrics);
    EXPECT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
    io.start();
  }
  // Waits for a line of the metrics.
  bool shows(const std::string& line) const {
    for (int i = 0; i < 2000; ++i) {
      if (metrics.text().find(line + "\n") != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  bool holds_no_messages() {
    {
      const std::lock_guard lock(handler.mutex);
      handler.messages.clear();
    }
    return shows(R"(watchpost_milter_message_memory_bytes{milter="test"} 0)");
  }

  Metrics metrics;
  ScriptedHandler handler;
  net::Io io;
  std::unique_ptr<MilterServer> server;
};

// Answers that are due, kept until the test gives them.
struct Desk {
  void take(GiveAnswer give) {
    const std::lock_guard lock(mutex);
    due.push_back(std::move(give));
    changed.notify_all();
  }
  GiveAnswer next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !due.empty(); });
    GiveAnswer one = std::move(due.front());
    due.erase(due.begin());
    return one;
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<GiveAnswer> due;
};

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t all = 0;
  size_t resident = 0;
  statm >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(MilterServer, SpeaksOverTcpAndUnixSockets) {
  const files::path folder = files::temp_directory_path() / "watchpost-milter-test";
  files::create_directories(folder);
  const std::string path = folder / ("socket-" + std::to_string(getpid()));
  MilterSettings settings = usual();
  settings.listen = {"unix:" + path, "127.0.0.1:0"};
  Running running(settings);
  running.handler.answer = {.kind = Answer::Kind::reject, .reply = "554 5.7.1 no"};
  MilterClient over_tcp(running.server->port());
  MilterClient over_unix(path);
  for (MilterClient* client : {&over_tcp, &over_unix}) {
    ASSERT_TRUE(client->say(begun() + small_message()));
    EXPECT_EQ(client->hear_commands(4), "Occy");
    ASSERT_TRUE(client->say(small_message() + say('Q')));
    EXPECT_EQ(client->hear_commands(3), "cy");  // then it closes
  }
  EXPECT_TRUE(running.shows(R"(watchpost_milter_answers_total{milter="test",answer="reject"} 4)"));
  EXPECT_TRUE(running.shows(R"(watchpost_milter_connections_open{milter="test"} 0)"));
  EXPECT_TRUE(running.holds_no_messages());
  EXPECT_THAT(running.server->state(), HasSubstr("0 connections, 4 messages"));
  running.server.reset();
  EXPECT_FALSE(files::exists(path));
}

TEST(MilterServer, AnAnswerMayComeFromAnywhere) {
  Desk desk;
  Running running;
  running.handler.for_message = [&](const Transaction&, GiveAnswer give) { desk.take(give); };
  MilterClient client(running.server->port());
  ASSERT_TRUE(client.say(begun() + small_message()));
  EXPECT_EQ(client.hear_commands(3), "Occ");
  std::thread([give = desk.next()] {
    give({.kind = Answer::Kind::discard});
    give({.kind = Answer::Kind::reject});  // the first one counts
  }).join();
  EXPECT_EQ(client.hear_commands(1), "d");
}

TEST(MilterServer, WhoForgetsToAnswerIsInTrouble) {
  Running running;
  running.handler.for_message = [](const Transaction&, const GiveAnswer&) {};
  MilterClient client(running.server->port());
  ASSERT_TRUE(client.say(begun() + small_message()));
  EXPECT_EQ(client.hear_commands(4), "Occy");
  EXPECT_THAT(running.handler.troubles, ElementsAre(Trouble::internal));
  EXPECT_TRUE(
      running.shows(R"(watchpost_milter_trouble_total{milter="test",cause="unanswered"} 1)"));
}

TEST(MilterServer, WhatCannotBeSentIsTrouble) {
  Running running;
  running.handler.answer.header = {
      {.kind = HeaderChange::Kind::insert, .place = 1, .name = "X", .value = "a\r\nb"}};
  MilterClient client(running.server->port());
  ASSERT_TRUE(client.say(begun() + small_message()));
  EXPECT_EQ(client.hear_commands(4), "Occy");
  // Where its answer to that cannot be sent either, the mail waits.
  running.handler.trouble_answer = running.handler.answer;
  ASSERT_TRUE(client.say(small_message()));
  EXPECT_EQ(client.hear_commands(2), "ct");
  EXPECT_TRUE(
      running.shows(R"(watchpost_milter_trouble_total{milter="test",cause="unsendable"} 2)"));
}

TEST(MilterServer, ProgressUntilTheDeadlineAndThenTrouble) {
  Desk desk;
  MilterSettings settings = usual();
  settings.deadline = std::chrono::milliseconds(700);
  settings.progress = std::chrono::milliseconds(150);
  Running running(settings);
  running.handler.for_message = [&](const Transaction&, GiveAnswer give) { desk.take(give); };
  MilterClient client(running.server->port());
  ASSERT_TRUE(client.say(begun() + small_message()));
  EXPECT_EQ(client.hear_commands(4), "Occp");
  std::string rest;
  while (!rest.ends_with('y')) rest += client.hear_commands(1);
  EXPECT_EQ(rest.find_first_not_of('p'), rest.size() - 1);
  EXPECT_THAT(running.handler.troubles, ElementsAre(Trouble::deadline));
  // What comes now is of no use, and does not become the answer to the next message.
  desk.next()({.kind = Answer::Kind::discard});
  ASSERT_TRUE(client.say(small_message()));
  EXPECT_EQ(client.hear_commands(1), "c");
  desk.next()({.kind = Answer::Kind::reject});
  rest.clear();
  while (!rest.ends_with('r')) rest += client.hear_commands(1);
  EXPECT_EQ(rest.find('d'), std::string::npos);
  EXPECT_TRUE(running.shows(R"(watchpost_milter_late_answers_total{milter="test"} 1)"));
  EXPECT_TRUE(running.shows(R"(watchpost_milter_trouble_total{milter="test",cause="deadline"} 1)"));
}

TEST(MilterServer, EndsWhileAnswersAreDue) {
  Desk desk;
  Running running;
  running.handler.for_message = [&](const Transaction&, GiveAnswer give) { desk.take(give); };
  MilterClient client(running.server->port());
  ASSERT_TRUE(client.say(begun() + small_message()));
  EXPECT_EQ(client.hear_commands(3), "Occ");
  const GiveAnswer give = desk.next();
  running.server.reset();
  EXPECT_EQ(client.hear_commands(1), "");
  give({.kind = Answer::Kind::reject});
}

TEST(MilterServer, WhoDoesNotSpeakTheProtocolIsClosed) {
  Running running;
  for (const std::string& bytes :
       {std::string("EHLO client.example\r\n"), say('Z'), offer() + say('E'), be32(0)}) {
    MilterClient client(running.server->port());
    ASSERT_TRUE(client.say(bytes));
    client.hear_all();
  }
  MilterClient fine(running.server->port());
  ASSERT_TRUE(fine.say(begun() + small_message()));
  EXPECT_EQ(fine.hear_commands(4), "Occc");
  const std::string family = R"(watchpost_milter_garbage_total{milter="test",reason=")";
  EXPECT_TRUE(running.shows(family + R"(frame_length"} 2)"));
  EXPECT_TRUE(running.shows(family + R"(unknown_command"} 1)"));
  EXPECT_TRUE(running.shows(family + R"(wrong_order"} 1)"));
}

TEST(MilterServer, WhoSaysNothingIsClosed) {
  MilterSettings settings = usual();
  settings.idle = std::chrono::milliseconds(200);
  Running running(settings);
  MilterClient silent(running.server->port());
  EXPECT_EQ(silent.hear_all(), "");
  EXPECT_TRUE(running.shows(R"(watchpost_milter_closed_total{milter="test",cause="idle"} 1)"));
  // Single bytes gain nothing.
  MilterClient dripping(running.server->port());
  const std::string bytes = begun() + say('M', std::string(2000, 'x'));
  size_t said = 0;
  while (said < bytes.size() && dripping.say(bytes.substr(said, 1))) {
    ++said;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LT(said, bytes.size());
}

TEST(MilterServer, VanishingAtAnyPlaceLeavesNothing) {
  Running running;
  const std::string dialogue = begun() + macros_of('M', {"i", "Q"}) + small_message();
  for (size_t end = 0; end <= dialogue.size(); end += 3) {
    MilterClient client(running.server->port());
    ASSERT_TRUE(end == 0 || client.say(dialogue.substr(0, end)));
  }
  EXPECT_TRUE(running.shows(R"(watchpost_milter_connections_open{milter="test"} 0)"));
  EXPECT_TRUE(running.holds_no_messages());
}

// S-50: a flood is turned away at the limit, and who was there before notices nothing.
TEST(MilterServer, AFloodOfConnections) {
  MilterSettings settings = usual();
  settings.connections = 20;
  Running running(settings);
  std::vector<std::unique_ptr<MilterClient>> before;
  for (int i = 0; i < 20; ++i) {
    before.push_back(std::make_unique<MilterClient>(running.server->port()));
    ASSERT_TRUE(before.back()->say(begun()));
    EXPECT_EQ(before.back()->hear_commands(2), "Oc");
  }
  for (int i = 0; i < 1000; ++i) {
    const MilterClient more(running.server->port());
    ASSERT_TRUE(more.connected());
    EXPECT_EQ(more.hear(), "");
    if (i % 50 == 0) {
      MilterClient& old = *before[static_cast<size_t>(i / 50)];
      ASSERT_TRUE(old.say(small_message()));
      EXPECT_EQ(old.hear_commands(2), "cc");
    }
  }
  EXPECT_TRUE(running.shows(R"(watchpost_milter_messages_total{milter="test"} 20)"));
  EXPECT_TRUE(running.shows(R"(watchpost_milter_connections_open{milter="test"} 20)"));
  before.clear();
  EXPECT_TRUE(running.shows(R"(watchpost_milter_connections_open{milter="test"} 0)"));
  MilterClient next(running.server->port());
  ASSERT_TRUE(next.say(begun()));
  EXPECT_EQ(next.hear_commands(2), "Oc");
}

// S-51: slow clients in the middle of a message, 32 KiB each at most.
TEST(MilterServer, TwoThousandSlowClients) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  if (descriptors.rlim_cur < 4200) GTEST_SKIP() << "too few descriptors";
  constexpr size_t kClients = 2000;
  MilterSettings settings = usual();
  settings.connections = kClients;
  Running running(settings);
  {
    MilterClient first(running.server->port());
    ASSERT_TRUE(first.say(begun() + small_message()));
    EXPECT_EQ(first.hear_commands(4), "Occc");
  }
  running.handler.messages.clear();
  running.handler.connections.clear();
  const size_t before = resident_bytes();
  std::vector<std::unique_ptr<MilterClient>> slow;
  const std::string whole = begun() + small_message();
  for (size_t i = 0; i < kClients; ++i) {
    slow.push_back(std::make_unique<MilterClient>(running.server->port()));
    ASSERT_TRUE(slow.back()->say(whole.substr(0, whole.size() - 3)));
    ASSERT_EQ(slow.back()->hear_commands(3), "Occ");
  }
  EXPECT_TRUE(running.shows(R"(watchpost_milter_connections_open{milter="test"} 2000)"));
  const size_t each = (resident_bytes() - before) / kClients;
  RecordProperty("bytes_for_each_client", static_cast<int>(each));
  std::printf("%zu bytes for each slow client\n", each);
  if (!kSanitized) {
    EXPECT_LE(each, 32 * 1024u);
  }
  for (const auto& one : slow) ASSERT_TRUE(one->say(whole.substr(whole.size() - 3)));
  for (const auto& one : slow) EXPECT_EQ(one->hear_commands(1), "c");
}

TEST(MilterServer, SaysWhatCannotBeOpened) {
  Metrics metrics;
  ScriptedHandler handler;
  net::Io io;
  MilterSettings settings = usual();
  settings.listen = {"192.0.2.1:1"};
  EXPECT_FALSE(MilterServer::open(io, settings, handler, metrics));
  settings.listen = {};
  EXPECT_FALSE(MilterServer::open(io, settings, handler, metrics));
  settings = usual();
  settings.socket_mode = "rw";
  EXPECT_FALSE(MilterServer::open(io, settings, handler, metrics));
}

}  // namespace
}  // namespace watchpost::border
