#include "detect/bodies.h"

#include <cstring>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

TEST(Bodies, AllKeepWhatIsInThemWhileOthersComeAndGo) {
  Memory memory;
  Bodies bodies(memory);
  struct Body {
    std::byte* at;
    size_t size;
  };
  std::map<uint32_t, Body> all;
  std::mt19937 random(1);
  const auto content = [](uint32_t owner) { return static_cast<int>(owner % 251); };
  const auto give = [&](uint32_t owner) {
    const Body body = all.at(owner);
    for (size_t i = 0; i < body.size; ++i) ASSERT_EQ(body.at[i], std::byte(content(owner)));
    all.erase(owner);
    const uint32_t moved = bodies.give(body.at, body.size);
    if (moved != Bodies::kNobody) all.at(moved).at = body.at;
  };
  for (uint32_t owner = 0; owner < 30'000; ++owner) {
    const size_t size = 1 + random() % (owner % 10 == 0 ? 700 : 60);
    std::byte* const at = bodies.take(size, owner);
    std::memset(at, content(owner), size);
    all[owner] = {at, size};
    if (owner % 2 == 1) give(all.lower_bound(static_cast<uint32_t>(random() % owner))->first);
  }
  EXPECT_GT(memory.bytes(), 0U);
  while (!all.empty()) give(all.begin()->first);
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST(Bodies, WhatIsGivenBackIsFreeForOtherSizes) {
  Memory memory;
  Bodies bodies(memory);
  for (size_t size = 20; size < 60; size += 4) {
    std::vector<std::byte*> at;
    for (uint32_t i = 0; i < 10'000; ++i) at.push_back(bodies.take(size, i));
    EXPECT_LT(memory.bytes(), 10'000 * (size + 4) * 103 / 100 + 8192) << size;
    for (uint32_t i = 10'000; i > 0; --i) bodies.give(at[i - 1], size);
    EXPECT_EQ(memory.bytes(), 0U) << size;
  }
}

TEST(Bodies, AMultipleOfEightWithItsTailIsAligned) {
  Memory memory;
  Bodies bodies(memory);
  std::vector<std::byte*> all;
  for (uint32_t i = 0; i < 1000; ++i) {
    all.push_back(bodies.take(44, i));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(all.back()) % 8, 0U);
  }
  for (; !all.empty(); all.pop_back()) EXPECT_EQ(bodies.give(all.back(), 44), Bodies::kNobody);
}

}  // namespace
}  // namespace watchpost::detect
