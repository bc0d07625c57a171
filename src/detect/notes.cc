#include "detect/notes.h"

namespace watchpost::detect {
namespace {

constexpr size_t kCost = 96;  // bytes of a note and its place in the map, about

}  // namespace

Noted* Notes::find(uint32_t stream, uint32_t rule) {
  const auto found = notes_.find(key(stream, rule));
  return found == notes_.end() ? nullptr : &found->second;
}

const Noted* Notes::find(uint32_t stream, uint32_t rule) const {
  return const_cast<Notes*>(this)->find(stream, rule);
}

Noted& Notes::add(uint32_t stream, uint32_t rule) {
  const auto [at, added] = notes_.try_emplace(key(stream, rule));
  if (added) {
    memory_.add(kCost);
    if (counted_[rule]) ++count_;
  }
  return at->second;
}

void Notes::remove(uint32_t stream, uint32_t rule) {
  const auto found = notes_.find(key(stream, rule));
  if (found == notes_.end()) return;
  found->second.before.clear(memory_);
  memory_.subtract(kCost);
  if (counted_[rule]) --count_;
  notes_.erase(found);
}

}  // namespace watchpost::detect
