#include "quarantine/settle.h"

#include "model/teller.h"
#include "quarantine/test_quarantine.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::quarantine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SettleTest : public testing::Test {
 protected:
  // An attempt of before a crash.
  HeldId crashed(bool redeemed) {
    HeldMessage message;
    message.copies = {{.recipient = "kim@x", .state = CopyState::due},
                      {.recipient = "lee@x", .state = CopyState::due}};
    const HeldId id = quarantine_.add(message, "x\r\n");
    const auto attempt = quarantine_.begin(quarantine_.due(1)->front());
    EXPECT_TRUE(!redeemed || quarantine_.take_token(attempt->token, "4F2A"));
    quarantine_.crash();
    return id;
  }
  CopyState state(const HeldId& id) {
    EXPECT_EQ(quarantine_.copy(id, "kim@x").state, quarantine_.copy(id, "lee@x").state);
    return quarantine_.copy(id, "kim@x").state;
  }

  HandClock clock_{"2026-11-29T12:00:00Z"};
  Metrics metrics_;
  MemoryQuarantine quarantine_{clock_};
  Result<LogWord> word_ = LogWord::nothing;
  int asked_ = 0;
  Time since_;
  Settler settler_{{.quarantine = quarantine_,
                    .find_in_log =
                        [this](std::string_view queue_id, Time since) {
                          EXPECT_EQ(queue_id, "4F2A");
                          since_ = since;
                          ++asked_;
                          return word_;
                        },
                    .clock = clock_,
                    .metrics = metrics_}};
};

TEST_F(SettleTest, WhatWasNotAskedForIsDueAgainAtOnce) {
  const HeldId id = crashed(false);
  EXPECT_EQ(*settler_.look(), 1u);
  EXPECT_EQ(state(id), CopyState::due);
  EXPECT_EQ(quarantine_.copy(id, "kim@x").release_at, clock_.now());
  EXPECT_EQ(asked_, 0);
}

TEST_F(SettleTest, WhatIsAskedForMeanwhileIsNotDueAgain) {
  EXPECT_EQ(*settler_.look(), 0u);
  const HeldId id = crashed(false);
  EXPECT_EQ(*settler_.look(), 0u);
  clock_.move(std::chrono::seconds(59));
  EXPECT_EQ(*settler_.look(), 0u);
  clock_.move(std::chrono::seconds(1));
  quarantine_.taken_at_end = "4F2A";  // now that it is given up
  EXPECT_EQ(*settler_.look(), 0u);
  EXPECT_EQ(state(id), CopyState::leaving);
  word_ = LogWord::arrived;
  EXPECT_EQ(*settler_.look(), 1u);
  EXPECT_EQ(state(id), CopyState::released);
}

TEST_F(SettleTest, TheLogSettlesIt) {
  const HeldId first = crashed(true);
  word_ = LogWord::arrived;
  EXPECT_EQ(*settler_.look(), 1u);
  EXPECT_EQ(state(first), CopyState::released);
  EXPECT_EQ(since_, clock_.now() - std::chrono::minutes(1));
  const HeldId second = crashed(true);
  word_ = LogWord::refused;
  EXPECT_EQ(*settler_.look(), 1u);
  EXPECT_EQ(state(second), CopyState::due);
}

TEST_F(SettleTest, NothingIsGuessedAndPeopleAreTold) {
  const HeldId id = crashed(true);
  for (int second = 0; second < 299; ++second) {
    EXPECT_EQ(*settler_.look(), 0u);
    clock_.move(std::chrono::seconds(1));
  }
  EXPECT_EQ(asked_, 60);
  EXPECT_EQ(state(id), CopyState::leaving);
  EXPECT_THAT(quarantine_.copy(id, "kim@x").note, IsEmpty());
  word_ = fail(Code::unavailable, "the store is not there");
  for (int second = 0; second < 601; ++second) {
    EXPECT_EQ(*settler_.look(), 0u);
    clock_.move(std::chrono::seconds(1));
  }
  EXPECT_EQ(asked_, 70);
  EXPECT_EQ(state(id), CopyState::leaving);
  EXPECT_THAT(quarantine_.copy(id, "lee@x").note,
              HasSubstr("watchpost quarantine settle " + to_hex(id) + " --arrived|--again"));
  EXPECT_EQ(metrics_.gauge("watchpost_quarantine_in_doubt", "").value(), 1);
  // A log that comes late is heard.
  word_ = LogWord::arrived;
  clock_.move(std::chrono::minutes(1));
  EXPECT_EQ(*settler_.look(), 1u);
  EXPECT_EQ(state(id), CopyState::released);
  EXPECT_EQ(metrics_.gauge("watchpost_quarantine_in_doubt", "").value(), 0);
}

TEST_F(SettleTest, APersonSettlesIt) {
  const HeldId first = crashed(true);
  EXPECT_EQ(*settler_.settle(first, Settlement::arrived, "ann"), 2u);
  EXPECT_EQ(state(first), CopyState::released);
  EXPECT_EQ(quarantine_.copy(first, "kim@x").note, "ann says that it arrived");
  const auto twice = settler_.settle(first, Settlement::again, "ann");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::not_found);
  const HeldId second = crashed(true);
  EXPECT_EQ(*settler_.settle(second, Settlement::again, "ann"), 2u);
  EXPECT_EQ(state(second), CopyState::due);
}

// Events as a log gives them.
struct Line {
  EventKind kind;
  std::string_view service;
  std::string_view stage = {};
};
LogWord word(std::initializer_list<Line> lines) {
  std::vector<Event> events;
  for (const Line& line : lines) {
    Event& event = events.emplace_back();
    event.kind = line.kind;
    event[Field::service] = line.service;
    event[Field::stage] = line.stage;
  }
  return word_of(events);
}

TEST(LogWord, OnlyTheMailServersWordCounts) {
  using enum EventKind;
  constexpr std::string_view kEnd = "END-OF-MESSAGE";
  EXPECT_EQ(word({}), LogWord::nothing);
  EXPECT_EQ(word({{delivered, "postfix/smtp"}}), LogWord::arrived);
  EXPECT_EQ(word({{accepted, "postfix/qmgr"}}), LogWord::arrived);
  EXPECT_EQ(word({{bounced, "postfix/smtp"}, {accepted, "postfix/qmgr"}}), LogWord::arrived);
  EXPECT_EQ(word({{deferred, "postfix/smtp"}}), LogWord::arrived);
  EXPECT_EQ(word({{rejected, "postfix/cleanup", kEnd}}), LogWord::refused);
  // Of a recipient, or in passing.
  EXPECT_EQ(word({{rejected, "postfix/smtpd", "RCPT"}}), LogWord::nothing);
  EXPECT_EQ(word({{judged, "postfix/smtpd"}, {login, "postfix/smtpd"}}), LogWord::nothing);
  // Of our own gates.
  EXPECT_EQ(word({{accepted, ""}}), LogWord::nothing);
  EXPECT_EQ(word({{rejected, "", kEnd}}), LogWord::nothing);
  EXPECT_EQ(word({{accepted, kMilterService}}), LogWord::nothing);
  // Killed as it answered: the mail server took that for no answer.
  EXPECT_EQ(word({{accepted, kMilterService}, {rejected, "postfix/cleanup", kEnd}}),
            LogWord::refused);
  // Two messages of one id: nobody can tell.
  EXPECT_EQ(word({{delivered, "postfix/smtp"}, {rejected, "postfix/cleanup", kEnd}}),
            LogWord::nothing);
}

TEST(LogWord, IsReadFromTheStore) {
  std::string folder = testing::TempDir() + "settle-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const store::StoreSettings settings{.path = folder + "/data"};
  const FindInLog find = find_in_log_of(settings);
  const Time now = *parse_time("2026-11-29T12:00:00Z");
  EXPECT_FALSE(find("4F2A", now));  // there is no store yet
  auto store = store::Store::open(settings);
  ASSERT_TRUE(store) << store.error().text();
  const auto commit = [&](uint64_t number, Time at, EventKind kind, std::string_view queue_id) {
    Event event;
    event.id = EventId{1, number};
    event.at = at;
    event.kind = kind;
    event[Field::queue_id] = queue_id;
    event[Field::service] = "postfix/cleanup";
    event[Field::stage] = "END-OF-MESSAGE";
    ASSERT_TRUE((*store)->commit({.events = {&event, 1}}));
  };
  commit(1, now, EventKind::delivered, "4F2B");
  commit(2, now - std::chrono::hours(3), EventKind::delivered, "4F2A");
  EXPECT_EQ(*find("4F2A", now), LogWord::nothing);
  commit(3, now, EventKind::rejected, "4F2A");
  EXPECT_EQ(*find("4F2A", now), LogWord::refused);
  EXPECT_EQ(*find("4F2B", now), LogWord::arrived);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace watchpost::quarantine
