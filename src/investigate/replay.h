#pragma once
#include "base/result.h"
#include "detect/rules.h"
#include "detect/watch.h"
#include "feedback/unread.h"
#include "ingest/source.h"
#include "model/event.h"
#include "model/signal.h"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace watchpost::investigate {

struct FileRequest {
  const ingest::SourceKind& kind;
  const ingest::SourceContext& context;
  std::vector<std::string> files;  // in this order; "-" is standard input
  // Asked while the next bytes are waited for; true: stop there. Empty: never.
  std::function<bool()> enough = {};
};

struct FileCount {
  uint64_t lines = 0;
  uint64_t events = 0;
  double seconds = 0;                                                   // of wall clock
  bool stopped = false;                                                 // before the end
  std::map<std::string, feedback::Unread::Reason, std::less<>> unread;  // by reason

  // There were lines, and not one of them was understood: another format, most likely.
  bool nothing_read() const;
};

// Told now and then how far it is: the share from 0 to 1 of this file's bytes (0 where the size is
// not known), and what there is so far. False: stop there.
using FileProgress =
    std::function<bool(const std::string& file, double share, const FileCount& so_far)>;

// Hands on all events of the files, some at a time, in order. Errors name the file.
//   Threads: the caller's only.
Result<FileCount> read_files(const FileRequest& request,
                             const std::function<void(std::span<const Event>)>& take,
                             const FileProgress& progress);

struct ReplayRequest {
  FileRequest files;
  std::vector<detect::Detector> detectors;
  detect::WatchLimits limits;
};

struct ReplayReport {
  static constexpr size_t kSignalsKept = 100'000;

  FileCount read;
  std::vector<Signal> signals;  // in the order of their events; the first kSignalsKept
  uint64_t signals_total = 0;
  detect::WatchStats watch;
};

// Files through the detectors at full speed: what would have fired, on whom and when. Nothing is
// stored and nothing enforced. Errors name the file.
//   Threads: the caller's only.
Result<ReplayReport> replay(const ReplayRequest& request, const FileProgress& progress);

}  // namespace watchpost::investigate
