#include "base/files.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  // Tells what closing says: on some file systems that is where a write fails.
  int close() { return ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

std::string folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Error system_error(int number, std::string_view what, const std::string& about) {
  const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG || number == EMFILE ||
                    number == ENFILE || number == ENOMEM;
  return {full ? Code::exhausted : Code::unavailable,
          fmt::format("{}: {}", what, std::generic_category().message(number)), about};
}

Result<Done> make_folder(const std::string& path) {
  struct stat there{};
  if (::stat(path.c_str(), &there) == 0) {
    if (S_ISDIR(there.st_mode)) return Done{};
    return fail(Code::refused, "this is not a folder", path);
  }
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) {
    return fail(system_error(errno, "the folder cannot be made", path));
  }
  return sync_folder(folder_of(path));
}

Result<Done> sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) {
    return fail(system_error(errno, "the folder cannot be made durable", path));
  }
  return Done{};
}

Result<Done> replace_file(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string aside = path + ".new";
  Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (file.get() < 0) return fail(system_error(errno, "the file cannot be made", aside));
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0 || file.close() != 0) {
    const Error error = system_error(errno, "the file cannot be written", aside);
    ::unlink(aside.c_str());
    return fail(error);
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) {
    return fail(system_error(errno, "the file cannot be put in place", path));
  }
  return sync_folder(folder_of(path));
}

Result<std::string> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return fail(Code::not_found, "there is no such file", path);
    return fail(system_error(errno, "the file cannot be opened", path));
  }
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) {
    return fail(system_error(errno, "the file cannot be read", path));
  }
  std::string bytes(static_cast<size_t>(about.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(errno, "the file cannot be read", path));
    if (got == 0) break;  // it became shorter
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace watchpost
