#include "cli/doctor_process.h"

#include "base/text.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

extern char** environ;

namespace watchpost::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    close_at(0);
    close_at(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() { close_at(1); }

 private:
  void close_at(size_t end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

// 0: it did not start.
pid_t start(const std::vector<std::string>& command, const Pipe& pipe) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe.writing(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe.writing(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : 0;
}

// Until its end; nothing where it took too long.
Result<std::string> read_all(int from, SteadyClock::time_point until, size_t most) {
  std::string said;
  std::array<char, 4096> bytes;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
    if (left.count() <= 0) return fail(Code::timed_out, "took too long");
    pollfd wait{.fd = from, .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail(Code::unavailable, std::strerror(errno));
    if (ready <= 0) continue;
    const ssize_t count = read(from, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return said;
    said.append(bytes.data(), static_cast<size_t>(count));
    if (said.size() > most) return fail(Code::exhausted, "says too much");
  }
}

int code_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result<std::string> output_of(const std::vector<std::string>& command, Duration deadline,
                              size_t most) {
  Pipe pipe;
  const std::string& name = command.front();
  if (pipe.reading() < 0) return fail(Code::exhausted, "no pipe is left", name);
  const pid_t child = start(command, pipe);
  if (child == 0) return fail(Code::not_found, "cannot be started", name);
  pipe.close_writing();
  auto said = read_all(pipe.reading(), SteadyClock::now() + deadline, most);
  // What went on saying nothing, or saying too much, would be waited for in vain.
  if (!said) kill(child, SIGKILL);
  const int code = code_of(child);
  if (!said) return fail(said.error().code, said.error().what, name);
  constexpr int kNoProgram = 127;
  if (code == kNoProgram && said->empty()) return fail(Code::not_found, "cannot be started", name);
  if (code != 0) {
    const std::string_view first = split(*said, '\n').front();
    return fail(Code::refused, fmt::format("ended with code {}: {}", code, escaped(first, 200)),
                name);
  }
  return said;
}

}  // namespace watchpost::cli
