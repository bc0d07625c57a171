#include "net/listener.h"

#include "net/address.h"
#include "net/test_client.h"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace watchpost::net {
namespace {

namespace files = std::filesystem;

struct Echo {
  std::atomic<int> ended{0};
  std::atomic<int> timed_out{0};
  Duration patience = std::chrono::seconds(30);
};
struct CountsAtEnd {
  std::shared_ptr<Echo> echo;
  ~CountsAtEnd() { ++echo->ended; }
};

Task<void> serve_echo(Connection link, std::shared_ptr<Echo> echo) {
  const CountsAtEnd at_end{echo};
  std::array<char, 64> bytes;
  for (;;) {
    const auto count = co_await link.read_some(bytes, echo->patience);
    if (!count && count.error().code == Code::timed_out) ++echo->timed_out;
    if (!count || *count == 0) co_return;
    const std::string answer = link.peer() + " " + std::to_string(link.peer_uid()) + " " +
                               std::string(bytes.data(), *count);
    const auto sent = co_await link.write_all(answer, std::chrono::seconds(5));
    if (!sent) co_return;
  }
}

Listener::Session echo_session(std::shared_ptr<Echo> echo) {
  return [echo](Connection link) { return serve_echo(std::move(link), echo); };
}

files::path fresh_folder() {
  std::string pattern = (files::temp_directory_path() / "listener_test.XXXXXX").string();
  return mkdtemp(pattern.data());
}

TEST(Listener, ServesManyAtOnceAndNamesThePeer) {
  Io io;
  const auto echo = std::make_shared<Echo>();
  auto listener = Listener::open(io, "127.0.0.1:0", echo_session(echo), {});
  ASSERT_TRUE(listener) << listener.error().text();
  io.start();
  const Client one((*listener)->port());
  const Client two((*listener)->port());
  ASSERT_TRUE(two.say("b"));
  EXPECT_TRUE(two.hear().ends_with(" -1 b"));
  ASSERT_TRUE(one.say("a"));
  const std::string heard = one.hear();
  EXPECT_TRUE(heard.starts_with("127.0.0.1:")) << heard;
  EXPECT_EQ((*listener)->connections(), 2u);
}

TEST(Listener, UnixSocketHasItsModeAndKnowsTheUser) {
  const files::path folder = fresh_folder();
  const std::string path = folder / "x.sock";
  Io io;
  const auto echo = std::make_shared<Echo>();
  {
    auto listener = Listener::open(io, "unix:" + path, echo_session(echo), {.unix_mode = 0660});
    ASSERT_TRUE(listener) << listener.error().text();
    io.start();
    struct stat there;
    ASSERT_EQ(stat(path.c_str(), &there), 0);
    EXPECT_EQ(there.st_mode & 0777, 0660u);
    const Client client(path);
    ASSERT_TRUE(client.say("x"));
    EXPECT_EQ(client.hear(), "unix " + std::to_string(getuid()) + " x");
  }
  EXPECT_FALSE(files::exists(path));
  files::remove_all(folder);
}

TEST(Listener, ReplacesAStaleSocketOnly) {
  const files::path folder = fresh_folder();
  const std::string path = folder / "x.sock";
  Io io;
  const auto echo = std::make_shared<Echo>();
  {
    const int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(stale, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    close(stale);
  }
  auto first = Listener::open(io, "unix:" + path, echo_session(echo), {});
  ASSERT_TRUE(first) << first.error().text();
  const auto second = Listener::open(io, "unix:" + path, echo_session(echo), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::refused);
  const std::string other = folder / "file";
  std::ofstream(other) << "keep me";
  EXPECT_FALSE(Listener::open(io, "unix:" + other, echo_session(echo), {}));
  EXPECT_EQ(files::file_size(other), 7u);
  first->reset();
  files::remove_all(folder);
}

TEST(Listener, TurnsAwayWhatIsTooMuch) {
  Io io;
  const auto echo = std::make_shared<Echo>();
  auto listener = Listener::open(io, "127.0.0.1:0", echo_session(echo), {.connections = 1});
  ASSERT_TRUE(listener);
  io.start();
  const Client one((*listener)->port());
  ASSERT_TRUE(one.say("a"));
  EXPECT_FALSE(one.hear().empty());
  const Client two((*listener)->port());
  EXPECT_EQ(two.hear(), "");
  EXPECT_EQ((*listener)->turned_away(), 1u);
}

TEST(Listener, SilentPeersAreTimedOut) {
  Io io;
  const auto echo = std::make_shared<Echo>();
  echo->patience = std::chrono::milliseconds(20);
  auto listener = Listener::open(io, "127.0.0.1:0", echo_session(echo), {});
  ASSERT_TRUE(listener);
  io.start();
  const Client client((*listener)->port());
  EXPECT_EQ(client.hear(), "");  // closed by the other side
  EXPECT_EQ(echo->timed_out, 1);
}

TEST(Listener, GoesWhileSessionsAreWaiting) {
  Io io;
  const auto echo = std::make_shared<Echo>();
  auto listener = Listener::open(io, "127.0.0.1:0", echo_session(echo), {});
  ASSERT_TRUE(listener);
  io.start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>((*listener)->port()));
    ASSERT_TRUE(clients.back()->say("x"));
    ASSERT_FALSE(clients.back()->hear().empty());
  }
  listener->reset();
  EXPECT_EQ(echo->ended, 20);
  EXPECT_EQ(clients.front()->hear(), "");
}

TEST(Listener, IoStopsFirst) {
  const auto echo = std::make_shared<Echo>();
  Io io;
  auto listener = Listener::open(io, "127.0.0.1:0", echo_session(echo), {});
  ASSERT_TRUE(listener);
  io.start();
  const Client client((*listener)->port());
  ASSERT_TRUE(client.say("x"));
  ASSERT_FALSE(client.hear().empty());
  io.stop();
  EXPECT_EQ(echo->ended, 1);
  EXPECT_EQ(client.hear(), "");
}

TEST(Listener, NeedsNoStart) {
  Io io;
  const auto listener =
      Listener::open(io, "127.0.0.1:0", echo_session(std::make_shared<Echo>()), {});
  ASSERT_TRUE(listener);
  EXPECT_GT((*listener)->port(), 0);
}

TEST(Listener, SaysWhatIsWrongWithAnAddress) {
  EXPECT_EQ(parse_listen("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_listen("unix:/run/x")->unix_path, "/run/x");
  for (const char* text : {"", "8025", "127.0.0.1", "localhost:80", "127.0.0.1:65536", "::1:80",
                           "127.0.0.1:-1", "unix:x", "unix:", "127.0.0.1:80x", "[::1:80"}) {
    EXPECT_FALSE(parse_listen(text)) << text;
  }
  EXPECT_FALSE(parse_listen("unix:/" + std::string(108, 'a')));
}

bool is_public_text(const char* text) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  four.sin_family = AF_INET;
  six.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    return is_public(reinterpret_cast<const sockaddr&>(four));
  }
  EXPECT_EQ(inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
  return is_public(reinterpret_cast<const sockaddr&>(six));
}

TEST(Address, KnowsWhatIsNotPublic) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.9.9.9",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:8.8.8.8",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::a00:1",
                           "100::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:20::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"}) {
    EXPECT_FALSE(is_public_text(text)) << text;
  }
  for (const char* text : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1",
                           "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.1",
                           "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"}) {
    EXPECT_TRUE(is_public_text(text)) << text;
  }
}

}  // namespace
}  // namespace watchpost::net
