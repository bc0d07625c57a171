#include "detect/bodies.h"

#include <cstring>

namespace watchpost::detect {

std::byte* Bodies::take(size_t size, uint32_t owner) {
  const size_t all = whole(size);
  if (all > kLargest) return static_cast<std::byte*>(memory_.take(size));
  Kind& kind = kinds_[all / kUnit];
  if (kind.chunks.empty() || kind.in_last == kChunk / all) {
    kind.chunks.push_back(static_cast<std::byte*>(memory_.take(kChunk)));
    kind.in_last = 0;
    memory_.add(2 * sizeof(std::byte*));  // its place in `chunks`, which may be half empty
  }
  std::byte* const body = kind.chunks.back() + kind.in_last++ * all;
  std::memcpy(body + all - kTail, &owner, kTail);
  return body;
}

uint32_t Bodies::give(std::byte* body, size_t size) {
  const size_t all = whole(size);
  if (all > kLargest) {
    memory_.give(body);
    return kNobody;
  }
  Kind& kind = kinds_[all / kUnit];
  const std::byte* const last = kind.chunks.back() + --kind.in_last * all;
  uint32_t moved = kNobody;
  if (last != body) {
    std::memcpy(body, last, all);
    std::memcpy(&moved, body + all - kTail, kTail);
  }
  if (kind.in_last == 0) {
    memory_.give(kind.chunks.back());
    memory_.subtract(2 * sizeof(std::byte*));
    kind.chunks.pop_back();
    kind.in_last = kind.chunks.empty() ? 0 : kChunk / all;
  }
  return moved;
}

}  // namespace watchpost::detect
