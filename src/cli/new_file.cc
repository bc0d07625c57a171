#include "cli/new_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::cli {

Result<Done> write_new(const std::string& path, const std::string& bytes) {
  const auto broken = [&] { return fail(Code::exhausted, std::strerror(errno), path); };
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0 && errno == EEXIST) {
    return fail(Code::refused, "this file is there already; name another", path);
  }
  // A path that nothing can be written to is the caller's; what fails later is the disk's.
  if (file < 0) {
    return fail(Code::bad_input, fmt::format("cannot be written: {}", std::strerror(errno)), path);
  }
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t wrote = write(file, bytes.data() + at, bytes.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const auto error = broken();
      close(file);
      return error;
    }
    at += static_cast<size_t>(wrote);
  }
  if (close(file) != 0) return broken();
  return Done{};
}

}  // namespace watchpost::cli
