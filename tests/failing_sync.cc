// Preloaded into a daemon: while the file that FAILING_SYNC names is there, nothing can be made
// durable of what lies under FAILING_SYNC_UNDER. Once a sync has failed Linux may forget what was
// not written, and says so only once: here it goes on to say so.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

bool fails(int file) {
  const char* const flag = std::getenv("FAILING_SYNC");
  const char* const under = std::getenv("FAILING_SYNC_UNDER");
  if (flag == nullptr || under == nullptr || ::access(flag, F_OK) != 0) return false;
  std::array<char, 64> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", file);
  return ::readlink(link.data(), path.data(), path.size() - 1) > 0 &&
         std::strncmp(path.data(), under, std::strlen(under)) == 0;
}

int sync_by(long call, int file) {
  if (fails(file)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, file));
}

}  // namespace

extern "C" int fsync(int file) { return sync_by(SYS_fsync, file); }
extern "C" int fdatasync(int file) { return sync_by(SYS_fdatasync, file); }
