#include "dns/cache.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::dns {
namespace {

const Time kStart{std::chrono::hours(1000)};

Answer text_of(std::string text, uint32_t ttl) {
  Answer answer;
  answer.outcome = Outcome::found;
  answer.ttl = ttl;
  answer.texts.push_back(std::move(text));
  return answer;
}

Answer nothing_of(Outcome outcome, uint32_t ttl) {
  Answer answer;
  answer.outcome = outcome;
  answer.ttl = ttl;
  return answer;
}

class Cached : public testing::Test {
 protected:
  AnswerPtr keep(const std::string& name, Answer answer, Time now = kStart) {
    return cache.keep({name, RecordType::txt}, std::move(answer), now);
  }
  AnswerPtr find(const std::string& name, Time now = kStart) {
    return cache.find(name, RecordType::txt, now);
  }

  CacheSettings settings{.entries = 3,
                         .megabytes = 1,
                         .least_ttl = 5s,
                         .most_ttl = 1h,
                         .most_negative_ttl = 10min,
                         .failure_ttl = 3s};
  Cache cache{settings, 1};
};

TEST_F(Cached, GivesWhatItKept) {
  const auto kept = keep("a", text_of("x", 60));
  EXPECT_EQ(find("a"), kept);
  EXPECT_EQ(kept->ttl, 60U);
  EXPECT_EQ(find("b"), nullptr);
  EXPECT_EQ(cache.find("a", RecordType::a, kStart), nullptr);
}

TEST_F(Cached, ForgetsWhenItsTimeIsOver) {
  keep("a", text_of("x", 60));
  EXPECT_NE(find("a", kStart + 60s - 1us), nullptr);
  EXPECT_EQ(find("a", kStart + 60s), nullptr);
  EXPECT_EQ(cache.counts().entries, 0U);
  EXPECT_EQ(cache.counts().bytes, 0U);
  EXPECT_EQ(cache.counts().evicted, 0U);
}

TEST_F(Cached, TtlIsWithinItsBounds) {
  EXPECT_EQ(keep("a", text_of("x", 0))->ttl, 5U);
  EXPECT_NE(find("a", kStart + 4s), nullptr);
  EXPECT_EQ(keep("a", text_of("x", 86'400))->ttl, 3600U);
  EXPECT_EQ(find("a", kStart + 1h), nullptr);
  EXPECT_EQ(keep("a", nothing_of(Outcome::no_data, 3600))->ttl, 600U);
  EXPECT_EQ(keep("a", nothing_of(Outcome::no_such_name, 60))->ttl, 60U);
  EXPECT_EQ(keep("a", nothing_of(Outcome::no_such_name, 0))->ttl, 5U);
}

TEST_F(Cached, FailuresAreKeptShortly) {
  keep("a", nothing_of(Outcome::failed, 3600));
  ASSERT_NE(find("a", kStart + 2s), nullptr);
  EXPECT_EQ(find("a", kStart + 2s)->outcome, Outcome::failed);
  EXPECT_EQ(find("a", kStart + 3s), nullptr);
}

TEST_F(Cached, ANewAnswerTakesThePlaceOfTheOld) {
  keep("a", text_of("x", 60));
  keep("a", text_of("y", 60));
  EXPECT_EQ(find("a")->texts[0], "y");
  EXPECT_EQ(cache.counts().entries, 1U);
}

TEST_F(Cached, WhatWasNotAskedForTheLongestGoes) {
  for (const char* name : {"a", "b", "c"}) keep(name, text_of("x", 60));
  EXPECT_NE(find("a"), nullptr);
  keep("d", text_of("x", 60));
  EXPECT_EQ(find("b"), nullptr);
  EXPECT_NE(find("a"), nullptr);
  EXPECT_NE(find("c"), nullptr);
  EXPECT_EQ(cache.counts().entries, 3U);
  EXPECT_EQ(cache.counts().evicted, 1U);
}

TEST_F(Cached, MemoryIsBounded) {
  const std::string large(400'000, 'x');
  keep("a", text_of(large, 60));
  keep("b", text_of(large, 60));
  keep("c", text_of(large, 60));
  EXPECT_EQ(find("a"), nullptr);
  EXPECT_NE(find("c"), nullptr);
  EXPECT_LE(cache.counts().bytes, size_t{1} << 20);
  // What is too large for all of it is given back all the same.
  const auto given = keep("d", text_of(std::string(2'000'000, 'x'), 60));
  EXPECT_EQ(given->texts[0].size(), 2'000'000U);
  EXPECT_EQ(cache.counts().entries, 0U);
  EXPECT_EQ(cache.counts().bytes, 0U);
}

TEST(Cache, ManyNamesStayWithinItsBounds) {
  Cache cache({.entries = 5000, .megabytes = 1}, 7);
  for (int i = 0; i < 20'000; ++i) {
    cache.keep({"name" + std::to_string(i), RecordType::txt}, text_of("x", 60), kStart);
  }
  const CacheCounts counts = cache.counts();
  EXPECT_LE(counts.entries, 5000U);
  EXPECT_GE(counts.entries, 1000U);
  EXPECT_LE(counts.bytes, size_t{1} << 20);
  EXPECT_EQ(counts.entries + counts.evicted, 20'000U);
}

TEST(Cache, ManyThreads) {
  Cache cache({.entries = 500, .megabytes = 1}, 7);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 5000; ++i) {
        const std::string name = "name" + std::to_string((i * 7 + thread) % 700);
        if (const auto found = cache.find(name, RecordType::txt, kStart)) {
          EXPECT_EQ(found->texts[0], name);
        } else {
          cache.keep({name, RecordType::txt}, text_of(name, 60), kStart);
        }
      }
    });
  }
  threads.clear();
  EXPECT_LE(cache.counts().entries, 500U);
}

}  // namespace
}  // namespace watchpost::dns
