#pragma once
#include "detect/memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace watchpost::detect {

// Blocks of bytes without gaps: those of one size lie side by side, and where one is given back,
// the last of its size moves there.
//   Use:     take(), give(); who owned the block that moved must look for it at its new place.
//   Owns:    the blocks, until they are given back.
//   Why:     ten million small blocks cost no more than their bytes, and what is given back is free
//            for any other size: whoever makes up keys of all lengths cannot tear holes.
class Bodies {
 public:
  static constexpr uint32_t kNobody = ~uint32_t{0};
  explicit Bodies(Memory& memory) : memory_(memory) {}
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;

  // Aligned to 8 bytes where `size` is a multiple of 8 less kTail, else to 4.
  std::byte* take(size_t size, uint32_t owner);
  // The owner of the block that lies at `body` from now on; kNobody where none does.
  uint32_t give(std::byte* body, size_t size);
  static constexpr size_t kTail = sizeof(uint32_t);  // the owner, behind each block

 private:
  static constexpr size_t kUnit = 4;
  static constexpr size_t kLargest = 512;  // larger ones are the allocator's
  static constexpr size_t kChunk = 4080;   // with the allocator's own bytes one page
  struct Kind {
    std::vector<std::byte*> chunks;
    size_t in_last = 0;  // blocks in the last chunk
  };
  static size_t whole(size_t size) { return (size + kTail + kUnit - 1) / kUnit * kUnit; }

  Memory& memory_;
  std::array<Kind, kLargest / kUnit + 1> kinds_;
};

}  // namespace watchpost::detect
