#pragma once
// For tests of crashes: commits from which an observer can tell what has to be there.
#include "store/store_fixture.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace watchpost::store {

inline uint64_t events_in(uint64_t number) { return 1 + number % 7; }

// Commit number n: a few events in up to three partitions, a fact, an audit row. Events are
// numbered through, from `first_event` on.
inline Commit numbered_commit(EventBatch& batch, uint64_t number, uint64_t first_event) {
  for (uint64_t i = 0; i < events_in(number); ++i) {
    const Time at =
        kNoon + std::chrono::hours(i % 3) + std::chrono::seconds(static_cast<int64_t>(number));
    add_event(batch, at, first_event + i, std::string(200, 'r'));
  }
  Commit commit = events_only(batch);
  commit.facts = {{"commit", std::to_string(number)}};
  commit.audit = {{kNoon, "watchpost", "commit", std::to_string(number), ""}};
  return commit;
}

inline uint64_t last_commit(const StoreSettings& settings) {
  const auto facts = value_of(value_of(Reader::open(settings))->facts("commit"));
  return facts.empty() ? 0 : std::stoull(facts[0].value);
}

// All of the commits up to the last acknowledged are there, at most the one that was under way
// besides, and nothing else.
inline void expect_whole(const StoreSettings& settings, uint64_t acknowledged) {
  const uint64_t last = last_commit(settings);
  ASSERT_TRUE(last == acknowledged || last == acknowledged + 1) << last << " " << acknowledged;
  uint64_t expected = 0;
  for (uint64_t number = 1; number <= last; ++number) expected += events_in(number);
  const auto reads = value_of(Reader::open(settings));
  uint64_t next = 1;
  value_of(reads->events_after(0, [&](const Event& event, uint64_t sequence) {
    ASSERT_EQ(sequence, next);
    ASSERT_EQ(event.id.low, next);
    ++next;
  }));
  EXPECT_EQ(next, expected + 1);
  EXPECT_EQ(value_of(reads->event_ids_since(Time::min())).size(), expected);
  EXPECT_EQ(value_of(reads->verify_audit()), last);
}

}  // namespace watchpost::store
