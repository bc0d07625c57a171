#include "quarantine/room.h"

#include "base/files.h"
#include "base/log.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

namespace watchpost::quarantine {
namespace {

// The rest is left to the index, and to the others on this disk.
constexpr uint64_t kLeastFree = uint64_t{64} << 20U;
constexpr std::string_view kComponent = "quarantine";

}  // namespace

bool Room::takes() const { return !broken_.load() && !crowded_.load() && !is_full(); }

bool Room::has_space(uint64_t bytes) const {
  struct statvfs disk{};
  if (::statvfs(folder_.c_str(), &disk) != 0) return true;  // writing will tell
  return uint64_t{disk.f_bavail} * disk.f_frsize >= kLeastFree + bytes;
}

Result<Done> Room::reserve(uint64_t bytes) {
  if (broken_.load()) return fail(Code::unavailable, trouble());
  if (!has_space(bytes)) {
    crowded_.store(true);
    return fail(Code::exhausted, trouble());
  }
  if (held_.load() + coming_.fetch_add(bytes) + bytes > space_) {
    coming_.fetch_sub(bytes);
    return fail(Code::exhausted, "the quarantine is full");
  }
  return Done{};
}

void Room::hold(uint64_t bytes) {
  held_.store(bytes);
  const double share = static_cast<double>(bytes) / static_cast<double>(space_);
  if (!warned_ && share >= 0.8) {
    warned_ = true;
    log_warning(kComponent,
                "{:.0f} % of the space for held mail is used; when it is full, mail to be held is "
                "refused for now: release or discard some, or raise `space`",
                share * 100);
  } else if (share < 0.75) {
    warned_ = false;
  }
}

void Room::fail_with(const Error& why) {
  const std::lock_guard lock(mutex_);
  why_ = why.text();
  if (broken_.exchange(true)) return;
  log_error(kComponent, "no mail is held until the disk can be written again: {}", why_);
}

void Room::mend() {
  const std::lock_guard lock(mutex_);
  if (!broken_.exchange(false)) return;
  why_.clear();
  log_info(kComponent, "the disk can be written again: mail is held as before");
}

bool Room::look() {
  const bool crowded = !has_space(0);
  if (crowded != crowded_.exchange(crowded) && crowded) {
    log_warning(kComponent, "no mail is held until the disk has more space: {}", trouble());
  }
  return !broken_.load() || try_to_write().has_value();
}

Result<Done> Room::try_to_write() const {
  const std::string path = folder_ + "/probe";
  const auto written = replace_file(path, std::string(64, 'p'), 0600);
  (void)::unlink(path.c_str());
  return written;
}

std::string Room::trouble() const {
  if (broken_.load()) {
    const std::lock_guard lock(mutex_);
    return fmt::format("the disk of the quarantine cannot be written: {}", why_);
  }
  if (crowded_.load()) {
    return fmt::format("the disk of the quarantine has less than {} MiB left", kLeastFree >> 20U);
  }
  if (is_full()) return "the quarantine is full: `space` is used up";
  return {};
}

}  // namespace watchpost::quarantine
