#pragma once
#include "base/time.h"
#include "ingest/descriptor.h"

#include <cstdint>
#include <stop_token>
#include <string>

namespace watchpost::ingest {

// Sleeps until a file, or the names in its folder, may have changed. Only a hint: waking for
// nothing is fine, and what it misses (network file systems, no inotify left) is seen at the next
// look.
//   Threads: none inside.
class Wakeup {
 public:
  Wakeup();
  // Watches the open file (where it is one), the file at `path` and its folder in place of what was
  // watched before.
  void watch(int open_file, const std::string& path);
  // Returns when something changed, `patience` is over or stop is requested.
  void wait(Duration patience, const std::stop_token& stop);

 private:
  Descriptor stopped_;  // an eventfd
  Descriptor changes_;  // inotify
};

}  // namespace watchpost::ingest
