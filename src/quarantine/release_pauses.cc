#include "quarantine/release_pauses.h"

#include "base/retry.h"

namespace watchpost::quarantine {
namespace {

constexpr Pauses kCopies{std::chrono::seconds(30), std::chrono::minutes(30)};
constexpr Pauses kServers{std::chrono::seconds(5), std::chrono::minutes(1)};
constexpr size_t kMostRemembered = 100'000;

}  // namespace

double ReleasePauses::jitter() { return std::uniform_real_distribution<>(0, 1)(random_); }

Time ReleasePauses::next_try(const HeldId& id, Time now) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMostRemembered) failures_.clear();
  return now + pause_after(kCopies, ++failures_[id], jitter());
}

void ReleasePauses::forget(const HeldId& id) {
  const std::lock_guard lock(mutex_);
  failures_.erase(id);
}

std::optional<Time> ReleasePauses::waits(const std::string& server, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(server);
  if (found == servers_.end() || found->second.until <= now) return std::nullopt;
  return found->second.until;
}

Time ReleasePauses::failed(const std::string& server, Time now) {
  const std::lock_guard lock(mutex_);
  Server& one = servers_[server];
  // Several lanes find out at the same time.
  if (one.until <= now) one.until = now + pause_after(kServers, ++one.failures, jitter());
  return one.until;
}

void ReleasePauses::works(const std::string& server) {
  const std::lock_guard lock(mutex_);
  servers_.erase(server);
}

}  // namespace watchpost::quarantine
