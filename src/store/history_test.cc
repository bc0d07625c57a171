// Event history: partitions, sealing, searching, retention.
#include "store/store_fixture.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HistoryTest : public StoreTest {
 protected:
  std::vector<std::string> partitions() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(file("events"))) {
      if (entry.path().extension() == ".db") names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  // All pages of a query.
  std::vector<uint64_t> paged(EventQuery query) const {
    const auto reads = reader();
    std::vector<uint64_t> found;
    do {
      const auto page = value_of(reads->events(query));
      EXPECT_LE(page.events.size(), query.limit);
      EXPECT_TRUE(page.next.empty() || page.events.size() == query.limit);
      std::ranges::copy(numbers(page), std::back_inserter(found));
      query.after = page.next;
    } while (!query.after.empty());
    return found;
  }
  std::vector<uint64_t> in_order(uint64_t after) const {
    std::vector<uint64_t> found;
    uint64_t last = after;
    value_of(reader()->events_after(after, [&](const Event& event, uint64_t sequence) {
      EXPECT_GT(sequence, last);
      last = sequence;
      found.push_back(event.id.low);
    }));
    return found;
  }
};

TEST_F(HistoryTest, EventsBetweenComeInTheOrderOfTheirTimes) {
  const auto store = open();
  EventBatch first, second;
  add_event(first, kNoon + 70min, 3);
  add_event(first, kNoon + 10min, 1);
  add_event(first, kNoon + 10min, 2);  // of one time: as they were committed
  add_event(second, kNoon + 5min, 4);
  add_event(second, kNoon + 65min, 5);
  add_event(second, kNoon + 200min, 6);
  value_of(store->commit(events_only(first)));
  value_of(store->commit(events_only(second)));
  const auto between = [&](Time since, Time until, size_t most) {
    std::vector<uint64_t> found;
    value_of(reader()->events_between(since, until, [&](const Event& event) {
      found.push_back(event.id.low);
      return found.size() < most;
    }));
    return found;
  };
  EXPECT_THAT(between(Time::min(), Time::max(), 100), ElementsAre(4, 1, 2, 5, 3, 6));
  EXPECT_THAT(between(kNoon + 10min, kNoon + 70min, 100), ElementsAre(1, 2, 5));
  EXPECT_THAT(between(Time::min(), Time::max(), 2), ElementsAre(4, 1));
  EXPECT_THAT(between(kNoon + 71min, kNoon + 72min, 100), IsEmpty());
}

TEST_F(HistoryTest, EventsGoToThePartitionOfTheirTime) {
  const auto store = open();
  EventBatch batch;
  add_event(batch, kNoon, 1);
  add_event(batch, kNoon + 59min, 2);
  add_event(batch, kNoon + 1h, 3);
  add_event(batch, kNoon - 1us, 4);
  value_of(store->commit(events_only(batch)));
  EXPECT_THAT(partitions(),
              ElementsAre("20261124T110000Z.db", "20261124T120000Z.db", "20261124T130000Z.db"));
  EXPECT_THAT(all(), ElementsAre(3, 2, 1, 4));
}

TEST_F(HistoryTest, TimesAtTheEdgesAreKept) {
  StoreSettings long_kept = settings();
  long_kept.keep = 24h * 365 * 60;
  const auto store = value_of(Store::open(long_kept));
  EventBatch batch;
  add_event(batch, Time::max(), 1);
  add_event(batch, Time::min(), 2);
  add_event(batch, Time(), 3);
  add_event(batch, Time(-1us), 4);
  add_event(batch, std::chrono::sys_days(std::chrono::year(9999) / 12 / 31), 5);
  value_of(store->commit(events_only(batch)));
  EXPECT_THAT(all(), ElementsAre(1, 5, 3, 4, 2));
  seal(*store, kNoon);
  EXPECT_THAT(all(), ElementsAre(1, 5, 3, 4, 2));
  EXPECT_THAT(numbers(value_of(reader()->events({.until = Time()}))), ElementsAre(4, 2));
}

TEST_F(HistoryTest, SinceIsWithinAndUntilIsNot) {
  const auto store = open();
  EventBatch batch;
  for (uint64_t i = 0; i < 5; ++i) add_event(batch, kNoon + i * 1h, i);
  value_of(store->commit(events_only(batch)));
  for (const bool sealed : {false, true}) {
    if (sealed) seal(*store, kNoon + 24h);
    const auto page = value_of(reader()->events({.since = kNoon + 1h, .until = kNoon + 3h}));
    EXPECT_THAT(numbers(page), ElementsAre(2, 1));
  }
}

TEST_F(HistoryTest, PagesGoOnWhereTheLastEndedWhileEventsComeIn) {
  const auto store = open();
  EventBatch batch;
  for (uint64_t i = 0; i < 6; ++i) add_event(batch, kNoon, i);  // all of one time
  value_of(store->commit(events_only(batch)));
  const auto reads = reader();
  const auto first = value_of(reads->events({.limit = 4}));
  EXPECT_THAT(numbers(first), ElementsAre(5, 4, 3, 2));
  EventBatch more;
  add_event(more, kNoon + 1s, 6);
  value_of(store->commit(events_only(more)));
  const auto second = value_of(reads->events({.limit = 4, .after = first.next}));
  EXPECT_THAT(numbers(second), ElementsAre(1, 0));
  EXPECT_TRUE(second.next.empty());
}

TEST_F(HistoryTest, APageThatFitsExactlyIsTheLast) {
  const auto store = open();
  EventBatch batch;
  for (uint64_t i = 0; i < 4; ++i) add_event(batch, kNoon, i);
  value_of(store->commit(events_only(batch)));
  EXPECT_TRUE(value_of(reader()->events({.limit = 4})).next.empty());
  EXPECT_FALSE(value_of(reader()->events({.limit = 3})).next.empty());
  const auto none = value_of(reader()->events({.limit = 0}));
  EXPECT_TRUE(none.events.empty());
  EXPECT_TRUE(none.next.empty());
}

TEST_F(HistoryTest, ACursorOfOurOwnOnly) {
  const auto store = open();
  const auto page = reader()->events({.after = "2026-11-24"});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::bad_input);
}

TEST_F(HistoryTest, LateEventsReachSealedPartitions) {
  const auto store = open();
  EventBatch batch;
  add_event(batch, kNoon + 1min, 1);
  add_event(batch, kNoon + 3min, 3);
  value_of(store->commit(events_only(batch)));
  seal(*store, kNoon + 24h);
  EventBatch late;
  add_event(late, kNoon + 2min, 2);
  value_of(store->commit(events_only(late)));
  const EventQuery query{.equal = {{Field::recipient, "a@example.com"}}};
  EXPECT_THAT(numbers(value_of(reader()->events(query))), ElementsAre(3, 2, 1));
  seal(*store, kNoon + 25h);
  EXPECT_THAT(numbers(value_of(reader()->events(query))), ElementsAre(3, 2, 1));
  EXPECT_THAT(in_order(0), ElementsAre(1, 3, 2));
  EXPECT_THAT(in_order(2), ElementsAre(2));
  EXPECT_THAT(in_order(3), IsEmpty());
}

TEST_F(HistoryTest, WhatIsPastRetentionIsDropped) {
  const auto store = open();
  EventBatch batch;
  add_event(batch, kNoon, 1);
  add_event(batch, kNoon + 1h, 2);
  add_event(batch, kNoon + 48h, 3);
  value_of(store->commit(events_only(batch)));
  const auto before = reader();
  EXPECT_EQ(numbers(value_of(before->events({}))).size(), 3u);
  value_of(store->maintain(kNoon + settings().keep + 1h, 1s));
  EXPECT_THAT(all(), ElementsAre(3, 2));
  EXPECT_THAT(numbers(value_of(before->events({}))), ElementsAre(3, 2));
  EXPECT_THAT(in_order(0), ElementsAre(2, 3));
  EXPECT_EQ(partitions().size(), 2u);
  EXPECT_EQ(store->last_event(), 3u);

  // The same span again, as a new file: a reader must not see the old one.
  EventBatch late;
  add_event(late, kNoon, 4);
  value_of(store->commit(events_only(late)));
  EXPECT_THAT(numbers(value_of(before->events({}))), ElementsAre(3, 2, 4));
}

TEST_F(HistoryTest, AnotherSpanFitsInBetween) {
  EventBatch batch;
  add_event(batch, kNoon, 1);
  add_event(batch, kNoon + 2h, 2);
  value_of(open()->commit(events_only(batch)));
  StoreSettings day = settings();
  day.partition = 24h;
  const auto store = value_of(Store::open(day));
  EventBatch more;
  for (uint64_t i = 0; i < 8; ++i) add_event(more, kNoon - 2h + i * 30min + 1s, 10 + i);
  value_of(store->commit(events_only(more)));
  EXPECT_THAT(all(), ElementsAre(2, 17, 16, 15, 14, 1, 13, 12, 11, 10));
}

TEST_F(HistoryTest, IdsSinceATime) {
  const auto store = open();
  EventBatch batch;
  for (uint64_t i = 0; i < 4; ++i) add_event(batch, kNoon + i * 40min, i);
  value_of(store->commit(events_only(batch)));
  EXPECT_THAT(value_of(reader()->event_ids_since(kNoon + 40min)),
              ElementsAre(EventId{0, 1}, EventId{0, 2}, EventId{0, 3}));
}

// Everything that can be asked, against a list that is filtered plainly.
TEST_F(HistoryTest, SearchesFindWhatAPlainListFinds) {
  std::mt19937_64 random(7);
  const auto pick = [&](uint64_t most) { return random() % most; };
  struct Kept {
    Time at;
    uint64_t number;
    EventKind kind;
    std::string customer;
    std::string recipient;
    std::string provider;
  };
  std::vector<Kept> kept;
  const auto store = open();
  for (int round = 0; round < 30; ++round) {
    EventBatch batch;
    for (uint64_t i = 0; i < 40; ++i) {
      const uint64_t number = kept.size();
      kept.push_back({kNoon + std::chrono::minutes(pick(5 * 60)), number,
                      static_cast<EventKind>(pick(4)), fmt::format("c{}", pick(3)),
                      fmt::format("r{}", pick(40)), fmt::format("p{}", pick(3))});
      Event& event = add_event(batch, kept.back().at, number, kept.back().recipient);
      event.kind = kept.back().kind;
      event[Field::customer] = batch.keep(kept.back().customer);
      event[Field::provider] = batch.keep(kept.back().provider);
    }
    value_of(store->commit(events_only(batch)));
    if (round % 10 == 4) seal(*store, kNoon + 24h + round * 1h);  // some runs, and a tail
  }
  std::vector<Kept> newest = kept;
  std::ranges::sort(newest, [](const Kept& a, const Kept& b) {
    return std::pair(a.at, a.number) > std::pair(b.at, b.number);
  });
  for (int i = 0; i < 200; ++i) {
    EventQuery query{.limit = 1 + pick(50)};
    if (pick(2) == 0) query.since = kNoon + std::chrono::minutes(pick(300));
    if (pick(2) == 0) query.until = kNoon + std::chrono::minutes(pick(300));
    if (pick(2) == 0) query.equal.push_back({Field::customer, fmt::format("c{}", pick(4))});
    if (pick(3) == 0) query.equal.push_back({Field::recipient, fmt::format("r{}", pick(40))});
    if (pick(3) == 0) query.equal.push_back({Field::provider, fmt::format("p{}", pick(3))});
    if (pick(8) == 0) query.equal.push_back({Field::campaign, ""});
    if (pick(3) == 0) query.kind = static_cast<EventKind>(pick(4));
    if (pick(3) == 0) query.where = [](const Event& event) { return event.id.low % 3 == 0; };
    std::vector<uint64_t> expected;
    for (const Kept& event : newest) {
      const std::map<Field, std::string> texts{{Field::customer, event.customer},
                                               {Field::recipient, event.recipient},
                                               {Field::provider, event.provider},
                                               {Field::campaign, ""}};
      if (query.since && event.at < *query.since) continue;
      if (query.until && event.at >= *query.until) continue;
      if (query.kind && event.kind != *query.kind) continue;
      if (query.where && event.number % 3 != 0) continue;
      if (std::ranges::all_of(query.equal, [&](const Stream::Part& part) {
            return texts.at(part.dimension) == part.value;
          })) {
        expected.push_back(event.number);
      }
    }
    EXPECT_EQ(paged(query), expected) << i;
  }
  std::vector<uint64_t> committed;
  for (const Kept& event : kept) committed.push_back(event.number);
  EXPECT_EQ(in_order(0), committed);
}

// More rows than one run, and more of one key than a round of the search looks at.
TEST_F(HistoryTest, LongHistoriesAreSearchedWhole) {
  const auto store = open();
  constexpr uint64_t kEvents = 70'000;
  EventBatch batch;
  for (uint64_t i = 0; i < kEvents; ++i) {
    Event& event = add_event(batch, kNoon + i * 1ms, i, "all@example.com");
    if (i % 1000 == 0) event[Field::campaign] = "rare";
  }
  value_of(store->commit(events_only(batch)));
  for (int step = 0; step < 3; ++step) {  // a tail only, one run and a tail, two runs
    std::vector<uint64_t> expected;
    for (uint64_t i = kEvents; i-- > 0;) {
      if (i % 1000 == 0) expected.push_back(i);
    }
    EXPECT_EQ(paged({.equal = {{Field::campaign, "rare"}}, .limit = 30}), expected);
    EXPECT_EQ(paged({.equal = {{Field::recipient, "all@example.com"}},
                     .where = [](const Event& event) { return event.id.low % 1000 == 0; }}),
              expected);
    EXPECT_EQ(in_order(kEvents - 3),
              (std::vector<uint64_t>{kEvents - 3, kEvents - 2, kEvents - 1}));
    value_of(store->maintain(step == 0 ? kNoon : kNoon + step * 24h, 1min));
  }
}

// Readers beside the writer see whole commits, in order, without gaps, and never fewer than before.
TEST_F(HistoryTest, AReaderBesideTheWriterSeesWholeCommits) {
  const auto store = open();
  std::atomic<bool> done = false;
  std::thread other([&] {
    const auto reads = reader();
    uint64_t before = 0;
    while (!done || before < 300) {
      uint64_t last = 0;
      value_of(reads->events_after(0, [&](const Event& event, uint64_t sequence) {
        EXPECT_EQ(sequence, last + 1);
        EXPECT_EQ(event.id.low, sequence);
        last = sequence;
      }));
      EXPECT_EQ(last % 3, 0u);
      EXPECT_GE(last, before);
      before = last;
      const auto page = value_of(reads->events({.limit = 1'000}));
      EXPECT_EQ(page.events.size() % 3, 0u);
      EXPECT_GE(page.events.size(), last);
      if (HasFailure()) break;
    }
  });
  for (uint64_t i = 0; i < 100; ++i) {
    EventBatch batch;
    for (uint64_t j = 1; j <= 3; ++j) add_event(batch, kNoon + j * 1h, 3 * i + j);
    value_of(store->commit(events_only(batch)));
    if (i % 10 == 9) value_of(store->maintain(kNoon + 24h + i * 1min, 1s));
  }
  done = true;
  other.join();
}

}  // namespace
}  // namespace watchpost::store
