#pragma once
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace watchpost::net {

// For tests: a blocking client, so that they do not use what they test.
class Client {
 public:
  explicit Client(uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  explicit Client(const std::string& path)
      : descriptor_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    connected_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { close(descriptor_); }
  Client(const Client&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return descriptor_; }
  bool say(std::string_view text) const {
    return send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // What comes next; empty where the other side closed.
  std::string hear() const {
    std::array<char, 1024> bytes;
    const ssize_t count = recv(descriptor_, bytes.data(), bytes.size(), 0);
    return count > 0 ? std::string(bytes.data(), static_cast<size_t>(count)) : std::string();
  }
  // Until `end` has come, or the other side closed.
  std::string hear_until(std::string_view end) const {
    std::string all;
    while (all.find(end) == std::string::npos) {
      const std::string more = hear();
      if (more.empty()) break;
      all += more;
    }
    return all;
  }
  // Until the other side closes.
  std::string hear_all() const {
    std::string all;
    for (std::string more = hear(); !more.empty(); more = hear()) all += more;
    return all;
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

}  // namespace watchpost::net
