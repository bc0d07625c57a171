#include "auth/dkim/key_cache.h"

#include "base/hash.h"

#include <algorithm>
#include <random>
#include <utility>

namespace watchpost::auth {

size_t KeyCache::Hash::operator()(std::string_view text) const { return hash64(text, seed); }

// The texts come from outside: a seed that nobody knows keeps them from meeting in one bucket.
KeyCache::KeyCache(size_t most)
    : most_of_each_(std::max<size_t>(most / 2, 1)),
      young_(0, Hash{std::random_device()()}),
      old_(0, young_.hash_function()) {}

std::shared_ptr<const KeyRecord> KeyCache::found(std::string_view text) {
  const auto young = young_.find(text);
  if (young != young_.end()) return young->second;
  const auto old = old_.find(text);
  if (old == old_.end()) return nullptr;
  auto record = old->second;
  young_.insert(old_.extract(old));
  return record;
}

std::shared_ptr<const KeyRecord> KeyCache::record(std::string_view text) {
  if (text.size() <= kLongestKept) {
    const std::scoped_lock lock(mutex_);
    if (auto record = found(text)) return record;
  }
  auto record = std::make_shared<const KeyRecord>(KeyRecord::read(text));
  if (text.size() > kLongestKept) return record;
  const std::scoped_lock lock(mutex_);
  if (young_.size() >= most_of_each_) {
    old_ = std::exchange(young_, Records(0, young_.hash_function()));
  }
  young_.insert_or_assign(std::string(text), record);
  return record;
}

size_t KeyCache::size() const {
  const std::scoped_lock lock(mutex_);
  return young_.size() + old_.size();
}

}  // namespace watchpost::auth
