#include "investigate/replay.h"

#include "ingest/lines.h"

#include <chrono>

namespace watchpost::investigate {
namespace {

constexpr size_t kBatch = 2048;               // events judged at once
constexpr uint64_t kProgressLines = 1 << 16;  // lines between two reports of progress

class Run {
 public:
  Run(const ReplayRequest& request, const ReplayProgress& progress)
      : request_(request), progress_(progress), watch_(request.detectors, request.limits) {}

  Result<ReplayReport> all() {
    for (const std::string& file : request_.files) {
      if (const auto done = one(file); !done) return fail(done.error());
    }
    report_.watch = watch_.stats();
    return std::move(report_);
  }

 private:
  Result<Done> one(const std::string& file) {
    auto lines = ingest::LineReader::open(file);
    if (!lines) return fail(lines.error());
    const auto events = request_.kind.reader(
        "replay", request_.context, lines->modified_at().value_or(request_.context.clock.now()));
    ingest::Line line;
    while (lines->next(line)) {
      ++report_.lines;
      // Nothing here looks at the ids of events, so that no line needs to be hashed for them.
      events->line(line.text, Hash128{report_.lines, 0}, batch_);
      if (batch_.size() >= kBatch) judge();
      if (report_.lines % kProgressLines == 0) tell(file, *lines);
    }
    judge();
    tell(file, *lines);
    for (const auto& [reason, entry] : events->unread().by_reason()) {
      auto& sum = report_.unread[reason];
      sum.count += entry.count;
      if (sum.samples.empty()) sum.samples = entry.samples;
    }
    if (lines->error()) return fail(*lines->error());
    return Done{};
  }

  void judge() {
    for (const Event& event : batch_.events()) watch_.on(event, fired_);
    report_.events += batch_.size();
    report_.signals_total += fired_.size();
    for (Signal& signal : fired_) {
      if (report_.signals.size() == ReplayReport::kSignalsKept) break;
      report_.signals.push_back(std::move(signal));
    }
    fired_.clear();
    batch_.clear();
  }

  void tell(const std::string& file, const ingest::LineReader& lines) {
    report_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    const double share = lines.size() == 0 ? 0
                                           : static_cast<double>(lines.bytes_read()) /
                                                 static_cast<double>(lines.size());
    progress_(file, share, report_);
  }

  const ReplayRequest& request_;
  const ReplayProgress& progress_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  detect::Watch watch_;
  EventBatch batch_;
  std::vector<Signal> fired_;
  ReplayReport report_;
};

}  // namespace

Result<ReplayReport> replay(const ReplayRequest& request, const ReplayProgress& progress) {
  return Run(request, progress).all();
}

}  // namespace watchpost::investigate
