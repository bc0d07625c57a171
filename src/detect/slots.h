#pragma once
#include "detect/memory.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace watchpost::detect {

// A window is so many slots of so many seconds; the newest is the one that event time stands in.
//   Why: at most 119 slots, so that the low 8 bits of a slot's number name it within a window.
struct WindowShape {
  int64_t width = 1;  // seconds
  int64_t slots = 1;

  // Near 60 slots of whole seconds; where the window is no multiple, it is rounded up to one.
  static WindowShape of(int64_t window_seconds);
  // Slots of a given width; the window is rounded up to a multiple.
  static WindowShape of_slots(int64_t window_seconds, int64_t width);
  // The number of the slot that a time (seconds since the epoch) lies in.
  int64_t slot_of(int64_t second) const {
    return second >= 0 ? second / width : -((-second + width - 1) / width);
  }
};

// So many events of one column in one slot. A fuller slot has several.
struct Cell {
  uint8_t slot = 0;  // low bits of its number
  uint8_t column = 0;
  uint16_t count = 0;
};

// The number of a cell's slot; `last` is a slot not older than it and less than 256 newer.
inline int64_t slot_of_cell(const Cell& cell, int64_t last) {
  return last - static_cast<uint8_t>(static_cast<uint8_t>(last) - cell.slot);
}

// The counters of one stream in one window: cells from the oldest slot to the newest, and, once
// there are more than a few, the window's sum of each column.
//   Use:     slide() to the present slot, then add().
//   Owns:    at most one block, taken from and given back to `memory`: whoever holds Slots calls
//            clear() before dropping them. They may be moved as bytes.
//   Why:     most streams see one or two events: these live in 16 bytes without a block.
class Slots {
 public:
  Slots() = default;

  // Drops what is older than `slots` slots before `now`. `last` is a slot not older than any cell
  // and less than `slots` newer than any.
  void slide(int64_t last, int64_t now, int64_t slots, Memory& memory);
  // The number of the slot of the oldest cell; `last` as above. Not for empty ones.
  int64_t oldest(int64_t last) const;
  // Counts `count` in `slot`, which lies in the window that ends with `now`. `columns` is the same
  // number in all calls.
  void add(int64_t now, int64_t slot, uint8_t column, size_t columns, Memory& memory,
           uint16_t count = 1);
  // Counts one in each of `some`, as often as it stands there.
  void add(int64_t now, int64_t slot, std::span<const uint8_t> some, size_t columns,
           Memory& memory);
  // Puts a cell behind all others (when copying and restoring).
  void append(Cell cell, size_t columns, Memory& memory);
  void copy_from(const Slots& other, size_t columns, Memory& memory);
  void clear(Memory& memory);

  // A word of whoever counts, beside the counters: all ones until it is set, and again once the
  // window was empty. Where there is no block, it is not kept.
  uint64_t note() const { return in_block() ? many_.block->note : kNoNote; }
  void set_note(uint64_t note) {
    if (in_block()) many_.block->note = note;
  }

  void prefetch() const {
    if (in_block()) __builtin_prefetch(many_.block);
  }
  bool empty() const { return cells().empty(); }
  std::span<const Cell> cells() const {
    if (!in_block()) return {few_.cells, few_.size};
    Block* const block = many_.block;
    return {cells_of(block) + block->first, block->end - block->first};
  }
  // The window's sum of each column where they are kept, else null.
  const uint64_t* sums() const {
    if (!in_block() || many_.block->columns == 0) return nullptr;
    return sums_of(many_.block);
  }
  // Adds all cells up into `sums`, which has room for each column.
  void sum_up(std::span<uint64_t> sums) const {
    for (const Cell cell : cells()) sums[cell.column] += cell.count;
  }

 private:
  struct Block {
    uint32_t capacity;  // of cells
    uint32_t first;
    uint32_t end;
    uint32_t columns;  // sums kept; 0: none yet
    uint64_t note;
  };
  static constexpr uint64_t kNoNote = ~uint64_t{0};
  static constexpr uint32_t kInBlock = ~uint32_t{0};
  static constexpr uint32_t kFew = 3;
  struct Few {
    uint32_t size;
    Cell cells[kFew];
  };
  struct Many {
    uint32_t mark;  // kInBlock
    Block* block;
  };

  bool in_block() const { return few_.size == kInBlock; }
  static uint64_t* sums_of(Block* block) { return reinterpret_cast<uint64_t*>(block + 1); }
  static Cell* cells_of(Block* block) {
    return reinterpret_cast<Cell*>(sums_of(block) + block->columns);
  }
  Cell* begin_of_cells(uint32_t& size) {
    if (!in_block()) {
      size = few_.size;
      return few_.cells;
    }
    Block* const block = many_.block;
    size = block->end - block->first;
    return cells_of(block) + block->first;
  }
  void insert(uint32_t at, Cell cell, size_t columns, Memory& memory);
  void make_room(size_t columns, Memory& memory);
  void drop_front(uint32_t cells, Memory& memory);

  union {
    Few few_{};
    Many many_;
  };
};
static_assert(sizeof(Slots) == 16 && std::is_trivially_copyable_v<Slots>);

}  // namespace watchpost::detect
