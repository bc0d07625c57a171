#include "ingest/own_failures.h"

#include "base/hash.h"
#include "model/suppression.h"

#include <optional>
#include <string>
#include <utility>

namespace watchpost::ingest {
namespace {

uint64_t key_of(std::string_view message_id, std::string_view recipient) {
  const std::string key = suppression_key(recipient);
  return hash64(message_id, hash64(key.empty() ? recipient : key));
}

// Nothing for what is no failure, or of a message that is not known.
std::optional<uint64_t> key_of(const Event& event) {
  if (event.kind != EventKind::bounced && event.kind != EventKind::expired) return std::nullopt;
  if (event[Field::message_id].empty()) return std::nullopt;
  return key_of(event[Field::message_id], event[Field::recipient]);
}

}  // namespace

void OwnFailures::Keys::add(uint64_t key) {
  newer_.insert(key);
  if (newer_.size() >= kMost) older_ = std::exchange(newer_, {});
}

void OwnFailures::note(const Event& event) {
  const std::optional<uint64_t> key = key_of(event);
  if (!key || !is_proven(event)) return;
  const std::lock_guard lock(mutex_);
  (event[Field::proof].empty() ? logged_ : told_).add(*key);
}

bool OwnFailures::has(std::string_view message_id, std::string_view recipient) const {
  if (message_id.empty()) return false;
  const std::lock_guard lock(mutex_);
  return logged_.contains(key_of(message_id, recipient));
}

bool OwnFailures::is_second(const Event& event) const {
  const std::optional<uint64_t> key = key_of(event);
  if (!key || !event[Field::proof].empty()) return false;
  const std::lock_guard lock(mutex_);
  return told_.contains(*key);
}

}  // namespace watchpost::ingest
