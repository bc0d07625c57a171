#include "ingest/supervisor.h"

#include "base/log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace watchpost::ingest {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::minutes(1);
// A run that long was not a failed start.
constexpr auto kGoodRun = std::chrono::minutes(5);

}  // namespace

Supervisor::Supervisor(std::vector<NamedSource> sources, EventSink& sink, PositionOf position_of)
    : sink_(sink), position_of_(std::move(position_of)) {
  for (NamedSource& source : sources) {
    runs_.push_back(std::make_unique<Run>());
    runs_.back()->named = std::move(source);
  }
}

Supervisor::~Supervisor() { stop(); }

void Supervisor::start() {
  for (const auto& run : runs_) {
    if (run->thread.joinable()) continue;
    run->thread = std::jthread(
        [this, one = run.get()](const std::stop_token& stop) { keep_running(*one, stop); });
  }
}

void Supervisor::stop() {
  for (const auto& run : runs_) run->thread.request_stop();
  for (const auto& run : runs_) {
    if (run->thread.joinable()) run->thread.join();
  }
}

void Supervisor::keep_running(Run& run, const std::stop_token& stop) {
  Duration span = kFirstPause;
  while (!stop.stop_requested()) {
    const auto began = std::chrono::steady_clock::now();
    const auto ended = run.named.source->run(sink_, position_of_(run.named.name), stop);
    if (ended) return;
    if (std::chrono::steady_clock::now() - began > kGoodRun) span = kFirstPause;
    log_warning("ingest", "source {}: {}; trying again in {}", run.named.name, ended.error().text(),
                format_duration(span));
    {
      const std::lock_guard lock(mutex_);
      run.error = ended.error().text();
    }
    if (!pause(span, stop)) return;
    {
      const std::lock_guard lock(mutex_);
      run.error.clear();
    }
    span = std::min(span * 2, kLongestPause);
  }
}

bool Supervisor::pause(Duration span, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  stopping_.wait_for(lock, stop, span, [] { return false; });
  return !stop.stop_requested();
}

std::vector<Supervisor::View> Supervisor::statuses() const {
  std::vector<View> views;
  for (const auto& run : runs_) {
    View view{run->named.name, run->named.kind, run->named.source->status()};
    const std::lock_guard lock(mutex_);
    if (!run->error.empty()) {
      view.status.healthy = false;
      view.status.state = fmt::format("stopped, will try again: {}", run->error);
    }
    views.push_back(std::move(view));
  }
  return views;
}

Result<std::function<void()>> Supervisor::read_files_anew() {
  std::vector<std::function<void()>> all;
  for (const auto& run : runs_) {
    auto use = run->named.source->read_files_anew();
    if (!use) {
      Error error = use.error();
      error.what = fmt::format("source {}: {}", run->named.name, error.what);
      return fail(std::move(error));
    }
    all.push_back(std::move(*use));
  }
  return [all = std::move(all)] {
    for (const auto& use : all) use();
  };
}

void Supervisor::show(Metrics& metrics) const {
  for (const View& view : statuses()) {
    metrics
        .gauge("watchpost_source_healthy", "Whether the source is being read (1) or not (0).",
               {{"source", view.name}})
        .set(view.status.healthy ? 1 : 0);
    metrics
        .gauge("watchpost_source_bytes_behind", "Bytes of the log that are not read yet.",
               {{"source", view.name}})
        .set(static_cast<double>(view.status.bytes_behind));
  }
}

}  // namespace watchpost::ingest
