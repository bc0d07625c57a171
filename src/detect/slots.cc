#include "detect/slots.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace watchpost::detect {
namespace {

constexpr uint32_t kFirstBlock = 8;  // cells
constexpr uint32_t kSumsFrom = 32;   // cells: fewer are as quickly added up

// How many slots before `last` a cell lies; both lie in one window, so the low bits tell.
uint32_t age(int64_t last, uint8_t slot) {
  return static_cast<uint8_t>(static_cast<uint8_t>(last) - slot);
}

// Behind the cells that are not newer than the slot of this name.
uint32_t behind_slot(const Cell* cells, uint32_t size, int64_t now, uint8_t name) {
  const uint32_t wanted = age(now, name);
  uint32_t behind = size;
  while (behind > 0 && age(now, cells[behind - 1].slot) < wanted) --behind;
  return behind;
}

// Among those of the slot, which end at `behind`: the last of the column that has room for so many
// more.
Cell* with_room(Cell* cells, uint32_t behind, uint8_t name, uint8_t column, uint16_t count) {
  for (uint32_t i = behind; i > 0 && cells[i - 1].slot == name; --i) {
    Cell& cell = cells[i - 1];
    if (cell.column == column && cell.count <= std::numeric_limits<uint16_t>::max() - count) {
      return &cell;
    }
  }
  return nullptr;
}

}  // namespace

WindowShape WindowShape::of(int64_t window_seconds) {
  return of_slots(window_seconds, std::max<int64_t>(1, window_seconds / 60));
}

WindowShape WindowShape::of_slots(int64_t window_seconds, int64_t width) {
  return {.width = width, .slots = std::max<int64_t>(1, (window_seconds + width - 1) / width)};
}

void Slots::drop_front(uint32_t count, Memory& memory) {
  if (count == 0) return;
  uint32_t size = 0;
  Cell* const cells = begin_of_cells(size);
  if (count == size) return clear(memory);
  if (!in_block()) {
    std::move(cells + count, cells + size, cells);
    few_.size -= count;
    return;
  }
  Block* const block = many_.block;
  if (block->columns != 0) {
    uint64_t* const sums = sums_of(block);
    for (uint32_t i = 0; i < count; ++i) sums[cells[i].column] -= cells[i].count;
  }
  block->first += count;
}

void Slots::slide(int64_t last, int64_t now, int64_t slots, Memory& memory) {
  const int64_t steps = now - last;
  if (steps <= 0) return;
  if (steps >= slots) return clear(memory);
  uint32_t size = 0;
  const Cell* const cells = begin_of_cells(size);
  uint32_t gone = 0;
  while (gone < size && age(last, cells[gone].slot) + steps >= slots) ++gone;
  drop_front(gone, memory);
}

int64_t Slots::oldest(int64_t last) const { return slot_of_cell(cells().front(), last); }

void Slots::add(int64_t now, int64_t slot, uint8_t column, size_t columns, Memory& memory,
                uint16_t count) {
  uint32_t size = 0;
  Cell* const cells = begin_of_cells(size);
  const auto name = static_cast<uint8_t>(slot);
  const uint32_t behind = behind_slot(cells, size, now, name);
  Cell* const cell = with_room(cells, behind, name, column, count);
  if (cell == nullptr) return insert(behind, {name, column, count}, columns, memory);
  cell->count = static_cast<uint16_t>(cell->count + count);
  if (in_block() && many_.block->columns != 0) sums_of(many_.block)[column] += count;
}

// The place is looked for once, and nearly always all columns stand there, or none.
void Slots::add(int64_t now, int64_t slot, std::span<const uint8_t> some, size_t columns,
                Memory& memory) {
  uint32_t size = 0;
  Cell* cells = begin_of_cells(size);
  const auto name = static_cast<uint8_t>(slot);
  uint32_t behind = behind_slot(cells, size, now, name);
  for (const uint8_t column : some) {
    if (Cell* const cell = with_room(cells, behind, name, column, 1)) {
      ++cell->count;
      if (in_block() && many_.block->columns != 0) ++sums_of(many_.block)[column];
      continue;
    }
    insert(behind++, {name, column, 1}, columns, memory);
    cells = begin_of_cells(size);
  }
}

void Slots::append(Cell cell, size_t columns, Memory& memory) {
  insert(static_cast<uint32_t>(cells().size()), cell, columns, memory);
}

void Slots::insert(uint32_t at, Cell cell, size_t columns, Memory& memory) {
  if (in_block() ? many_.block->end == many_.block->capacity : few_.size == kFew) {
    make_room(columns, memory);
  }
  uint32_t size = 0;
  Cell* const cells = begin_of_cells(size);
  // Most come at the end.
  if (at != size) std::move_backward(cells + at, cells + size, cells + size + 1);
  cells[at] = cell;
  if (!in_block()) {
    ++few_.size;
    return;
  }
  ++many_.block->end;
  if (many_.block->columns != 0) sums_of(many_.block)[cell.column] += cell.count;
}

void Slots::make_room(size_t columns, Memory& memory) {
  uint32_t size = 0;
  const Cell* const old_cells = begin_of_cells(size);
  Block* const old = in_block() ? many_.block : nullptr;
  if (old != nullptr && old->first > old->capacity / 4) {
    std::memmove(cells_of(old), old_cells, size * sizeof(Cell));
    old->first = 0;
    old->end = size;
    return;
  }
  uint32_t capacity = kFirstBlock;
  if (old != nullptr) capacity = old->capacity + std::max(kFirstBlock, old->capacity / 2);
  const uint32_t kept = capacity >= kSumsFrom ? static_cast<uint32_t>(columns) : 0;
  void* const bytes =
      memory.take(sizeof(Block) + kept * sizeof(uint64_t) + capacity * sizeof(Cell));
  Block* const block = new (bytes) Block{capacity, 0, size, kept, note()};
  std::memcpy(cells_of(block), old_cells, size * sizeof(Cell));
  if (kept != 0) {
    std::fill_n(sums_of(block), kept, 0);
    sum_up({sums_of(block), kept});
  }
  memory.give(old);
  many_ = {kInBlock, block};
}

void Slots::copy_from(const Slots& other, size_t columns, Memory& memory) {
  clear(memory);
  for (const Cell cell : other.cells()) append(cell, columns, memory);
}

void Slots::clear(Memory& memory) {
  if (in_block()) memory.give(many_.block);
  few_ = {};
}

}  // namespace watchpost::detect
