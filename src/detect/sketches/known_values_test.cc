#include "detect/sketches/known_values.h"

#include "base/saved_bytes.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

constexpr Duration kDay = 24h;
const Time kStart{kDay * 30 * 680};  // a period begins

struct Known {
  explicit Known(Memory& memory) : memory_(memory) {}
  Known(const Known&) = delete;
  Known& operator=(const Known&) = delete;
  ~Known() { values.clear(memory_); }

  bool add(uint64_t hash, Time at) { return values.add(hash, at, memory_); }
  std::string saved() const {
    SavedWriter out;
    values.save(out);
    return out.bytes();
  }

  KnownValues values;

 private:
  Memory& memory_;
};

TEST(KnownValues, NewOnlyOnce) {
  Memory memory;
  {
    Known known(memory);
    std::mt19937_64 random(1);
    for (int i = 0; i < 300; ++i) {
      const uint64_t hash = random();
      EXPECT_FALSE(known.values.knows(hash));
      EXPECT_TRUE(known.add(hash, kStart));
      EXPECT_FALSE(known.add(hash, kStart));
      EXPECT_TRUE(known.values.knows(hash));
    }
    EXPECT_TRUE(known.add(0, kStart)) << "the hash 0 is a value as others are";
    EXPECT_FALSE(known.add(0, kStart));
  }
  EXPECT_EQ(memory.bytes(), 0U);
}

TEST(KnownValues, AFewAreSmall) {
  Memory memory;
  Known known(memory);
  for (uint64_t i = 1; i <= 3; ++i) known.add(i << 40, kStart);
  EXPECT_LE(memory.bytes(), 96U);
}

// Never forgets within a period, and calls at most one in a hundred new ones known.
TEST(KnownValues, ErrorsOfManyAreFew) {
  for (const int wanted : {1'000, 10'000, 100'000, 400'000}) {
    Memory memory;
    Known known(memory);
    std::mt19937_64 random(static_cast<uint64_t>(wanted));
    std::vector<uint64_t> all;
    int taken_for_known = 0;
    for (int i = 0; i < wanted; ++i) {
      all.push_back(random());
      taken_for_known += !known.add(all.back(), kStart);
    }
    EXPECT_LT(taken_for_known, wanted / 100) << wanted;
    for (const uint64_t hash : all) ASSERT_TRUE(known.values.knows(hash));
    int wrong = 0;
    for (int i = 0; i < 20'000; ++i) wrong += known.values.knows(random());
    EXPECT_LT(wrong, 200) << wanted;
    // The allocator gives large blocks in pages.
    EXPECT_LE(memory.bytes(), size_t{1024 * 1024 + 2048 + 4096});
  }
}

TEST(KnownValues, StaysBoundedWithInventedValues) {
  Memory memory;
  Known known(memory);
  std::mt19937_64 random(2);
  size_t most = 0;
  for (int i = 0; i < 1'200'000; ++i) {
    known.add(random(), kStart);
    most = std::max(most, memory.bytes());
  }
  EXPECT_LE(most, size_t{2 * 1024 * 1024 + 700 * 1024}) << "two generations, one being enlarged";
  EXPECT_TRUE(known.add(12345ULL << 32, kStart));
  EXPECT_FALSE(known.add(12345ULL << 32, kStart));
}

TEST(KnownValues, ForgottenAfterThirtyToSixtyDays) {
  Memory memory;
  Known known(memory);
  EXPECT_TRUE(known.add(1ULL << 32, kStart + kDay));
  EXPECT_TRUE(known.add(2ULL << 32, kStart + kDay));
  EXPECT_FALSE(known.add(1ULL << 32, kStart + 40 * kDay)) << "known again";
  EXPECT_FALSE(known.add(1ULL << 32, kStart + 70 * kDay));
  EXPECT_TRUE(known.add(2ULL << 32, kStart + 70 * kDay)) << "69 days ago";
  EXPECT_FALSE(known.add(2ULL << 32, kStart + 50 * kDay)) << "a late event turns nothing back";
  EXPECT_TRUE(known.add(2ULL << 32, kStart + 400 * kDay)) << "all is old";
}

TEST(KnownValues, SettledAfterADayAndTwentyEvents) {
  Memory memory;
  Known known(memory);
  EXPECT_FALSE(known.values.settled(kStart));
  for (uint64_t i = 1; i <= 20; ++i) {
    EXPECT_FALSE(known.values.settled(kStart + 2 * kDay));
    known.add((i % 2) << 32, kStart + 1h);
  }
  EXPECT_FALSE(known.values.settled(kStart + 24h));
  EXPECT_TRUE(known.values.settled(kStart + 25h));
}

TEST(KnownValues, YoungAgainWhereAllWasForgotten) {
  Memory memory;
  Known known(memory);
  for (uint64_t i = 1; i <= 30; ++i) known.add(i << 32, kStart + 1h * i);
  ASSERT_TRUE(known.values.settled(kStart + 2 * kDay));
  EXPECT_TRUE(known.add(uint64_t{1} << 32, kStart + 100 * kDay)) << "forgotten";
  EXPECT_FALSE(known.values.settled(kStart + 100 * kDay));
}

TEST(KnownValues, OfTheSameInAnySplitAndOrder) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    struct Seen {
      uint64_t hash;
      Time at;
    };
    const bool one_period = round % 2 == 0;
    const size_t values = round % 20 == 1 ? 20'000 : 1 + random() % 300;
    std::vector<Seen> all;
    for (size_t i = 0; i < values; ++i) {
      all.push_back({random(), kStart + kDay * (random() % (one_period ? 29 : 59))});
    }
    Memory memory;
    Known whole(memory), a(memory), b(memory), merged(memory);
    std::sort(all.begin(), all.end(), [](const Seen& x, const Seen& y) { return x.at < y.at; });
    Known* parts[] = {&a, &b};
    for (const Seen& seen : all) {
      whole.add(seen.hash, seen.at);
      parts[random() % 2]->add(seen.hash, seen.at);
    }
    if (random() % 2 == 0) std::swap(parts[0], parts[1]);
    for (const Known* part : parts) merged.values.merge(part->values, memory);
    if (values <= 300) {
      EXPECT_EQ(merged.saved(), whole.saved());
    }
    for (const Seen& seen : all) ASSERT_TRUE(merged.values.knows(seen.hash));
    int wrong = 0;
    for (int i = 0; i < 1'000; ++i) wrong += merged.values.knows(random());
    EXPECT_LT(wrong, values <= 300 ? 1 : 100) << "filters united are fuller";
    const Time end = kStart + 60 * kDay;
    EXPECT_EQ(merged.values.settled(end), whole.values.settled(end));
  }
}

TEST(KnownValues, SavedAndRestored) {
  std::mt19937_64 random(4);
  for (const int values : {0, 1, 30, 384, 385, 3'000, 40'000}) {
    Memory memory;
    Known before(memory), after(memory);
    for (int i = 0; i < values; ++i) before.add(random(), kStart + kDay * (i * 45 / values));
    const std::string bytes = before.saved();
    SavedReader in(bytes);
    after.values.restore(in, memory);
    EXPECT_FALSE(in.bad());
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(after.saved(), bytes);
    for (int i = 0; i < 3'000; ++i) {
      const uint64_t hash = random();
      ASSERT_EQ(before.add(hash, kStart + 50 * kDay), after.add(hash, kStart + 50 * kDay));
    }
    for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50) {
      SavedReader cut(std::string_view(bytes).substr(0, size));
      Known none(memory);
      none.values.restore(cut, memory);
      EXPECT_TRUE(cut.bad());
      EXPECT_FALSE(none.values.settled(kStart + 900 * kDay));
    }
  }
}

TEST(KnownValues, HostileBytesDoNoHarm) {
  std::mt19937_64 random(5);
  Memory memory;
  Known small(memory), large(memory);
  for (int i = 0; i < 30; ++i) small.add(random(), kStart + kDay * i * 2);
  for (int i = 0; i < 500; ++i) large.add(random(), kStart);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes = round % 2 == 0 ? small.saved() : large.saved();
    for (size_t i = 0; i < 1 + random() % 3; ++i) {
      bytes[random() % std::min<size_t>(bytes.size(), 80)] = static_cast<char>(random());
    }
    SavedReader in(bytes);
    Known used(memory);
    used.values.restore(in, memory);
    for (int i = 0; i < 30; ++i) used.add(random(), kStart + kDay * i * 3);
    used.values.settled(kStart);
    used.values.merge(small.values, memory);
    used.values.merge(large.values, memory);
  }
}

}  // namespace
}  // namespace watchpost::detect
