#include "ingest/recent_failures.h"

#include "ingest/test_pipeline.h"

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

Event event_of(EventKind kind, std::string_view customer, std::string_view provider) {
  Event event;
  event.at = test::kNoon;
  event.kind = kind;
  event[Field::customer] = customer;
  event[Field::provider] = provider;
  return event;
}

TEST(RecentFailures, AreNotPushedOutByMailThatWentWell) {
  RecentFailures failures;
  for (int i = 0; i < 30; ++i) failures.add(event_of(EventKind::bounced, "acme", "gmail"));
  for (size_t i = 0; i < 2 * RecentEvents::kMostEvents; ++i) {
    failures.add(event_of(EventKind::delivered, "acme", "yahoo"));
  }
  Event ours = event_of(EventKind::deferred, "acme", "yahoo");
  ours.self_inflicted = true;
  failures.add(ours);
  Signal signal{.at = test::kNoon, .stream = {{{Field::customer, "acme"}}}};
  signal.since = test::kNoon - std::chrono::hours(1);
  const auto shares = failures.shares(signal);
  const auto provider = std::ranges::find(shares, Field::provider, &Share::dimension);
  ASSERT_NE(provider, shares.end());
  EXPECT_EQ(provider->value, "gmail");
  EXPECT_EQ(provider->count, 30U);
  EXPECT_EQ(provider->of, 30U);
}

}  // namespace
}  // namespace watchpost::ingest
