#include "ingest/recent_events.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNoon =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12);

Event& add_event(EventBatch& batch, EventKind kind, std::string_view customer,
                 std::string_view provider, Time at = kNoon) {
  Event& event = batch.add();
  event.kind = kind;
  event.at = at;
  event[Field::customer] = batch.keep(customer);
  event[Field::provider] = batch.keep(provider);
  event[Field::recipient] = batch.keep(fmt::format("r{}@example.com", batch.size()));
  return event;
}

Signal signal_on(std::string_view stream) {
  Signal signal;
  signal.at = kNoon;
  signal.since = kNoon - std::chrono::minutes(10);
  signal.stream = parse_stream(stream).value();
  return signal;
}

std::vector<std::string> texts(const std::vector<Share>& shares) {
  std::vector<std::string> out;
  for (const Share& share : shares) out.push_back(text_of(share));
  return out;
}

TEST(RecentEvents, TheLargestShareOfTheFailures) {
  EventBatch batch;
  for (int i = 0; i < 45; ++i) add_event(batch, EventKind::deferred, "acme", "gmail");
  for (int i = 0; i < 3; ++i) add_event(batch, EventKind::bounced, "acme", "yahoo");
  for (int i = 0; i < 90; ++i) add_event(batch, EventKind::delivered, "acme", "yahoo");
  for (int i = 0; i < 90; ++i) add_event(batch, EventKind::bounced, "other", "yahoo");
  // Our own doing, and what was before the window, is none.
  add_event(batch, EventKind::deferred, "acme", "gmail").self_inflicted = true;
  add_event(batch, EventKind::deferred, "acme", "gmail", kNoon - std::chrono::hours(1));
  // One that nobody names counts among all.
  add_event(batch, EventKind::complained, "acme", "");
  RecentEvents recent;
  recent.add(std::move(batch));
  EventBatch now;
  add_event(now, EventKind::expired, "acme", "gmail");
  EXPECT_THAT(texts(recent.shares(signal_on("customer=acme"), now.events())),
              ElementsAre("46 of 50 failures at provider=gmail"));
  EXPECT_THAT(texts(recent.shares(signal_on("provider=yahoo"), now.events())),
              ElementsAre("90 of 93 failures of customer=other"));
  EXPECT_THAT(recent.shares(signal_on("customer=nobody"), now.events()), IsEmpty());
}

// However it is looked up, it is the same: by looking at all, and by places, while `now` grows.
TEST(RecentEvents, ManyQuestionsGetTheSameAnswers) {
  RecentEvents few;
  RecentEvents many;
  for (int step = 0; step < 3; ++step) {
    EventBatch batch;
    EventBatch same;
    for (int i = 0; i < 500; ++i) {
      const auto customer = fmt::format("c{}", i % 7);
      const auto provider = fmt::format("p{}", i % (3 + step));
      add_event(batch, i % 4 == 0 ? EventKind::delivered : EventKind::bounced, customer, provider);
      add_event(same, i % 4 == 0 ? EventKind::delivered : EventKind::bounced, customer, provider);
    }
    for (int i = 0; i < 20; ++i) (void)many.samples(parse_stream("customer=c1").value(), {});
    for (size_t size = 100; size <= batch.size(); size += 100) {
      const auto now = std::as_const(batch).events().first(size);
      for (int c = 0; c < 8; ++c) {
        RecentEvents fresh;  // asked once: it looks at all
        const Signal signal = signal_on(fmt::format("customer=c{}", c));
        if (step == 0) {
          ASSERT_EQ(texts(many.shares(signal, now)), texts(fresh.shares(signal, now)));
          ASSERT_EQ(many.samples(signal.stream, now), fresh.samples(signal.stream, now));
        }
        ASSERT_EQ(many.samples(signal.stream, now).size(), c < 7 ? RecentEvents::kSamples : 0u);
      }
    }
    EventBatch whole = few.add(std::move(same));
    EXPECT_TRUE(whole.empty());
    std::vector<EventBatch> batches;
    std::vector<Event> events(batch.events().begin(), batch.events().end());
    batches.push_back(std::move(batch));
    many.add(std::move(batches), std::move(events));
    ASSERT_EQ(few.size(), many.size());
    for (int c = 0; c < 7; ++c) {
      const Signal signal = signal_on(fmt::format("customer=c{}", c));
      ASSERT_EQ(texts(many.shares(signal, {})), texts(few.shares(signal, {})));
    }
  }
}

TEST(RecentEvents, OldOnesGoAndTheirBatchComesBack) {
  RecentEvents recent;
  EventBatch empty;
  for (int i = 0; i < 30; ++i) {
    for (int each = 0; each < 1000; ++each) {
      add_event(empty, EventKind::bounced, fmt::format("c{}", i), "gmail");
    }
    empty = recent.add(std::move(empty));
    ASSERT_TRUE(empty.empty());
    ASSERT_LE(recent.size(), RecentEvents::kMostEvents);
  }
  EXPECT_THAT(recent.samples(parse_stream("customer=c0").value(), {}), IsEmpty());
  EXPECT_EQ(recent.samples(parse_stream("customer=c29").value(), {}).size(),
            RecentEvents::kSamples);
}

}  // namespace
}  // namespace watchpost::ingest
