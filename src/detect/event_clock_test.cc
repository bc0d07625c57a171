#include "detect/event_clock.h"

#include <gtest/gtest.h>

namespace watchpost::detect {
namespace {

using Verdict = EventClock::Verdict;

const Time kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

TEST(EventClock, TheFirstEventSetsTime) {
  EventClock clock(15min);
  EXPECT_FALSE(clock.started());
  EXPECT_EQ(clock.admit(kStart, false).verdict, Verdict::counts);
  EXPECT_EQ(clock.newest(), kStart);
}

TEST(EventClock, LateMeansOlderThanTheLateness) {
  EventClock clock(15min);
  clock.admit(kStart, false);
  EXPECT_EQ(clock.admit(kStart - 15min, false).verdict, Verdict::counts);
  EXPECT_EQ(clock.admit(kStart - 15min - 1us, false).verdict, Verdict::late);
  EXPECT_EQ(clock.newest(), kStart);
}

TEST(EventClock, OneEventFarAheadDoesNotMoveTime) {
  EventClock clock(15min);
  clock.admit(kStart, false);
  clock.admit(kStart + 1s, false);
  const auto far = clock.admit(kStart + 24h * 400, false);
  EXPECT_EQ(far.verdict, Verdict::ahead);
  EXPECT_EQ(far.at, kStart + 1s);
  EXPECT_EQ(clock.admit(kStart + 2s, false).verdict, Verdict::counts);
  // One in between: the next is the first of its kind again.
  EXPECT_EQ(clock.admit(kStart + 24h * 400, false).verdict, Verdict::ahead);
  EXPECT_EQ(clock.newest(), kStart + 2s);
}

TEST(EventClock, ASecondOneInARowMovesTimeOverAQuietGap) {
  EventClock clock(15min);
  clock.admit(kStart, false);
  EXPECT_EQ(clock.admit(kStart + 72h, false).verdict, Verdict::ahead);
  EXPECT_EQ(clock.admit(kStart + 72h + 3s, false).verdict, Verdict::counts);
  EXPECT_EQ(clock.newest(), kStart + 72h + 3s);
}

TEST(EventClock, TwoThatDisagreeMoveTimeToTheEarlier) {
  EventClock clock(15min);
  clock.admit(kStart, false);
  clock.admit(kStart + 72h, false);
  EXPECT_EQ(clock.admit(kStart + 24h * 4000, false).verdict, Verdict::ahead);
  EXPECT_EQ(clock.newest(), kStart + 72h);
  EXPECT_EQ(clock.admit(kStart + 72h + 1s, false).verdict, Verdict::counts);
  EXPECT_EQ(clock.newest(), kStart + 72h + 1s);
}

TEST(EventClock, AFirstStampInTheFutureDoesNotMakeAllOthersLate) {
  EventClock clock(15min);
  clock.admit(kStart + 24h * 9000, false);
  EXPECT_EQ(clock.admit(kStart, false).verdict, Verdict::restart);
  EXPECT_EQ(clock.newest(), kStart);
  clock.admit(kStart + 1s, false);
  // Now two agree, and old events are simply late.
  EXPECT_EQ(clock.admit(kStart - 24h * 30, false).verdict, Verdict::late);
}

TEST(EventClock, AnUntrustedStampNeverMovesTime) {
  EventClock clock(15min);
  EXPECT_EQ(clock.admit(kStart + 24h * 9000, true).verdict, Verdict::late);
  EXPECT_FALSE(clock.started());
  clock.admit(kStart, false);
  const auto suspect = clock.admit(kStart + 24h * 9000, true);
  EXPECT_EQ(suspect.verdict, Verdict::ahead);
  EXPECT_EQ(suspect.at, kStart);
}

TEST(EventClock, TimePassesOnlyForward) {
  EventClock clock(15min);
  clock.advance_to(kStart);
  EXPECT_FALSE(clock.started());
  clock.admit(kStart, false);
  clock.advance_to(kStart + 1h);
  clock.advance_to(kStart);
  EXPECT_EQ(clock.newest(), kStart + 1h);
}

TEST(EventClock, StampsAtTheEndsOfTimeAreBounded) {
  EventClock clock(15min);
  clock.admit(Time::max(), false);
  clock.admit(Time::min(), false);
  clock.admit(Time::max(), false);
  clock.admit(Time::max(), false);
  clock.advance_to(Time::max());
  EXPECT_EQ(clock.newest(), bounded(Time::max()));
  EXPECT_LT(clock.newest(), Time::max());
}

}  // namespace
}  // namespace watchpost::detect
