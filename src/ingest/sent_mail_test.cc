#include "ingest/sent_mail.h"

#include "ingest/test_pipeline.h"
#include "store/store_fixture.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace std::chrono_literals;
using store::value_of;

class SentMailTest : public store::StoreTest {
 protected:
  StoredSentMail sent(StoredSentMail::Options options = {.look_back = 24h * 7}) {
    return {settings(), options, own_failures_, clock_, metrics_};
  }
  static void put(store::Store& store, std::string_view message_id, std::string_view recipient,
                  std::string_view customer) {
    EventBatch batch;
    Event& event = store::add_event(batch, store::kNoon, ++number, recipient);
    event[Field::message_id] = batch.keep(message_id);
    event[Field::customer] = batch.keep(customer);
    value_of(store.commit(store::events_only(batch)));
  }
  uint64_t counted(std::string_view result) {
    return metrics_.counter("watchpost_feedback_look_ups", "", {{"result", std::string(result)}})
        .value();
  }

  static inline uint64_t number = 0;
  test::HandClock clock_;
  Metrics metrics_;
  OwnFailures own_failures_;
};

TEST_F(SentMailTest, SaysWhoseMailItWas) {
  const auto store = open();
  auto past = sent();
  put(*store, "a@x.example", "kim@example.com", "acme");
  const auto found = value_of(past.look_up("a@x.example", "Kim@Example.COM"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->customer, "acme");
  EXPECT_FALSE(value_of(past.look_up("a@x.example", "lee@example.com")));
  EXPECT_FALSE(value_of(past.look_up("b@x.example", "")));
  EXPECT_TRUE(value_of(past.look_up("a@x.example", "kim@example.com")));
  EXPECT_EQ(counted("found"), 1U);
  EXPECT_EQ(counted("unknown"), 2U);
  EXPECT_EQ(counted("kept"), 1U);
  // What was not there, and came.
  put(*store, "b@x.example", "kim@example.com", "other");
  clock_.set(store::kNoon + 2min);
  EXPECT_EQ(value_of(past.look_up("b@x.example", "")).value().customer, "other");
}

TEST_F(SentMailTest, WithoutTimeOrStoreItIsNotSaidToBeUnknown) {
  auto past = sent({.look_back = 24h, .budget = 0s});
  const auto unread = past.look_up("a@x.example", "");
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code, Code::not_found);
  const auto store = open();
  put(*store, "a@x.example", "kim@example.com", "acme");
  EXPECT_TRUE(value_of(past.look_up("a@x.example", "")));  // the first has as long as it takes
  const auto late = past.look_up("b@x.example", "");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::exhausted);
  EXPECT_TRUE(value_of(past.look_up("a@x.example", "")));  // known already
  EXPECT_EQ(counted("not looked up"), 2U);
  EXPECT_EQ(counted("unknown"), 0U);
  EXPECT_FALSE(sent({.look_back = 0s}).look_up("a@x.example", ""));
}

TEST_F(SentMailTest, AMessageIdOfVeryManyEventsIsSaidToBeTooMuch) {
  const auto store = open();
  EventBatch batch;
  for (uint64_t i = 1; i <= 60'000; ++i) {
    Event& event = store::add_event(batch, store::kNoon, i, "lee@example.com");
    event[Field::message_id] = "all@x.example";
  }
  value_of(store->commit(store::events_only(batch)));
  auto past = sent();
  const auto found = past.look_up("all@x.example", "kim@example.com");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::exhausted);
  EXPECT_TRUE(value_of(past.look_up("all@x.example", "lee@example.com")));
}

}  // namespace
}  // namespace watchpost::ingest
