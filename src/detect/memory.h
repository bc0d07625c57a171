#pragma once
#include "base/result.h"

#include <cstddef>
#include <cstdlib>
#include <malloc.h>

namespace watchpost::detect {

// Allocations that are counted as the allocator sees them.
//   Why: the cap on memory is a promise about the process, not about what was asked for.
class Memory {
 public:
  void* take(size_t size) {
    void* const block = std::malloc(size);
    WP_CHECK(block != nullptr);
    bytes_ += cost(block);
    return block;
  }
  void give(void* block) {
    if (block == nullptr) return;
    bytes_ -= cost(block);
    std::free(block);
  }
  // Memory that others hold on behalf of the streams.
  void add(size_t bytes) { bytes_ += bytes; }
  void subtract(size_t bytes) { bytes_ -= bytes; }

  size_t bytes() const { return bytes_; }

 private:
  // glibc keeps one word in front of each block.
  static size_t cost(void* block) { return malloc_usable_size(block) + sizeof(size_t); }

  size_t bytes_ = 0;
};

}  // namespace watchpost::detect
