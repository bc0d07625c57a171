#include "relate/reputation_file.h"

#include "base/files.h"
#include "base/log.h"

#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

namespace watchpost::relate {
namespace {

// Nobody but ourselves: it says with whom the organisation writes.
constexpr mode_t kMode = 0600;

}  // namespace

std::string reputation_path(std::string_view folder) {
  return fmt::format("{}/reputation.state", folder);
}

std::unique_ptr<ReputationFile> ReputationFile::open(std::string path, Reputation& reputation,
                                                     std::chrono::milliseconds every) {
  std::unique_ptr<ReputationFile> file(new ReputationFile(std::move(path), reputation));
  file->load();
  file->thread_ = std::thread([keeper = file.get(), every] { keeper->run(every); });
  return file;
}

ReputationFile::~ReputationFile() { stop(); }

void ReputationFile::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<Done> ReputationFile::write() {
  const std::lock_guard lock(writing_);
  return replace_file(path_, reputation_.save(), kMode);
}

// What is known of senders is no reason not to start.
void ReputationFile::load() {
  const auto saved = read_file(path_);
  if (!saved && saved.error().code == Code::not_found) return;
  const auto restored = saved ? reputation_.restore(*saved) : fail(saved.error());
  if (restored) {
    log_info("reputation", "{} parties known", reputation_.size());
    return;
  }
  // A minute from now there is another in its place.
  const std::string aside = path_ + ".damaged";
  log_warning("reputation", "begins with nothing; {} was moved to {}: {}", path_, aside,
              restored.error().what);
  if (std::rename(path_.c_str(), aside.c_str()) != 0) {
    log_warning("reputation", "{}",
                system_error(errno, "the damaged file cannot be moved aside", path_).text());
  }
}

void ReputationFile::run(std::chrono::milliseconds every) {
  bool failing = false;
  while (true) {
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      last = stopped_.wait_for(lock, every, [this] { return stop_; });
    }
    const auto written = write();
    if (!written && !failing) {
      log_warning("reputation", "cannot be saved, will try again: {}", written.error().text());
    }
    if (written && failing) log_info("reputation", "saved again");
    failing = !written;
    if (last) return;
  }
}

}  // namespace watchpost::relate
