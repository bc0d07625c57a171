#include "ingest/mail_queue.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using Kind = net::MailOutcome::Kind;

struct Told {
  int times = 0;
  Kind kind = Kind::permanent;
  MailQueue::Answer answer() {
    return [this](const net::MailOutcome& outcome) {
      ++times;
      kind = outcome.kind;
    };
  }
};

net::ReceivedMail mail(std::string bytes) { return {.bytes = std::move(bytes)}; }

TEST(MailQueue, WhatIsOnDiskIsAcceptedOnce) {
  MailQueue queue(std::chrono::hours(1));
  Told told;
  queue.put(mail("one"), told.answer());
  auto taken = queue.take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->mail.bytes, "one");
  const auto settled = queue.settling(std::move(taken->answer));
  EXPECT_EQ(told.times, 0) << "not before it is on disk";
  settled(Done{});
  settled(Done{});
  queue.sweep();
  EXPECT_EQ(told.times, 1);
  EXPECT_EQ(told.kind, Kind::accepted);
}

TEST(MailQueue, WhatCannotBeStoredIsPutOff) {
  MailQueue queue(std::chrono::hours(1));
  Told told;
  queue.settling(told.answer())(fail(Code::unavailable, "no room"));
  EXPECT_EQ(told.kind, Kind::temporary);
}

TEST(MailQueue, NobodyWaitsLongerThanTheirPatience) {
  MailQueue queue(std::chrono::seconds(0));
  Told slow;
  const auto settled = queue.settling(slow.answer());
  queue.sweep();
  EXPECT_EQ(slow.kind, Kind::temporary);
  // Until the store takes something, others are put off at once.
  Told next;
  queue.put(mail("next"), next.answer());
  EXPECT_EQ(next.kind, Kind::temporary);
  settled(Done{});
  EXPECT_EQ(slow.times, 1);
  Told later;
  queue.put(mail("later"), later.answer());
  EXPECT_EQ(later.times, 0);
  EXPECT_EQ(queue.take()->mail.bytes, "later");
}

TEST(MailQueue, WhatFindsNoRoomIsPutOff) {
  MailQueue queue(std::chrono::hours(1));
  Told told;
  for (size_t i = 0; i < MailQueue::kMostWaiting; ++i) queue.put(mail("x"), [](const auto&) {});
  queue.put(mail("x"), told.answer());
  EXPECT_EQ(told.kind, Kind::temporary);
}

TEST(MailQueue, ClosingLetsReadersGoAndPutsOffWhatIsLeft) {
  MailQueue queue(std::chrono::hours(1));
  std::thread reader([&] { EXPECT_FALSE(queue.take()); });
  queue.close();
  reader.join();
  Told told;
  queue.put(mail("late"), told.answer());
  EXPECT_EQ(told.kind, Kind::temporary);
}

TEST(MailQueue, WhatIsSettledAfterItHasGoneIsAnswered) {
  Told told;
  std::function<void(const Result<Done>&)> settled;
  {
    MailQueue queue(std::chrono::hours(1));
    settled = queue.settling(told.answer());
  }
  settled(Done{});
  EXPECT_EQ(told.kind, Kind::accepted);
}

}  // namespace
}  // namespace watchpost::ingest
