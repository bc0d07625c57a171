#include "ingest/wakeup.h"

#include <algorithm>
#include <array>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <fmt/format.h>

namespace watchpost::ingest {

Wakeup::Wakeup() : stopped_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Wakeup::watch(int open_file, const std::string& path) {
  changes_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!changes_) return;
  if (open_file >= 0) {
    // By the descriptor: the name may belong to another file by now.
    const std::string itself = fmt::format("/proc/self/fd/{}", open_file);
    ::inotify_add_watch(changes_.number(), itself.c_str(), IN_MODIFY);
  }
  ::inotify_add_watch(changes_.number(), path.c_str(), IN_MODIFY);
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  ::inotify_add_watch(changes_.number(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
}

void Wakeup::wait(Duration patience, const std::stop_token& stop) {
  const auto wake = [this] { ::eventfd_write(stopped_.number(), 1); };
  const std::stop_callback on_stop(stop, wake);
  std::array<pollfd, 2> waits{{{stopped_.number(), POLLIN, 0}, {changes_.number(), POLLIN, 0}}};
  const auto most = std::chrono::ceil<std::chrono::milliseconds>(patience).count();
  ::poll(waits.data(), waits.size(), static_cast<int>(std::clamp<int64_t>(most, 0, 60'000)));
  // What changed is of no interest, only that something did.
  std::array<char, 4096> events;
  while (changes_ && ::read(changes_.number(), events.data(), events.size()) > 0) {
  }
}

}  // namespace watchpost::ingest
