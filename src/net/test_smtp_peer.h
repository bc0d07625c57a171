#pragma once
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace watchpost::net {

// For tests: an SMTP server that says what it is told to, one connection after the other, with
// nothing of what is tested inside.
class SmtpPeer {
 public:
  // The answer to a command, or to the end of a message ("."); empty: none, and the connection is
  // closed. kSilence: none. Called from the server's thread.
  using Answer = std::function<std::string(const std::string& command)>;
  static constexpr std::string_view kSilence = "silence";

  // Hears a whole message before its end is answered; what it gives is the answer, unless empty.
  using AtEnd = std::function<std::string(const std::string& message)>;

  explicit SmtpPeer(Answer answer = {}, AtEnd at_end = {})
      : answer_(std::move(answer)), at_end_(std::move(at_end)) {
    listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    bind(listening_, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    getsockname(listening_, reinterpret_cast<sockaddr*>(&at), &size);
    listen(listening_, 16);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~SmtpPeer() {
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    for (std::thread& one : sessions_) one.join();
    close(listening_);
  }
  SmtpPeer(const SmtpPeer&) = delete;

  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }
  std::vector<std::string> commands() const { return locked(commands_); }
  // Without the dots that were put in.
  std::vector<std::string> messages() const { return locked(messages_); }
  int connections() const { return connections_; }

  static std::string plain(const std::string& command) {
    if (command == "hello") return "220 peer\r\n";
    if (command.starts_with("EHLO")) return "250-peer\r\n250-SIZE 100\r\n250 8BITMIME\r\n";
    if (command == "DATA") return "354 go on\r\n";
    if (command == "QUIT") return "221 bye\r\n";
    return "250 2.0.0 fine\r\n";
  }

 private:
  std::vector<std::string> locked(const std::vector<std::string>& list) const {
    const std::lock_guard lock(mutex_);
    return list;
  }
  void run() {
    for (;;) {
      const int link = accept(listening_, nullptr, nullptr);
      if (link < 0) return;
      ++connections_;
      sessions_.emplace_back([this, link] {
        serve(link);
        close(link);
      });
    }
  }
  // False: the connection is to be closed.
  bool answer(int link, const std::string& command, const std::optional<std::string>& message) {
    std::string text = message && at_end_ ? at_end_(*message) : std::string();
    if (text.empty()) text = answer_ ? answer_(command) : plain(command);
    if (text == kSilence) return true;
    if (text.empty()) return false;
    return ::send(link, text.data(), text.size(), MSG_NOSIGNAL) > 0 && command != "QUIT";
  }
  void serve(int link) {
    std::string buffer;
    std::optional<std::string> message;  // inside one
    if (!answer(link, "hello", std::nullopt)) return;
    for (;;) {
      for (size_t end = buffer.find("\r\n"); end != std::string::npos; end = buffer.find("\r\n")) {
        std::string line = buffer.substr(0, end);
        buffer.erase(0, end + 2);
        if (message && line != ".") {
          *message += line.starts_with('.') ? line.substr(1) : line;
          *message += "\r\n";
          continue;
        }
        {
          const std::lock_guard lock(mutex_);
          commands_.push_back(line);
          if (message) messages_.push_back(*message);
        }
        if (!answer(link, line, message)) return;
        message.reset();
        if (line == "DATA") message.emplace();
      }
      std::array<char, 65536> bytes;
      const ssize_t count = recv(link, bytes.data(), bytes.size(), 0);
      if (count <= 0) return;
      buffer.append(bytes.data(), static_cast<size_t>(count));
    }
  }

  const Answer answer_;
  const AtEnd at_end_;
  int listening_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;  // guards the two lists
  std::vector<std::string> commands_;
  std::vector<std::string> messages_;
  std::vector<std::thread> sessions_;
  std::thread thread_;
};

}  // namespace watchpost::net
