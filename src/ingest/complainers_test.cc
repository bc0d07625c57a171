#include "ingest/complainers.h"

#include "ingest/test_pipeline.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
using std::chrono::days;
using std::chrono::hours;

// What is known from before, and one Complainers for each step.
class ComplainersTest : public ::testing::Test {
 protected:
  void next_step() {
    for (const store::LastingId& one : lasting_) known_.insert(one.id);
    lasting_.clear();
    complainers_ = Complainers([this](const EventId& id) {
      ++looked_up_;
      return known_.contains(id);
    });
  }
  bool repeated(EventKind kind, std::string_view recipient, std::string_view customer = "acme",
                Time sent = kNoon, std::string_view proof = "") {
    Event event;
    event.kind = kind;
    event.at = kNoon + days(2);
    event.delay = std::chrono::duration<double>(event.at - sent).count();
    event.repeated = true;  // whatever somebody wrote
    event[Field::recipient] = recipient;
    event[Field::customer] = customer;
    event[Field::proof] = proof;
    complainers_->mark(event, lasting_, kNoon);
    return event.repeated;
  }
  bool complained(std::string_view recipient, std::string_view customer = "acme", Time sent = kNoon,
                  std::string_view proof = "") {
    return repeated(EventKind::complained, recipient, customer, sent, proof);
  }
  bool withdrawn(std::string_view recipient, std::string_view customer = "acme") {
    return repeated(EventKind::complaint_withdrawn, recipient, customer);
  }
  void SetUp() override { next_step(); }

  std::set<EventId> known_;
  std::vector<store::LastingId> lasting_;
  std::optional<Complainers> complainers_;
  size_t looked_up_ = 0;
};

TEST_F(ComplainersTest, TheSamePersonRepeatsThemselves) {
  EXPECT_FALSE(complained("kim@example.com"));
  EXPECT_TRUE(complained("kim@example.com"));
  next_step();
  EXPECT_TRUE(complained("<Kim@Example.COM>"));
  EXPECT_FALSE(complained("lee@example.com"));
  EXPECT_TRUE(complained("lee@example.com"));
}

TEST_F(ComplainersTest, AnotherCustomersMailOrAnotherDaysIsAnotherMatter) {
  EXPECT_FALSE(complained("kim@example.com"));
  EXPECT_FALSE(complained("kim@example.com", "other"));
  EXPECT_FALSE(complained("kim@example.com", "acme", kNoon + hours(12)));
  EXPECT_TRUE(complained("kim@example.com", "acme", kNoon + hours(11)));
  EXPECT_TRUE(complained("kim@example.com", "acme", kNoon + hours(13)));
}

TEST_F(ComplainersTest, WhoIsNotNamedIsNeverRepeated) {
  for (const std::string_view nobody :
       {"", "not an address", "redacted@example.com", "***@x.com"}) {
    EXPECT_FALSE(complained(nobody)) << nobody;
    EXPECT_FALSE(complained(nobody)) << nobody;
    EXPECT_FALSE(withdrawn(nobody)) << nobody;
  }
  EXPECT_TRUE(lasting_.empty());
}

TEST_F(ComplainersTest, WhatIsNotProvenSaysNothingOfAPerson) {
  EXPECT_FALSE(complained("kim@example.com", "acme", kNoon, "wrong token"));
  EXPECT_FALSE(complained("kim@example.com", "acme", kNoon, kProvenByToken));
  EXPECT_FALSE(complained("kim@example.com", "acme", kNoon, "wrong token"));
}

TEST_F(ComplainersTest, OtherEventsAreNeverRepeated) {
  EXPECT_FALSE(complained("kim@example.com"));
  EXPECT_FALSE(repeated(EventKind::unsubscribed, "kim@example.com"));
  EXPECT_FALSE(repeated(EventKind::bounced, "kim@example.com"));
}

TEST_F(ComplainersTest, ThePersonIsTakenBackWithTheLastComplaint) {
  EXPECT_FALSE(complained("kim@example.com"));
  EXPECT_TRUE(complained("kim@example.com"));
  next_step();
  EXPECT_TRUE(withdrawn("kim@example.com"));   // one still stands
  EXPECT_FALSE(withdrawn("kim@example.com"));  // none does
  EXPECT_TRUE(withdrawn("kim@example.com"));   // and there is nobody to take back
  next_step();
  EXPECT_TRUE(withdrawn("kim@example.com"));
  EXPECT_FALSE(complained("kim@example.com"));  // what was too much is not saved up
}

// Against the plain sum, whatever comes and however it falls into steps.
TEST_F(ComplainersTest, EachPersonIsOneOrNone) {
  std::mt19937 random(1);
  std::map<std::string, int> standing;
  std::map<std::string, int> counted;
  for (int i = 0; i < 3000; ++i) {
    if (random() % 4 == 0) next_step();
    const std::string who = fmt::format("r{}@example.com", random() % 5);
    if (random() % 2 == 0) {
      ++standing[who];
      counted[who] += complained(who) ? 0 : 1;
    } else {
      standing[who] = std::max(0, standing[who] - 1);
      counted[who] -= withdrawn(who) ? 0 : 1;
    }
    ASSERT_EQ(counted[who], standing[who] > 0 ? 1 : 0) << who << " at " << i;
  }
}

TEST_F(ComplainersTest, VeryManyComplaintsOfOneCostFewLookUps) {
  for (int i = 0; i < 5000; ++i) complained("kim@example.com");
  next_step();
  looked_up_ = 0;
  EXPECT_TRUE(complained("kim@example.com"));
  EXPECT_LT(looked_up_, 40U);
}

EventBatch complaints(int first, int count, EventKind kind = EventKind::complained) {
  EventBatch batch;
  for (int i = first; i < first + count; ++i) {
    Event& event = batch.add();
    event.id = hash128(fmt::format("{} {}", name_of(kind), i));
    event.at = kNoon + std::chrono::seconds(i);
    event.kind = kind;
    event[Field::customer] = "acme";
    event[Field::recipient] = "kim@example.com";
  }
  return batch;
}

PipelineOptions people_in(const std::string& folder) {
  return options_in(folder,
                    {.name = "people",
                     .watch = {"customer"},
                     .window = 1h,
                     .when = "complained(not repeated) - complaint_withdrawn(not repeated) >= 1000",
                     .mode = "notify"});
}

double people(Running& running) {
  double value = -1;
  const auto done =
      running.pipeline->look([&](const decide::Decider&, const detect::Watch& watch, Time) {
        const auto views = watch.explain(Stream{{{Field::customer, "acme"}}});
        if (!views.empty()) value = views.front().value;
      });
  EXPECT_TRUE(done);
  return value;
}

TEST(PipelineComplainers, AreKnownAfterARestartAndInCountersThatAreReadAgain) {
  const Folder folder;
  {
    Running running(people_in(folder / "data"));
    running.put(complaints(0, 2));
    running.put(complaints(1, 3));
    EXPECT_EQ(people(running), 1);
  }
  Running again(people_in(folder / "data"));
  EXPECT_EQ(people(again), 1);
  again.put(complaints(4, 1));
  again.put(complaints(0, 4, EventKind::complaint_withdrawn));
  EXPECT_EQ(people(again), 1);
  again.put(complaints(4, 1, EventKind::complaint_withdrawn));
  EXPECT_EQ(people(again), 0);
  // The mark stands in the store.
  const auto reader = store::Reader::open({.path = folder / "data"}).value();
  size_t marked = 0;
  const auto page = reader->events({}).value();
  for (const Event& event : page.events.events()) marked += event.repeated ? 1 : 0;
  EXPECT_EQ(page.events.size(), 10U);
  EXPECT_EQ(marked, 8U);
}

// After a crash there are no counters but those that the events make.
TEST(PipelineComplainers, CountersFromEventsAloneAreTheSame) {
  const Folder folder;
  Running running(people_in(folder / "data"));
  running.put(complaints(0, 5));
  running.put(complaints(0, 2, EventKind::complaint_withdrawn));
  const std::string copy = folder / "crashed";
  std::filesystem::copy(folder / "data", copy, std::filesystem::copy_options::recursive);
  Running again(people_in(copy));
  EXPECT_EQ(people(again), 1);
  again.put(complaints(2, 3, EventKind::complaint_withdrawn));
  EXPECT_EQ(people(again), 0);
}

}  // namespace
}  // namespace watchpost::ingest
