#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "ingest/source.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace watchpost::ingest {

struct NamedSource {
  std::string name;
  std::string kind;
  std::unique_ptr<Source> source;
};

// Runs each source in a thread of its own and starts it again, with growing pauses, where it could
// not go on.
//   Use:     start(), stop(); stop() before the pipeline's, so that last positions are kept.
//   Owns:    the sources and their threads.
//   Threads: statuses() may be called from any.
class Supervisor {
 public:
  // `position_of` gives a source's committed position; it and `sink` must outlive the supervisor.
  using PositionOf = std::function<std::string(std::string_view source)>;
  Supervisor(std::vector<NamedSource> sources, EventSink& sink, PositionOf position_of);
  ~Supervisor();

  void start();
  void stop();

  struct View {
    std::string name;
    std::string kind;
    SourceStatus status;
  };
  std::vector<View> statuses() const;
  // Source::read_files_anew() of all. An error names the source; then nothing is to be called.
  //   Threads: any.
  Result<std::function<void()>> read_files_anew();
  // The same as gauges of each source.
  void show(Metrics& metrics) const;

 private:
  struct Run {
    NamedSource named;
    std::string error;  // why it does not run now; under mutex_
    std::jthread thread;
  };
  void keep_running(Run& run, const std::stop_token& stop);
  // False where stop was requested meanwhile.
  bool pause(Duration span, const std::stop_token& stop);

  EventSink& sink_;
  PositionOf position_of_;
  mutable std::mutex mutex_;
  std::condition_variable_any stopping_;
  std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace watchpost::ingest
