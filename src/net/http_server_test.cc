#include "net/http_server.h"

#include "net/http_client.h"
#include "net/test_client.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

namespace files = std::filesystem;

// Says what it was asked.
void tell(HttpRequest request, std::function<void(HttpResponse)> respond) {
  respond({.content_type = "text/plain",
           .body = request.method + " " + request.path + " " + request.body +
                   (request.over_unix ? " " + std::to_string(request.peer_uid) : ""),
           .headers = {{"X-Test", "yes"}}});
}

std::unique_ptr<HttpServer> open_server(Io& io, HttpHandler handler, HttpLimits limits = {}) {
  auto server = HttpServer::open(io, {"127.0.0.1:0"}, std::move(handler), limits);
  EXPECT_TRUE(server) << server.error().text();
  return std::move(*server);
}

// Keeps the answers for later.
struct Pending {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::function<void(HttpResponse)>> waiting;

  HttpHandler handler() {
    return [this](const HttpRequest&, std::function<void(HttpResponse)> respond) {
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(respond));
      changed.notify_all();
    };
  }
  std::function<void(HttpResponse)> next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !waiting.empty(); });
    auto one = std::move(waiting.back());
    waiting.pop_back();
    return one;
  }
};

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Io io;
  const auto server = open_server(io, tell);
  io.start();
  const Client client(server->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.say(kGet));
    const std::string heard = client.hear_until("GET /x ");
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 200 OK\r\n")) << heard;
    EXPECT_NE(heard.find("Connection: keep-alive\r\n"), std::string::npos);
    EXPECT_NE(heard.find("X-Test: yes\r\n"), std::string::npos);
    EXPECT_NE(heard.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_NE(heard.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
  }
  ASSERT_TRUE(client.say("HEAD /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  const std::string heard = client.hear_all();
  EXPECT_TRUE(heard.ends_with("\r\n\r\n")) << heard;
  EXPECT_NE(heard.find("Content-Length: 8\r\n"), std::string::npos) << heard;
}

TEST(HttpServer, LetsNoLineBreakIntoAnAnswersHeader) {
  Io io;
  const auto server =
      open_server(io, [](const HttpRequest&, const std::function<void(HttpResponse)>& respond) {
        respond({.body = "end", .headers = {{"X-Bad", "a\r\nX-Injected: b"}}});
      });
  io.start();
  const Client client(server->port());
  ASSERT_TRUE(client.say(kGet));
  EXPECT_EQ(client.hear_until("end").find("X-Injected"), std::string::npos);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Io io;
  const auto server = open_server(io, tell);
  io.start();
  const Client client(server->port());
  ASSERT_TRUE(
      client.say("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                 "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  const std::string heard = client.hear_all();
  EXPECT_LT(heard.find("GET /1"), heard.find("GET /2"));
  EXPECT_LT(heard.find("GET /2"), heard.find("GET /3"));
  EXPECT_NE(heard.find("GET /3"), std::string::npos);
}

TEST(HttpServer, RefusesAndCloses) {
  Io io;
  const auto server = open_server(io, tell, {.body_bytes = 10});
  io.start();
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, std::string>>{
           {"GET / HTTP/1.1\nHost: h\n\n", "400"},
           {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
            "400"},
           {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890", "413"}}) {
    const Client client(server->port());
    ASSERT_TRUE(client.say(bytes));
    const std::string heard = client.hear_all();
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 " + status)) << heard;
    EXPECT_EQ(heard.find("HTTP/1.1", 8), std::string::npos) << heard;
  }
}

TEST(HttpServer, HoldsOnlySoMuchOfAllRequests) {
  Io io;
  Pending pending;
  const auto server = open_server(io, pending.handler(), {.all_bytes = 10'000});
  io.start();
  const std::string post =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6000\r\n\r\n" + std::string(6000, 'x');
  const Client one(server->port());
  ASSERT_TRUE(one.say(post));
  const auto respond = pending.next();
  const Client two(server->port());
  ASSERT_TRUE(two.say(post));
  EXPECT_TRUE(two.hear_all().starts_with("HTTP/1.1 503 "));
  respond({.body = "one", .headers = {}});
  EXPECT_TRUE(one.hear_until("one").starts_with("HTTP/1.1 200 "));
  const Client three(server->port());
  ASSERT_TRUE(three.say(post));
  pending.next()({.body = "three", .headers = {}});
  EXPECT_TRUE(three.hear_until("three").starts_with("HTTP/1.1 200 "));
}

TEST(HttpServer, DropsSlowPeers) {
  Io io;
  const auto short_time = std::chrono::milliseconds(30);
  const auto server = open_server(
      io, tell, {.header_time = short_time, .body_time = short_time, .idle = short_time});
  io.start();
  for (const std::string_view start :
       {"", "GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12"}) {
    const Client client(server->port());
    ASSERT_TRUE(client.say(start));
    EXPECT_EQ(client.hear_all(), "") << start;
  }
}

TEST(HttpServer, AnswersLaterFromAnotherThread) {
  Io io;
  Pending pending;
  const auto server = open_server(io, pending.handler());
  io.start();
  const Client client(server->port());
  ASSERT_TRUE(client.say(kGet));
  std::thread other([&] {
    const auto respond = pending.next();
    respond({.status = 503, .body = "later", .headers = {}});
    respond({.status = 200, .body = "twice", .headers = {}});
  });
  const std::string heard = client.hear_until("later");
  EXPECT_TRUE(heard.starts_with("HTTP/1.1 503 ")) << heard;
  other.join();
}

TEST(HttpServer, AnswersWhereTheHandlerForgets) {
  Io io;
  const auto server =
      open_server(io, [](const HttpRequest&, const std::function<void(HttpResponse)>&) {});
  io.start();
  const Client client(server->port());
  ASSERT_TRUE(client.say(kGet));
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 500 "));
}

TEST(HttpServer, GoesWhileAnAnswerIsPending) {
  Pending pending;
  std::function<void(HttpResponse)> late;
  std::function<void(HttpResponse)> later;
  {
    Io io;
    auto server = open_server(io, pending.handler());
    io.start();
    const Client client(server->port());
    ASSERT_TRUE(client.say(kGet));
    late = pending.next();
    server.reset();
    EXPECT_EQ(client.hear_all(), "");
    late({.headers = {}});  // the session has ended, the loop runs

    server = open_server(io, pending.handler());
    const Client other(server->port());
    ASSERT_TRUE(other.say(kGet));
    later = pending.next();
    io.stop();
  }
  later({.headers = {}});  // all of it has gone
}

TEST(HttpServer, ManyClientsWhileItGoes) {
  Io io;
  auto server = open_server(io, tell);
  io.start();
  const uint16_t port = server->port();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([port] {
      for (;;) {
        const Client client(port);
        if (!client.connected() || !client.say(kGet) || client.hear().empty()) return;
      }
    });
  }
  const Client client(port);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.say(kGet));
    ASSERT_FALSE(client.hear_until("GET /x ").empty());
  }
  server.reset();
  for (std::thread& thread : threads) thread.join();
}

TEST(HttpServer, UnixSocket) {
  std::string pattern = (files::temp_directory_path() / "http_test.XXXXXX").string();
  const files::path folder = mkdtemp(pattern.data());
  const std::string path = folder / "api.sock";
  {
    Io io;
    const auto server = HttpServer::open(io, {"unix:" + path}, tell);
    ASSERT_TRUE(server) << server.error().text();
    EXPECT_EQ((*server)->port(), 0);
    EXPECT_EQ(files::status(path).permissions(),
              files::perms::owner_read | files::perms::owner_write);
    io.start();
    const auto answer = fetch({.url = "http://watchpost/v1/x", .unix_socket = path});
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->body, "GET /v1/x  " + std::to_string(getuid()));
  }
  files::remove_all(folder);
}

TEST(Fetch, SendsAndReceives) {
  Io io;
  const auto server = open_server(io, tell);
  io.start();
  const std::string url = "http://127.0.0.1:" + std::to_string(server->port());
  const std::string large(2'000'000, 'b');  // libcurl asks first whether to send so much
  const auto answer = fetch({.method = "POST",
                             .url = url + "/p?q=1",
                             .headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}},
                             .body = large,
                             .allow_private = true});
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /p " + large);
  const auto too_long = fetch(
      {.method = "POST", .url = url, .body = large, .allow_private = true, .most_bytes = 1000});
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Code::exhausted);
}

TEST(Fetch, GoesToNoPrivateAddress) {
  Io io;
  std::atomic<int> asked{0};
  const auto server =
      open_server(io, [&](const HttpRequest&, const std::function<void(HttpResponse)>& respond) {
        ++asked;
        respond({.headers = {}});
      });
  io.start();
  const std::string port = std::to_string(server->port());
  for (const char* host : {"127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "0.0.0.0",
                           "[::ffff:127.0.0.1]", "[::1]"}) {
    const auto answer = fetch({.url = "http://" + std::string(host) + ":" + port + "/"});
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().code, Code::refused) << host << ": " << answer.error().text();
  }
  EXPECT_EQ(asked, 0);
}

TEST(Fetch, FollowsNoRedirect) {
  Io io;
  const auto server =
      open_server(io, [](const HttpRequest&, const std::function<void(HttpResponse)>& respond) {
        respond({.status = 302, .body = {}, .headers = {{"Location", "http://127.0.0.1:1/"}}});
      });
  io.start();
  const auto answer = fetch(
      {.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/", .allow_private = true});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
}

TEST(Fetch, EndsAtItsDeadline) {
  Io io;
  Pending pending;
  const auto server = open_server(io, pending.handler());
  io.start();
  const auto answer = fetch({.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/",
                             .deadline = std::chrono::milliseconds(50),
                             .allow_private = true});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::timed_out);
}

TEST(Fetch, RefusesWhatIsNoRequest) {
  for (const char* url : {"", "ftp://example.com/", "file:///etc/passwd", "http://a/\r\nX: y",
                          "gopher://x", "http:// x/", "example.com"}) {
    const auto answer = fetch({.url = url, .deadline = std::chrono::seconds(1)});
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, Code::bad_input) << url;
  }
  EXPECT_FALSE(fetch({.method = "GET /x", .url = "http://127.0.0.1/"}));
  EXPECT_FALSE(fetch({.url = "http://127.0.0.1/", .headers = {{"X", "a\r\nY: b"}}}));
  const auto nobody = fetch({.url = "http://127.0.0.1:1/", .allow_private = true});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::unavailable);
}

}  // namespace
}  // namespace watchpost::net
