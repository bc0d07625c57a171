#pragma once
#include "base/result.h"
#include "base/time.h"
#include "relate/reputation.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace watchpost::relate {

std::string reputation_path(std::string_view folder);  // of the data folder: reputation.state

// Keeps a Reputation on disk: what it was at the last start, and from then on every minute.
//   Use:     open() before anything is noted; stop(), or the end of it, writes once more.
//   Owns:    the file and a thread; not the Reputation, which outlives it.
//   Threads: open() and stop() from one.
//   Fails:   never for good. A file that cannot be read is moved to NAME.damaged and it begins with
//            nothing; one that cannot be written is tried again a minute later. The log says so.
class ReputationFile {
 public:
  static std::unique_ptr<ReputationFile> open(
      std::string path, Reputation& reputation,
      std::chrono::milliseconds every = std::chrono::minutes(1));
  ~ReputationFile();

  void stop();
  // Now, on the caller's thread.
  Result<Done> write();

 private:
  ReputationFile(std::string path, Reputation& reputation)
      : path_(std::move(path)), reputation_(reputation) {}
  void load();
  void run(std::chrono::milliseconds every);

  const std::string path_;
  Reputation& reputation_;
  std::mutex writing_;  // one writes at a time
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace watchpost::relate
