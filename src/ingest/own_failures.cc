#include "ingest/own_failures.h"

#include "base/hash.h"
#include "model/suppression.h"

#include <string>
#include <utility>

namespace watchpost::ingest {
namespace {

uint64_t key_of(std::string_view message_id, std::string_view recipient) {
  return hash64(message_id, hash64(suppression_key(recipient)));
}

}  // namespace

void OwnFailures::note(const Event& event) {
  if (event.kind != EventKind::bounced && event.kind != EventKind::expired) return;
  if (!event[Field::proof].empty() || event[Field::message_id].empty()) return;
  const uint64_t key = key_of(event[Field::message_id], event[Field::recipient]);
  const std::lock_guard lock(mutex_);
  newer_.insert(key);
  if (newer_.size() < kMost) return;
  older_ = std::exchange(newer_, {});
}

bool OwnFailures::has(std::string_view message_id, std::string_view recipient) const {
  if (message_id.empty()) return false;
  const uint64_t key = key_of(message_id, recipient);
  const std::lock_guard lock(mutex_);
  return newer_.contains(key) || older_.contains(key);
}

}  // namespace watchpost::ingest
