#include "ingest/mail_mover.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr size_t kMostUnmoved = 500'000;

}  // namespace

std::function<void()> MailMover::when_stored(std::string path) {
  return [stored = stored_, path = std::move(path)] {
    const std::lock_guard lock(stored->mutex);
    stored->paths.push_back(path);
  };
}

std::string MailMover::move() {
  std::vector<std::string> stored;
  {
    const std::lock_guard lock(stored_->mutex);
    stored.swap(stored_->paths);
  }
  for (std::string& from : stored) {
    if (unmoved_.size() < kMostUnmoved) unmoved_.push_back(std::move(from));
  }
  // What keeps one from being moved keeps all: the folder.
  for (; !unmoved_.empty(); unmoved_.pop_front()) {
    const std::string& from = unmoved_.front();
    const std::string to = to_ + from.substr(from.rfind('/'));
    if (::rename(from.c_str(), to.c_str()) == 0) {
      fault_.clear();
      continue;
    }
    const int error = errno;
    struct stat seen{};
    // Somebody else has taken it away.
    if (error == ENOENT && ::lstat(from.c_str(), &seen) != 0) continue;
    std::string fault = fmt::format("cannot be moved to {}: {}", to_, std::strerror(error));
    if (fault == fault_) return {};
    fault_ = std::move(fault);
    return from;
  }
  return {};
}

}  // namespace watchpost::ingest
