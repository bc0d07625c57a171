#include "detect/slots.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

constexpr size_t kColumns = 14;

TEST(WindowShape, AboutSixtySlotsOfWholeSeconds) {
  for (int64_t window = 10; window <= 7 * 86400; window += window < 1000 ? 1 : 977) {
    const WindowShape shape = WindowShape::of(window);
    EXPECT_GE(shape.width * shape.slots, window);
    EXPECT_LT(shape.width * (shape.slots - 1), window);
    EXPECT_LE(shape.slots, 119);
  }
  EXPECT_EQ(WindowShape::of(600).width, 10);
  EXPECT_EQ(WindowShape::of(600).slot_of(-1), -1);
  EXPECT_EQ(WindowShape::of(600).slot_of(-10), -1);
  EXPECT_EQ(WindowShape::of(600).slot_of(9), 0);
}

std::array<uint64_t, kColumns> sums_of(const Slots& slots) {
  std::array<uint64_t, kColumns> sums{};
  slots.sum_up(sums);
  if (const uint64_t* kept = slots.sums()) {
    EXPECT_TRUE(std::equal(sums.begin(), sums.end(), kept)) << "kept sums differ from the cells";
  }
  return sums;
}

TEST(Slots, OneOrTwoEventsNeedNoBlock) {
  Memory memory;
  Slots slots;
  slots.add(100, 100, 1, kColumns, memory);
  slots.add(100, 100, 12, kColumns, memory);
  slots.add(101, 101, 1, kColumns, memory);
  EXPECT_EQ(memory.bytes(), 0U);
  EXPECT_EQ(sums_of(slots)[1], 2U);
}

TEST(Slots, AFullCellIsFollowedByAnother) {
  Memory memory;
  Slots slots;
  for (int i = 0; i < 200'000; ++i) slots.add(7, 7, 1, kColumns, memory);
  EXPECT_EQ(sums_of(slots)[1], 200'000U);
  EXPECT_EQ(slots.cells().size(), 4U);
  slots.slide(7, 67, 60, memory);
  EXPECT_TRUE(slots.empty());
  EXPECT_EQ(memory.bytes(), 0U);
}

// Against a map, over many slides, with late events and numbers of slots that pass 256.
TEST(Slots, SameAsAMapOfCounts) {
  std::mt19937 random(5);
  for (const int64_t length : {1, 10, 60, 119}) {
    Memory memory;
    Slots slots;
    std::map<std::pair<int64_t, uint8_t>, uint64_t> model;
    int64_t now = -300;
    for (int i = 0; i < 20'000; ++i) {
      const int64_t last = now;
      now += random() % 10 == 0 ? static_cast<int64_t>(random() % 140)
                                : static_cast<int64_t>(random() % 2);
      slots.slide(last, now, length, memory);
      std::erase_if(model, [&](const auto& cell) { return cell.first.first <= now - length; });
      const int64_t slot = random() % 4 == 0 ? now - static_cast<int64_t>(random()) % length : now;
      const auto column = static_cast<uint8_t>(random() % kColumns);
      slots.add(now, slot, column, kColumns, memory);
      ++model[{slot, column}];
      std::array<uint64_t, kColumns> wanted{};
      for (const auto& [cell, count] : model) wanted[cell.second] += count;
      ASSERT_EQ(sums_of(slots), wanted) << "step " << i << " length " << length;
      ASSERT_EQ(slots.oldest(now), model.begin()->first.first);
    }
    slots.clear(memory);
    EXPECT_EQ(memory.bytes(), 0U);
  }
}

// Several columns at once, some of them in the slot already, against one after the other.
TEST(Slots, SeveralColumnsAtOnceAreAsOneByOne) {
  std::mt19937 random(11);
  Memory memory;
  Slots together;
  Slots apart;
  int64_t now = 1000;
  for (int i = 0; i < 20'000; ++i) {
    const int64_t last = now;
    now += random() % 8 == 0 ? static_cast<int64_t>(random() % 50) : 0;
    for (Slots* const slots : {&together, &apart}) slots->slide(last, now, 60, memory);
    const int64_t slot = random() % 5 == 0 ? now - static_cast<int64_t>(random() % 60) : now;
    std::vector<uint8_t> columns(random() % 5);
    for (uint8_t& column : columns) column = static_cast<uint8_t>(random() % kColumns);
    together.add(now, slot, columns, kColumns, memory);
    for (const uint8_t column : columns) apart.add(now, slot, column, kColumns, memory);
    ASSERT_EQ(sums_of(together), sums_of(apart)) << "step " << i;
    ASSERT_TRUE(std::ranges::equal(together.cells(), apart.cells(),
                                   [](Cell a, Cell b) {
                                     return a.slot == b.slot && a.column == b.column &&
                                            a.count == b.count;
                                   }))
        << "step " << i;
  }
  together.clear(memory);
  apart.clear(memory);
}

TEST(Slots, ANoteStaysUntilTheWindowWasEmpty) {
  Memory memory;
  Slots slots;
  slots.add(7, 7, 1, kColumns, memory);
  slots.set_note(5);
  EXPECT_EQ(slots.note(), ~uint64_t{0}) << "nothing is kept beside a few cells";
  for (uint8_t column = 0; column < 4; ++column) slots.add(7, 7, column, kColumns, memory);
  EXPECT_EQ(slots.note(), ~uint64_t{0});
  slots.set_note(5);
  for (int64_t slot = 8; slot < 60; ++slot) slots.add(slot, slot, 1, kColumns, memory);
  EXPECT_EQ(slots.note(), 5U) << "also in a larger block";
  slots.slide(59, 200, 60, memory);
  slots.add(200, 200, 1, kColumns, memory);
  EXPECT_EQ(slots.note(), ~uint64_t{0});
  slots.clear(memory);
}

}  // namespace
}  // namespace watchpost::detect
