#pragma once
#include "dns/test_reply.h"
#include "dns/wire.h"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::dns {

struct Heard {
  uint16_t id = 0;
  std::string name;
  RecordType type = RecordType::a;
  bool tcp = false;
  bool edns = false;
  size_t times = 0;  // that this name and type were asked for, this one as well

  TestReply reply() const { return {id, name, type}; }
};
struct Said {
  std::string bytes;
  bool from_elsewhere = false;  // from another port
};

// A name server on loopback, by UDP and TCP, that says whatever a test wants.
//   Threads: one, which calls `says`.
class TestServer {
 public:
  using Says = std::function<std::vector<Said>(const Heard&)>;

  explicit TestServer(Says says, bool tcp = true) : says_(std::move(says)) {
    elsewhere_ = bound(SOCK_DGRAM, 0);
    udp_ = bound(SOCK_DGRAM, 0);
    // Others may have that port by TCP: then another one for both.
    for (int i = 0; tcp && i < 50 && (tcp_ = bound(SOCK_STREAM, port())) < 0; ++i) {
      close(udp_);
      udp_ = bound(SOCK_DGRAM, 0);
    }
    EXPECT_TRUE(!tcp || listen(tcp_, 8) == 0) << "no free port";
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve_some();
    });
  }
  ~TestServer() {
    thread_ = {};
    for (const int socket : {udp_, elsewhere_, tcp_}) {
      if (socket >= 0) close(socket);
    }
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  size_t heard() const { return heard_; }

 private:
  static int bound(int kind, uint16_t port) {
    const int made = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_in at = loopback(port);
    if (bind(made, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0) return made;
    close(made);
    return -1;
  }
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
  }
  uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(udp_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }

  void serve_some() {
    std::array<pollfd, 2> ready{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), 20) <= 0) return;
    if ((ready[0].revents & POLLIN) != 0) serve_datagram();
    if ((ready[1].revents & POLLIN) != 0) serve_connection();
  }

  void serve_datagram() {
    std::array<char, 4096> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count =
        recvfrom(udp_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count <= 0) return;
    for (const Said& said : answers({bytes.data(), static_cast<size_t>(count)}, false)) {
      sendto(said.from_elsewhere ? elsewhere_ : udp_, said.bytes.data(), said.bytes.size(), 0,
             reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  // One question for each connection.
  void serve_connection() {
    const int link = accept(tcp_, nullptr, nullptr);
    std::array<char, 4096> bytes{};
    const auto count = recv(link, bytes.data(), bytes.size(), 0);
    if (count > 2) {
      for (const Said& said : answers({bytes.data() + 2, static_cast<size_t>(count - 2)}, true)) {
        const std::string framed = two_bytes(static_cast<uint32_t>(said.bytes.size())) + said.bytes;
        send(link, framed.data(), framed.size(), MSG_NOSIGNAL);
      }
    }
    close(link);
  }

  std::vector<Said> answers(std::string_view packet, bool tcp) {
    WireReader reader(as_bytes(packet));
    Heard heard;
    heard.tcp = tcp;
    heard.id = *reader.u16();
    (void)reader.bytes(8);
    heard.edns = *reader.u16() > 0;
    heard.name = reader.name()->text();
    heard.type = static_cast<RecordType>(*reader.u16());
    ++heard_;
    for (auto& [question, times] : times_) {
      if (question != std::pair(heard.name, heard.type)) continue;
      heard.times = ++times;
      return says_(heard);
    }
    times_.push_back({{heard.name, heard.type}, 1});
    heard.times = 1;
    return says_(heard);
  }

  Says says_;
  int udp_ = -1;
  int elsewhere_ = -1;
  int tcp_ = -1;
  std::atomic<size_t> heard_{0};
  std::vector<std::pair<std::pair<std::string, RecordType>, size_t>> times_;
  std::jthread thread_;
};

}  // namespace watchpost::dns
