// How fast mail is taken in: clients on loopback hand in messages of 4 kB, each answered at once.
//   smtp_bench [MESSAGES] [CLIENTS] [PROTOCOL] [data | bdat]
// Clients send a message's envelope in one piece (PIPELINING), as Postfix does, or all of it with
// BDAT. They run in one thread and the server in another, so that either has a processor where
// there are two. The time of a message is from its MAIL to its last reply.
#include "net/smtp_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace watchpost;
using Steady = std::chrono::steady_clock;

constexpr std::string_view kEnd = "\r\n";

double processor_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string message_of_4_kb() {
  std::string text =
      "From: reports@provider.example\r\nTo: feedback@sender.example\r\nSubject: report\r\n\r\n";
  while (text.size() < 4096) text += "A line as it stands in messages, about as long as this.\r\n";
  return text;
}

// One connection, that hands in messages one after another.
class SmtpClient {
 public:
  SmtpClient(uint16_t port, bool lmtp, bool chunks, const std::string& message)
      : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), chunks_(chunks) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    greeting_ = lmtp ? "LHLO client.example\r\n" : "EHLO client.example\r\n";
    envelope_ = "MAIL FROM:<>\r\nRCPT TO:<bounce+1234@feedback.example>\r\n";
    envelope_ += chunks ? fmt::format("BDAT {} LAST\r\n{}", message.size(), message) : "DATA\r\n";
    content_ = message + ".\r\n";
  }
  ~SmtpClient() { close(socket_); }
  SmtpClient(const SmtpClient&) = delete;
  SmtpClient& operator=(const SmtpClient&) = delete;

  int descriptor() const { return socket_; }

  // Reads what has come and goes on; true where a message was accepted just now.
  bool go_on(bool another, std::vector<double>& times) {
    std::array<char, 4096> bytes;
    const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    heard_.append(bytes.data(), static_cast<size_t>(count));
    bool accepted = false;
    for (size_t end = heard_.find(kEnd); end != heard_.npos; end = heard_.find(kEnd)) {
      if (heard_[3] == ' ') accepted = reply(heard_.substr(0, 3), another, times) || accepted;
      heard_.erase(0, end + kEnd.size());
    }
    return accepted;
  }

 private:
  bool reply(const std::string& code, bool another, std::vector<double>& times) {
    if (code[0] != '2' && code[0] != '3') {
      std::fprintf(stderr, "the server said %s\n", code.c_str());
      std::abort();
    }
    ++replies_;
    if (replies_ == 1) say(greeting_);
    if (replies_ == 2) begin();
    // MAIL, RCPT, and DATA where there is one; then the message's own.
    const int of_a_message = chunks_ ? 3 : 4;
    if (!chunks_ && replies_ == 2 + 3) say(content_);
    if (replies_ != 2 + of_a_message) return false;
    times.push_back(std::chrono::duration<double>(Steady::now() - began_).count());
    replies_ = 2;
    if (another) begin();
    return true;
  }
  void begin() {
    began_ = Steady::now();
    say(envelope_);
  }
  void say(std::string_view text) const {
    if (send(socket_, text.data(), text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(text.size())) {
      std::abort();
    }
  }

  int socket_;
  bool chunks_;
  std::string greeting_, envelope_, content_, heard_;
  int replies_ = 0;
  Steady::time_point began_;
};

std::vector<double> hand_in(uint16_t port, size_t messages, size_t clients, bool lmtp,
                            bool chunks) {
  const std::string message = message_of_4_kb();
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<SmtpClient>> all;
  for (size_t i = 0; i < clients; ++i) {
    all.push_back(std::make_unique<SmtpClient>(port, lmtp, chunks, message));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = all.back().get()}};
    epoll_ctl(poll, EPOLL_CTL_ADD, all.back()->descriptor(), &event);
  }
  std::vector<double> times;
  times.reserve(messages + clients);
  while (times.size() < messages) {
    std::array<epoll_event, 64> ready;
    const int count = epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 10'000);
    if (count <= 0) std::abort();
    for (int i = 0; i < count; ++i) {
      static_cast<SmtpClient*>(ready[static_cast<size_t>(i)].data.ptr)
          ->go_on(times.size() + 1 < messages, times);
    }
  }
  close(poll);
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  const size_t clients = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 20;
  net::SmtpServerSettings settings;
  settings.protocol = argc > 3 ? argv[3] : "lmtp";
  const bool chunks = argc > 4 && std::string_view(argv[4]) == "bdat";
  settings.listen = {"127.0.0.1:0"};
  settings.connections = 10'000;
  Metrics metrics;
  net::Io io(1);
  auto server = net::SmtpServer::open(
      io, settings,
      [](const net::ReceivedMail&, const std::function<void(net::MailOutcome)>& answer) {
        answer({.kind = net::MailOutcome::Kind::accepted});
      },
      metrics);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text().c_str());
    return 1;
  }
  io.start();
  const auto began = Steady::now();
  const double all_before = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double own_before = processor_seconds(CLOCK_THREAD_CPUTIME_ID);
  std::vector<double> times =
      hand_in((*server)->port(), messages, clients, settings.protocol == "lmtp", chunks);
  const double wall = std::chrono::duration<double>(Steady::now() - began).count();
  const double own = processor_seconds(CLOCK_THREAD_CPUTIME_ID) - own_before;
  const double served = processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - all_before - own;
  std::ranges::sort(times);
  const auto count = static_cast<double>(times.size());
  const auto at = [&](double share) {
    return times[static_cast<size_t>(share * (count - 1))] * 1e3;
  };
  fmt::print(
      "{} by {}, {} clients: {:.0f} messages/s; the server's processor time allows {:.0f}/s "
      "on one core\n",
      settings.protocol, chunks ? "BDAT" : "DATA", clients, count / wall, count / served);
  fmt::print("  median {:.2f} ms, p99 {:.2f} ms, most {:.2f} ms\n", at(0.5), at(0.99), at(1));
  return 0;
}
