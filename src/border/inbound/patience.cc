#include "border/inbound/patience.h"

#include "base/hash.h"

#include <random>

namespace watchpost::border {
namespace {

// Nobody outside may know it: else they would make up senders that share another's patience.
uint64_t secret_seed() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

}  // namespace

Patience::Patience() : seed_(secret_seed()) {}

bool Patience::waits(std::string_view client, std::string_view sender, Duration patience,
                     Time now) {
  const uint64_t key = hash64(sender, hash64(client, seed_));
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = first_seen_.try_emplace(key, now);
  if (is_new) {
    order_.push_back(key);
    if (order_.size() > kMost) {
      first_seen_.erase(order_.front());
      order_.pop_front();
    }
    return patience > Duration{0};
  }
  // A clock that was set back is no reason to wait longer than once more.
  if (now < place->second || now > place->second + patience + kForgotten) place->second = now;
  return now < place->second + patience;
}

size_t Patience::size() const {
  const std::lock_guard lock(mutex_);
  return first_seen_.size();
}

}  // namespace watchpost::border
