#include "detect/sketches/distinct_values.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

// One that gives its block back.
struct Counter {
  explicit Counter(Memory& memory) : memory_(memory) {}
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  ~Counter() { values.clear(memory_); }

  std::string saved() const {
    SavedWriter out;
    values.save(out);
    return out.bytes();
  }

  DistinctValues values;

 private:
  Memory& memory_;
};

TEST(DistinctValues, FewAreCountedExactly) {
  Memory memory;
  {
    Counter few(memory);
    EXPECT_TRUE(few.values.empty());
    EXPECT_EQ(few.values.count(5, 60), 0);
    std::mt19937_64 random(1);
    for (int i = 1; i <= 48; ++i) {
      const uint64_t hash = random();
      for (int times = 0; times < 3; ++times) few.values.add(5, 5, 60, hash, memory);
      EXPECT_EQ(few.values.count(5, 60), i);
    }
    EXPECT_LE(memory.bytes(), 300U);
  }
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST(DistinctValues, OneValueTakesThirtyTwoBytes) {
  Memory memory;
  Counter one(memory);
  one.values.add(5, 5, 60, 77, memory);
  EXPECT_LE(memory.bytes(), 32U);
}

// Against a map from values to their newest slot, with late events.
TEST(DistinctValues, FewSlideAsInAMap) {
  for (const int64_t slots : {1, 7, 60, 119}) {
    std::mt19937_64 random(static_cast<uint64_t>(slots));
    Memory memory;
    Counter few(memory);
    std::map<uint64_t, int64_t> model;
    int64_t now = -500;
    for (int step = 0; step < 20'000; ++step) {
      const int64_t last = now;
      now += random() % 20 == 0 ? static_cast<int64_t>(random() % 150) : random() % 3 == 0;
      few.values.slide(last, now, slots, memory);
      std::erase_if(model, [&](const auto& seen) { return seen.second <= now - slots; });
      const int64_t slot =
          now -
          (random() % 3 == 0 ? static_cast<int64_t>(random() % static_cast<uint64_t>(slots)) : 0);
      const uint64_t hash = (random() % 40 + 1) * 0x9E3779B97F4A7C15;
      few.values.add(now, slot, slots, hash, memory);
      model[hash] = model.contains(hash) ? std::max(model[hash], slot) : slot;
      ASSERT_EQ(few.values.count(now, slots), model.size()) << slots << " step " << step;
      const auto later =
          static_cast<uint64_t>(std::count_if(model.begin(), model.end(), [&](const auto& seen) {
            return seen.second > now + 3 - slots;
          }));
      ASSERT_EQ(few.values.count(now + 3, slots), later);
    }
  }
}

TEST(DistinctValues, ManyAreEstimatedWithinFourDeviations) {
  constexpr int kSeeds = 60;
  for (const int wanted : {49, 100, 300, 1'000, 2'500, 5'000, 20'000, 100'000}) {
    double square = 0;
    double sum = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
      std::mt19937_64 random(static_cast<uint64_t>(seed * 1000 + wanted));
      Memory memory;
      Counter many(memory);
      for (int i = 0; i < wanted; ++i) many.values.add(7, 7, 60, random(), memory);
      const double off = many.values.count(7, 60) / wanted - 1;
      EXPECT_LT(std::abs(off), 4 * 0.0325) << wanted << " seed " << seed;
      square += off * off;
      sum += off;
    }
    EXPECT_LT(std::sqrt(square / kSeeds), 1.4 * 0.0325) << wanted;
    EXPECT_LT(std::abs(sum / kSeeds), 4 * 0.0325 / std::sqrt(kSeeds)) << "biased at " << wanted;
  }
}

// Where all is in the window the estimate is that of what is in it, else of up to a sixth more.
TEST(DistinctValues, ManyLeaveBySixthsOfTheWindow) {
  for (const int64_t slots : {6, 7, 31, 60, 119}) {
    const int64_t part = (slots + 5) / 6;
    std::mt19937_64 random(static_cast<uint64_t>(slots));
    Memory memory;
    Counter many(memory);
    std::map<int64_t, std::set<uint64_t>> model;
    int64_t now = -333;
    for (int step = 0; step < 700; ++step) {
      const int64_t last = now;
      now += step % 3 == 0;
      many.values.slide(last, now, slots, memory);
      for (int i = 0; i < 20; ++i) {
        const uint64_t hash = random();
        const auto late = static_cast<int64_t>(random() % static_cast<uint64_t>(slots));
        const int64_t slot = i % 5 == 0 ? now - late : now;
        many.values.add(now, slot, slots, hash, memory);
        model[slot].insert(hash);
      }
      if (many.saved().at(0) != 2) continue;  // a list yet
      size_t least = 0;
      size_t most = 0;
      for (const auto& [slot, values] : model) {
        if (slot > now - slots) least += values.size();
        if (slot > now - slots - part) most += values.size();
      }
      const double counted = many.values.count(now, slots);
      ASSERT_GT(counted, static_cast<double>(least) * (1 - 4 * 0.0325)) << slots << ' ' << step;
      ASSERT_LT(counted, static_cast<double>(most) * (1 + 4 * 0.0325)) << slots << ' ' << step;
      // What looks ahead sees what sliding there would see.
      Counter copy(memory);
      copy.values.merge(many.values, now, slots, memory);
      copy.values.slide(now, now + part + 1, slots, memory);
      ASSERT_EQ(many.values.count(now + part + 1, slots), copy.values.count(now + part + 1, slots));
    }
    EXPECT_LE(memory.bytes(), 10'000U);
    many.values.slide(now, now + slots, slots, memory);
    EXPECT_TRUE(many.values.empty());
    EXPECT_EQ(memory.bytes(), 0U);
  }
}

struct Seen {
  int64_t slot;
  uint64_t hash;
};

std::vector<Seen> seen_in(std::mt19937_64& random, int64_t now, int64_t slots, size_t values) {
  std::vector<Seen> all;
  for (size_t i = 0; i < values; ++i) {
    const uint64_t hash = random();
    for (size_t times = 0; times < 1 + random() % 2; ++times) {
      all.push_back({now - static_cast<int64_t>(random() % static_cast<uint64_t>(slots)), hash});
    }
  }
  return all;
}

// In any split, any order of events, any order of merging, and with slides in between.
TEST(DistinctValues, OfTheSameInAnySplitAndOrder) {
  constexpr int64_t kSlots = 60;
  constexpr int64_t kNow = 1'000;
  std::mt19937_64 random(9);
  for (int round = 0; round < 300; ++round) {
    const bool few = round % 2 == 0;
    const size_t values = few ? random() % 48 + 1 : 200 + random() % 3'000;
    std::vector<Seen> all = seen_in(random, kNow, kSlots, values);
    Memory memory;
    Counter whole(memory);
    for (const Seen& seen : all) whole.values.add(kNow, seen.slot, kSlots, seen.hash, memory);

    std::shuffle(all.begin(), all.end(), random);
    Counter a(memory), b(memory), c(memory);
    Counter* parts[] = {&a, &b, &c};
    for (const Seen& seen : all) {
      parts[random() % 3]->values.add(kNow, seen.slot, kSlots, seen.hash, memory);
    }
    std::shuffle(std::begin(parts), std::end(parts), random);
    Counter merged(memory);
    for (Counter* part : parts) merged.values.merge(part->values, kNow, kSlots, memory);
    int64_t now = kNow;
    EXPECT_EQ(merged.values.count(now, kSlots), whole.values.count(now, kSlots));
    if (few) {
      EXPECT_EQ(merged.saved(), whole.saved());
    }
    while (!whole.values.empty()) {
      const int64_t last = now;
      now += static_cast<int64_t>(random() % 9);
      merged.values.slide(last, now, kSlots, memory);
      whole.values.slide(last, now, kSlots, memory);
      ASSERT_EQ(merged.values.count(now, kSlots), whole.values.count(now, kSlots));
    }
    EXPECT_TRUE(merged.values.empty());
  }
}

TEST(DistinctValues, SavedAndRestored) {
  std::mt19937_64 random(4);
  for (const size_t values : {0UZ, 1UZ, 5UZ, 48UZ, 49UZ, 4'000UZ}) {
    Memory memory;
    Counter before(memory), after(memory);
    for (const Seen& seen : seen_in(random, 77, 60, values)) {
      before.values.add(77, seen.slot, 60, seen.hash, memory);
    }
    const std::string bytes = before.saved();
    SavedReader in(bytes);
    after.values.restore(in, memory);
    EXPECT_FALSE(in.bad());
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(after.saved(), bytes);
    EXPECT_EQ(after.values.count(77, 60), before.values.count(77, 60));
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 100) {
      SavedReader cut(std::string_view(bytes).substr(0, size));
      Counter none(memory);
      none.values.restore(cut, memory);
      EXPECT_TRUE(cut.bad());
      EXPECT_TRUE(none.values.empty());
    }
  }
}

// Whatever is restored may be used.
TEST(DistinctValues, HostileBytesDoNoHarm) {
  std::mt19937_64 random(6);
  Memory memory;
  Counter good(memory);
  for (int i = 0; i < 500; ++i) good.values.add(77, 77 - i % 60, 60, random(), memory);
  Counter small(memory);
  for (int i = 0; i < 20; ++i) small.values.add(77, 77 - i, 60, random(), memory);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes = round % 2 == 0 ? good.saved() : small.saved();
    for (size_t i = 0; i < 1 + random() % 4; ++i) {
      const size_t at =
          random() % (random() % 2 == 0 ? std::min<size_t>(bytes.size(), 40) : bytes.size());
      bytes[at] = static_cast<char>(random());
    }
    SavedReader in(bytes);
    Counter used(memory);
    used.values.restore(in, memory);
    if (in.bad()) {
      ASSERT_TRUE(used.values.empty());
    }
    used.values.slide(70, 77, 60, memory);
    for (int64_t slot = 77; slot < 95; ++slot) {
      used.values.add(slot, slot, 60, random(), memory);
    }
    ASSERT_GE(used.values.count(94, 60), 0);
    used.values.merge(good.values, 94, 60, memory);
    ASSERT_GE(used.values.count(94, 60), 0);
  }
}

}  // namespace
}  // namespace watchpost::detect
