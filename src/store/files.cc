#include "store/files.h"

#include "base/files.h"
#include "base/text.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::store {
namespace {

// "process 4711", as far as the holder wrote it.
std::string holder_in(int lock) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  const std::string_view pid =
      trim({text.data(), size > 0 ? static_cast<size_t>(size) : size_t{0}});
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string_view::npos) {
    return "another process";
  }
  return fmt::format("process {}", pid);
}

}  // namespace

void keep_reserve(const std::string& path, size_t bytes) {
  constexpr size_t kOfUse = size_t{64} * 1024;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return;
  bool kept = false;
  for (; bytes >= kOfUse && !kept; bytes /= 2) {
    kept = ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0;
    // What did not suffice is given back.
    if (!kept && ::ftruncate(file, 0) != 0) break;
  }
  ::close(file);
  if (!kept) ::unlink(path.c_str());
}

Result<FolderLock> FolderLock::take(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return fail(system_error(errno, "the lock file cannot be opened", path));
  FolderLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(system_error(errno, "the folder cannot be locked", path));
    return fail(
        Code::refused,
        fmt::format("the data folder is in use by {}; two may not write to it", holder_in(file)),
        path);
  }
  // Who holds it is for people only: that it cannot be written does no harm.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file, 0) == 0) (void)write_all(file, pid);
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace watchpost::store
