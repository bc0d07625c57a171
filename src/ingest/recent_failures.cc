#include "ingest/recent_failures.h"

#include <utility>

namespace watchpost::ingest {
namespace {

constexpr size_t kAtOnce = 1024;

}  // namespace

void RecentFailures::add(const Event& event) {
  if (!is_trouble(event.kind) || event.self_inflicted || !is_proven(event)) return;
  newest_.copy(event);
  if (newest_.size() >= kAtOnce) newest_ = kept_.add(std::move(newest_));
}

std::vector<Share> RecentFailures::shares(const Signal& signal) const {
  return kept_.shares(signal, newest_.events());
}

}  // namespace watchpost::ingest
