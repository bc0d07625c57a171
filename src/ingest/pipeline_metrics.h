#pragma once
#include "base/metrics.h"
#include "base/time.h"
#include "decide/decider.h"
#include "detect/watch.h"
#include "ingest/source.h"
#include "ingest/step.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace watchpost::ingest {

// What the pipeline shows of itself in /metrics.
//   Threads: the pipeline's.
class PipelineMetrics {
 public:
  explicit PipelineMetrics(Metrics& metrics);

  void event(std::string_view source, EventKind kind);
  void duplicate() { duplicates_.add(); }
  void committed(const Step& step, double seconds, Time now);
  // What a person does to the list; told before it is committed, and 0 behind it.
  void lifting(size_t by_hand) { lifting_by_hand_ = by_hand; }
  // What a person added to the list.
  void suppressed(std::string_view how, size_t count);
  void commit_failed() {
    failures_.add();
    storing_.set(0);
  }
  void show(const detect::WatchStats& stats, size_t waiting, uint64_t forgotten_early);
  void show(const decide::Decider& decider, Time now);
  void show(const store::KeptMailRoom& room);
  void counting() { counting_.set(1); }  // what was counted before the start is there

 private:
  using ByKind = std::array<Counter*, kEventKinds>;
  Metrics& metrics_;
  std::map<std::string, ByKind, std::less<>> events_;
  Counter& duplicates_;
  Counter& failures_;
  Counter& late_;
  Counter& evicted_;
  Gauge& lag_;
  Gauge& waiting_;
  Gauge& streams_;
  Gauge& bytes_;
  Gauge& open_incidents_;
  Gauge& storing_;
  Gauge& counting_;
  Gauge& automation_;
  Gauge& proposed_;
  std::map<MeasureKind, Gauge*> in_force_;
  Gauge& forgotten_;
  Gauge& kept_mail_;
  Counter& removed_mail_;
  Histogram& seconds_;
  size_t lifting_by_hand_ = 0;
};

}  // namespace watchpost::ingest
