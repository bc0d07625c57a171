#include "investigate/replay.h"

#include "ingest/lines.h"

#include <chrono>

namespace watchpost::investigate {
namespace {

constexpr size_t kBatch = 2048;               // events handed on at once
constexpr uint64_t kProgressLines = 1 << 16;  // lines between two reports of progress

using Take = std::function<void(std::span<const Event>)>;

class Reading {
 public:
  Reading(const FileRequest& request, const Take& take, const FileProgress& progress)
      : request_(request), take_(take), progress_(progress) {}

  Result<FileCount> all() {
    for (const std::string& file : request_.files) {
      if (const auto done = one(file); !done) return fail(done.error());
      if (count_.stopped) break;
    }
    return std::move(count_);
  }

 private:
  Result<Done> one(const std::string& file) {
    auto lines = ingest::LineReader::open(file, request_.kind.longest_line, request_.enough);
    if (!lines) return fail(lines.error());
    const auto events = request_.kind.reader(
        "replay", request_.context, lines->modified_at().value_or(request_.context.clock.now()));
    ingest::Line line;
    while (!count_.stopped && lines->next(line)) {
      ++count_.lines;
      // Nothing here looks at the ids of events, so that no line needs to be hashed for them.
      events->line(line.text, Hash128{count_.lines, 0}, batch_);
      if (batch_.size() >= kBatch) hand_on();
      if (count_.lines % kProgressLines == 0) tell(file, *lines);
    }
    hand_on();
    tell(file, *lines);
    for (const auto& [reason, entry] : events->unread().by_reason()) {
      auto& sum = count_.unread[reason];
      sum.count += entry.count;
      if (sum.samples.empty()) sum.samples = entry.samples;
    }
    if (lines->error() && !count_.stopped) return fail(*lines->error());
    return Done{};
  }

  void hand_on() {
    take_(batch_.events());
    count_.events += batch_.size();
    batch_.clear();
  }

  void tell(const std::string& file, const ingest::LineReader& lines) {
    count_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    const double share = lines.size() == 0 ? 0
                                           : static_cast<double>(lines.bytes_read()) /
                                                 static_cast<double>(lines.size());
    if (!progress_(file, share, count_)) count_.stopped = true;
  }

  const FileRequest& request_;
  const Take& take_;
  const FileProgress& progress_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  EventBatch batch_;
  FileCount count_;
};

}  // namespace

bool FileCount::nothing_read() const {
  uint64_t not_read = 0;
  for (const auto& [reason, entry] : unread) not_read += entry.count;
  return lines > 0 && events == 0 && not_read >= lines;
}

Result<FileCount> read_files(const FileRequest& request, const Take& take,
                             const FileProgress& progress) {
  return Reading(request, take, progress).all();
}

Result<ReplayReport> replay(const ReplayRequest& request, const FileProgress& progress) {
  detect::Watch watch(request.detectors, request.limits);
  ReplayReport report;
  std::vector<Signal> fired;
  const Take judge = [&](std::span<const Event> events) {
    for (const Event& event : events) watch.on(event, fired);
    report.signals_total += fired.size();
    for (Signal& signal : fired) {
      if (report.signals.size() == ReplayReport::kSignalsKept) break;
      report.signals.push_back(std::move(signal));
    }
    fired.clear();
  };
  auto read = read_files(request.files, judge, progress);
  if (!read) return fail(read.error());
  report.read = std::move(*read);
  report.watch = watch.stats();
  return report;
}

}  // namespace watchpost::investigate
