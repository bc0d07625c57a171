#include "ingest/recent_events.h"

#include "feedback/formats/event_json.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace watchpost::ingest {
namespace {

void add_samples(const Stream& stream, std::span<const Event> events,
                 std::vector<std::string>& samples) {
  for (const Event& event : std::views::reverse(events)) {
    if (samples.size() >= RecentEvents::kSamples) return;
    if (event.self_inflicted || !stream.holds(event)) continue;
    samples.push_back(feedback::to_json(event));
  }
}

}  // namespace

void RecentEvents::add(std::vector<EventBatch> batches, std::vector<Event> events) {
  if (events.empty()) return;
  Kept kept{std::move(batches), std::move(events)};
  for (const EventBatch& batch : kept.batches) kept.bytes += batch.text_bytes();
  count_ += kept.events.size();
  bytes_ += kept.bytes;
  kept_.push_back(std::move(kept));
  while (kept_.size() > 1 && (count_ > kMostEvents || bytes_ > kMostBytes)) {
    count_ -= kept_.front().events.size();
    bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
}

std::vector<std::string> RecentEvents::samples(const Stream& stream,
                                               std::span<const Event> now) const {
  std::vector<std::string> samples;
  add_samples(stream, now, samples);
  for (const Kept& kept : std::views::reverse(kept_)) {
    if (samples.size() >= kSamples) break;
    add_samples(stream, kept.events, samples);
  }
  std::ranges::reverse(samples);
  return samples;
}

}  // namespace watchpost::ingest
