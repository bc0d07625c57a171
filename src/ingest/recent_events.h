#pragma once
#include "model/event.h"
#include "model/signal.h"
#include "model/stream.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace watchpost::ingest {

// What a stream may be stopped for: failures and complaints.
constexpr bool is_trouble(EventKind kind) {
  return is_failure(kind) || kind == EventKind::complained;
}

// The last events that were counted, for what stands in an incident's evidence: samples, and who
// and what a stream's failures have in common (RecentFailures keeps those apart).
//   Use:     add() what was counted, in order; between two add()s ask with `now`, the events that
//            were counted since: it may only grow.
//   Owns:    the batches that hold them.
//   Threads: none inside.
class RecentEvents {
 public:
  static constexpr size_t kMostEvents = 20'000;
  static constexpr size_t kMostBytes = 32 * 1024 * 1024;
  static constexpr size_t kSamples = 5;
  static constexpr size_t kMostFailures = 10'000;  // of one stream that are looked at

  void add(std::vector<EventBatch> batches, std::vector<Event> events);
  // The same of one batch, all of whose events were counted. Gives back an empty one to fill.
  EventBatch add(EventBatch batch);
  // The newest events that the stream holds, as JSON, newest last: first of `now`, then of those
  // kept. Self-inflicted ones are no evidence.
  std::vector<std::string> samples(const Stream& stream, std::span<const Event> now) const;
  // For Signal::shares: of the stream's failures (deferred, bounced, expired, complained) since the
  // signal's window began, the largest value of customer, campaign, credential, provider,
  // client_network and source_ip each; not of what the stream names itself.
  std::vector<Share> shares(const Signal& signal, std::span<const Event> now) const;
  size_t size() const { return count_; }

 private:
  struct Kept {
    std::vector<EventBatch> batches;
    std::vector<Event> events;  // empty: those of the only batch
    size_t bytes = 0;
    std::span<const Event> all() const { return events.empty() ? batches[0].events() : events; }
  };
  // Where the values of one dimension stand, oldest first: made when it is asked for often, as when
  // thousands of streams fire at once.
  struct Places {
    std::unordered_map<uint64_t, std::vector<const Event*>> kept;
    std::unordered_map<uint64_t, std::vector<size_t>> now;
    size_t now_size = 0;
  };

  Kept make_room(Kept next);
  // Calls `see` for each event that the stream holds, newest first, until it says false.
  void visit(const Stream& stream, std::span<const Event> now, const auto& see) const;
  const Places& places(Field dimension, std::span<const Event> now) const;

  std::deque<Kept> kept_;
  size_t count_ = 0;
  size_t bytes_ = 0;
  mutable size_t asked_ = 0;  // since the last add()
  mutable std::array<std::unique_ptr<Places>, kTextFields> places_;
};

}  // namespace watchpost::ingest
