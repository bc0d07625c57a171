#pragma once
#include "model/event.h"
#include "model/stream.h"

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace watchpost::ingest {

// The last events that were committed, for the samples that stand in an incident's evidence.
//   Owns:    the batches that hold them.
//   Threads: none inside.
class RecentEvents {
 public:
  static constexpr size_t kMostEvents = 20'000;
  static constexpr size_t kMostBytes = 32 * 1024 * 1024;
  static constexpr size_t kSamples = 5;

  void add(std::vector<EventBatch> batches, std::vector<Event> events);
  // The newest events that the stream holds, as JSON, newest last: first of `now`, then of those
  // kept. Self-inflicted ones are no evidence.
  std::vector<std::string> samples(const Stream& stream, std::span<const Event> now) const;
  size_t size() const { return count_; }

 private:
  struct Kept {
    std::vector<EventBatch> batches;
    std::vector<Event> events;
    size_t bytes = 0;
  };
  std::deque<Kept> kept_;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace watchpost::ingest
