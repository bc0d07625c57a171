#include "ingest/recent_events.h"

#include "base/hash.h"
#include "feedback/formats/event_json.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>

namespace watchpost::ingest {
namespace {

// So many questions are answered by looking at all that is kept; with more, places pay.
constexpr size_t kScans = 4;

constexpr std::array kShared{Field::customer, Field::campaign,       Field::credential,
                             Field::provider, Field::client_network, Field::source_ip};

// How often each value of one dimension came.
class Tally {
 public:
  void add(std::string_view value) {
    if (!value.empty()) ++counts_[value];
  }
  // Of equally frequent ones the first in the order of text, so that the answer is always the same.
  std::optional<Share> largest(Field dimension, uint64_t of) const {
    const auto less = [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second < b.second : a.first > b.first;
    };
    const auto found = std::ranges::max_element(counts_, less);
    if (found == counts_.end()) return std::nullopt;
    return Share{dimension, std::string(found->first), found->second, of};
  }

 private:
  std::unordered_map<std::string_view, uint64_t> counts_;
};

}  // namespace

void RecentEvents::add(std::vector<EventBatch> batches, std::vector<Event> events) {
  if (events.empty()) return;
  make_room({std::move(batches), std::move(events)});
}

EventBatch RecentEvents::add(EventBatch batch) {
  if (batch.empty()) return batch;
  Kept next;
  next.batches.push_back(std::move(batch));
  Kept old = make_room(std::move(next));
  if (old.batches.empty()) return {};
  old.batches[0].clear();
  return std::move(old.batches[0]);
}

// Gives back one of those that are too many now.
RecentEvents::Kept RecentEvents::make_room(Kept next) {
  for (const EventBatch& batch : next.batches) next.bytes += batch.text_bytes();
  count_ += next.all().size();
  bytes_ += next.bytes;
  kept_.push_back(std::move(next));
  asked_ = 0;
  for (auto& places : places_) places.reset();
  Kept old;
  while (kept_.size() > 1 && (count_ > kMostEvents || bytes_ > kMostBytes)) {
    count_ -= kept_.front().all().size();
    bytes_ -= kept_.front().bytes;
    old = std::move(kept_.front());
    kept_.pop_front();
  }
  return old;
}

const RecentEvents::Places& RecentEvents::places(Field dimension,
                                                 std::span<const Event> now) const {
  auto& places = places_[static_cast<size_t>(dimension)];
  if (places == nullptr || now.size() < places->now_size) {
    places = std::make_unique<Places>();
    for (const Kept& kept : kept_) {
      for (const Event& event : kept.all()) {
        if (!event[dimension].empty()) places->kept[hash64(event[dimension])].push_back(&event);
      }
    }
  }
  for (; places->now_size < now.size(); ++places->now_size) {
    const auto value = now[places->now_size][dimension];
    if (!value.empty()) places->now[hash64(value)].push_back(places->now_size);
  }
  return *places;
}

void RecentEvents::visit(const Stream& stream, std::span<const Event> now, const auto& see) const {
  const auto wanted = [&](const Event& event) {
    return !event.self_inflicted && stream.holds(event);
  };
  if (stream.empty() || ++asked_ <= kScans) {
    for (const Event& event : std::views::reverse(now)) {
      if (wanted(event) && !see(event)) return;
    }
    for (const Kept& kept : std::views::reverse(kept_)) {
      for (const Event& event : std::views::reverse(kept.all())) {
        if (wanted(event) && !see(event)) return;
      }
    }
    return;
  }
  const Stream::Part& first = stream.parts[0];
  const Places& there = places(first.dimension, now);
  const uint64_t value = hash64(first.value);
  if (const auto found = there.now.find(value); found != there.now.end()) {
    for (const size_t at : std::views::reverse(found->second)) {
      if (wanted(now[at]) && !see(now[at])) return;
    }
  }
  if (const auto found = there.kept.find(value); found != there.kept.end()) {
    for (const Event* const event : std::views::reverse(found->second)) {
      if (wanted(*event) && !see(*event)) return;
    }
  }
}

std::vector<std::string> RecentEvents::samples(const Stream& stream,
                                               std::span<const Event> now) const {
  std::vector<std::string> samples;
  visit(stream, now, [&](const Event& event) {
    samples.push_back(feedback::to_json(event));
    return samples.size() < kSamples;
  });
  std::ranges::reverse(samples);
  return samples;
}

std::vector<Share> RecentEvents::shares(const Signal& signal, std::span<const Event> now) const {
  std::array<Tally, kShared.size()> tallies;
  uint64_t failures = 0;
  visit(signal.stream, now, [&](const Event& event) {
    if (!is_trouble(event.kind) || event.at < signal.since) return true;
    for (size_t i = 0; i < kShared.size(); ++i) tallies[i].add(event[kShared[i]]);
    return ++failures < kMostFailures;
  });
  std::vector<Share> shares;
  for (size_t i = 0; i < kShared.size(); ++i) {
    if (!signal.stream[kShared[i]].empty()) continue;
    if (auto share = tallies[i].largest(kShared[i], failures)) shares.push_back(std::move(*share));
  }
  return shares;
}

}  // namespace watchpost::ingest
