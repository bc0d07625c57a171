#include "ingest/own_failures.h"

#include <string>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

Event failure(EventKind kind, std::string_view message_id, std::string_view recipient) {
  Event event;
  event.kind = kind;
  event[Field::message_id] = message_id;
  event[Field::recipient] = recipient;
  return event;
}

TEST(OwnFailures, AreKnownByMessageAndRecipient) {
  OwnFailures own;
  own.note(failure(EventKind::bounced, "m1", "Kim@Example.com"));
  own.note(failure(EventKind::expired, "m2", "kim@example.com"));
  own.note(failure(EventKind::deferred, "m3", "kim@example.com"));
  own.note(failure(EventKind::bounced, "", "kim@example.com"));
  EXPECT_TRUE(own.has("m1", "kim@example.com"));
  EXPECT_TRUE(own.has("m2", "<kim@example.com>"));
  EXPECT_FALSE(own.has("m1", "lee@example.com"));
  EXPECT_FALSE(own.has("m3", "kim@example.com"));
  EXPECT_FALSE(own.has("", "kim@example.com"));
}

TEST(OwnFailures, FeedbackIsNone) {
  OwnFailures own;
  Event event = failure(EventKind::bounced, "m1", "kim@example.com");
  event[Field::proof] = kProvenByToken;
  own.note(event);
  EXPECT_FALSE(own.has("m1", "kim@example.com"));
}

TEST(OwnFailures, ALogThatIsReadLaterIsTheSecondToTell) {
  OwnFailures own;
  Event notice = failure(EventKind::bounced, "m1", "kim@example.com");
  notice[Field::proof] = kProvenByToken;
  const Event logged = failure(EventKind::bounced, "m1", "Kim@Example.com");
  EXPECT_FALSE(own.is_second(logged));
  own.note(notice);
  EXPECT_TRUE(own.is_second(logged));
  EXPECT_FALSE(own.is_second(notice));
  EXPECT_FALSE(own.is_second(failure(EventKind::deferred, "m1", "kim@example.com")));
  EXPECT_FALSE(own.is_second(failure(EventKind::bounced, "m1", "lee@example.com")));
  EXPECT_FALSE(own.is_second(failure(EventKind::bounced, "m2", "kim@example.com")));
}

// Or anybody could keep real bounces from counting.
TEST(OwnFailures, WhatDidNotProveItselfTellsNothing) {
  OwnFailures own;
  Event forged = failure(EventKind::bounced, "m1", "kim@example.com");
  forged[Field::proof] = "wrong token";
  own.note(forged);
  EXPECT_FALSE(own.is_second(failure(EventKind::bounced, "m1", "kim@example.com")));
}

TEST(OwnFailures, TheLastOnesAreKept) {
  OwnFailures own;
  for (size_t i = 0; i < 2 * OwnFailures::kMost + 10; ++i) {
    const std::string id = std::to_string(i);
    own.note(failure(EventKind::bounced, id, "kim@example.com"));
  }
  EXPECT_FALSE(own.has("0", "kim@example.com"));
  EXPECT_TRUE(own.has(std::to_string(2 * OwnFailures::kMost + 9), "kim@example.com"));
  EXPECT_TRUE(own.has(std::to_string(OwnFailures::kMost + 10), "kim@example.com"));
}

}  // namespace
}  // namespace watchpost::ingest
