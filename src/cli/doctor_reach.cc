#include "cli/doctor_milter.h"
#include "net/address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::cli {
namespace {

constexpr int kPatience = 5'000;  // milliseconds, of each step

class Socket {
 public:
  explicit Socket(int family)
      : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Empty: done; else why not.
  std::string connect_to(const sockaddr* address, socklen_t size) const {
    if (fd_ < 0) return std::strerror(errno);
    if (connect(fd_, address, size) == 0) return "";
    if (errno != EINPROGRESS) return std::strerror(errno);
    if (!ready(POLLOUT)) return "no answer";
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? "" : std::strerror(error);
  }
  bool send_all(std::string_view bytes) const {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // So many bytes; fewer where no more came in time.
  std::string receive(size_t wanted) const {
    std::string got;
    std::array<char, 256> bytes;
    while (got.size() < wanted && ready(POLLIN)) {
      const ssize_t count = recv(fd_, bytes.data(), std::min(bytes.size(), wanted - got.size()), 0);
      if (count <= 0) break;
      got.append(bytes.data(), static_cast<size_t>(count));
    }
    return got;
  }

 private:
  bool ready(short what) const {
    pollfd wait{.fd = fd_, .events = what, .revents = 0};
    return poll(&wait, 1, kPatience) > 0;
  }
  int fd_;
};

std::string connected(const Socket& socket, const net::ListenAddress& where) {
  if (!where.unix_path.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (where.unix_path.size() >= sizeof address.sun_path) return "the path is too long";
    std::ranges::copy(where.unix_path, address.sun_path);
    return socket.connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found) != 0) {
    return "is no address";
  }
  std::string why = socket.connect_to(found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return why;
}

int family_of(const net::ListenAddress& where) {
  if (!where.unix_path.empty()) return AF_UNIX;
  return where.host.find(':') == std::string::npos ? AF_INET : AF_INET6;
}

// A mail server's first words, SMFIC_OPTNEG: a length, "O", the version, all actions and no steps
// left out. Empty: it is answered in kind.
std::string greeted(const Socket& socket) {
  constexpr std::string_view kGreeting(
      "\0\0\0\x0D"
      "O"
      "\0\0\0\x06"
      "\0\0\x01\xFF"
      "\0\x1F\xFF\xFF",
      17);
  constexpr size_t kVersionAt = 5;
  if (!socket.send_all(kGreeting)) return "it closed the connection";
  const std::string answer = socket.receive(kGreeting.size());
  if (answer.empty()) return "it says nothing: is this a milter?";
  if (answer.size() < kGreeting.size() || answer[4] != 'O')
    return "it does not speak as milters do";
  if (answer.substr(kVersionAt, 4) != std::string_view("\0\0\0\x06", 4)) {
    return "it does not speak version 6 of the protocol";
  }
  return "";
}

void check_address(const border::MilterSettings& milter, const std::string& listen,
                   Checks& checks) {
  const std::string subject = fmt::format("milter {} at {}", milter.name, listen);
  const auto where = net::parse_listen(listen);
  if (!where) return checks.fault(subject, where.error().what, "see `listen` of [[milter]]");
  const Socket socket(family_of(*where));
  if (const std::string why = connected(socket, *where); !why.empty()) {
    return checks.fault(subject, fmt::format("cannot be reached: {}", why),
                        "start the daemon: systemctl start watchpost");
  }
  if (const std::string why = greeted(socket); !why.empty()) {
    return checks.fault(subject, why, "see whether something else listens there");
  }
  checks.good(subject, "answers");
}

struct User {
  uid_t id = 0;
  std::vector<gid_t> groups;
};

std::optional<User> user_named(const std::string& name) {
  const passwd* const entry = getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  User user{.id = entry->pw_uid, .groups = std::vector<gid_t>(64)};
  int count = static_cast<int>(user.groups.size());
  if (getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<size_t>(count));
    if (getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count) < 0) count = 0;
  }
  user.groups.resize(static_cast<size_t>(count));
  return user;
}

// `bit`: S_IWOTH or S_IXOTH.
bool may(const User& user, const struct stat& file, mode_t bit) {
  if (user.id == 0) return true;
  if (file.st_uid == user.id) return (file.st_mode & (bit << 6)) != 0;
  const bool in_group = std::ranges::find(user.groups, file.st_gid) != user.groups.end();
  return (file.st_mode & (in_group ? bit << 3 : bit)) != 0;
}

}  // namespace

void check_reachable(const border::MilterSettings& milter, Checks& checks) {
  if (milter.mode == "off") return;
  for (const std::string& listen : milter.listen) check_address(milter, listen, checks);
}

void check_socket_access(const std::string& path, const std::string& name, Checks& checks) {
  const std::string subject = fmt::format("socket {}", path);
  const auto user = user_named(name);
  if (!user) {
    return checks.warning(subject, fmt::format("there is no user {}", name),
                          "run this on the mail server's machine");
  }
  const std::filesystem::path socket(path);
  struct stat file{};
  for (std::filesystem::path folder = socket.parent_path(); !folder.empty();
       folder = folder.parent_path()) {
    if (stat(folder.c_str(), &file) != 0) {
      return checks.fault(subject, fmt::format("{}: {}", folder.string(), std::strerror(errno)),
                          "start the daemon, which makes it");
    }
    if (!may(*user, file, S_IXOTH)) {
      return checks.fault(subject, fmt::format("{} may not enter {}", name, folder.string()),
                          fmt::format("let it: chmod o+x {}", folder.string()));
    }
    if (folder == folder.root_path()) break;
  }
  if (stat(path.c_str(), &file) != 0) {
    return checks.fault(subject, std::strerror(errno), "start the daemon, which makes it");
  }
  if (!may(*user, file, S_IWOTH)) {
    return checks.fault(subject, fmt::format("{} may not write to it", name),
                        fmt::format("add {} to its group, or set socket_mode = \"0666\"", name));
  }
  checks.good(subject, fmt::format("{} may open it", name));
}

}  // namespace watchpost::cli
