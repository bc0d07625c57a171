// Suppressions in the pipeline: with the events' own commit, after a crash, by people, undone.
#include "ingest/suppressions.h"

#include "ingest/test_pipeline.h"

#include <csignal>
#include <filesystem>
#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;
using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Act = SuppressionOrder::Act;

PipelineOptions options_with_rules(const std::string& folder,
                                   const std::shared_ptr<suppress::List>& list) {
  PipelineOptions options = options_in(folder);
  options.suppressed = list;
  options.suppress.push_back(
      suppress::make_rule({.name = "no such mailbox", .when = "class == unknown_user"}).value());
  options.suppress.push_back(
      suppress::make_rule({.name = "full", .when = "class == mailbox_full", .after = 2}).value());
  return options;
}

std::shared_ptr<suppress::List> new_list() { return std::make_shared<suppress::List>(1); }

EventBatch of_customer(EventBatch batch, std::string_view customer = "acme") {
  for (Event& event : batch.events()) event[Field::customer] = batch.keep(customer);
  return batch;
}

EventBatch full_mailbox(uint64_t number) {
  EventBatch batch = of_customer(bounces("full", 1, number));
  for (Event& event : batch.events()) {
    event[Field::class_] = "mailbox_full";
    event[Field::recipient] = "full@example.com";
  }
  return batch;
}

SuppressionOrder order(Act act, std::string recipient, std::string note = "because") {
  SuppressionOrder made{.act = act, .which = {}, .who = "alice", .note = std::move(note)};
  made.which.push_back({.recipient = std::move(recipient), .customer = "acme"});
  return made;
}

std::vector<Suppression> stored(const Folder& folder) {
  return store::Reader::open({.path = folder / "data"})
      .value()
      ->suppressions_after(0, 1000)
      .value();
}

std::vector<std::string> holding(const Folder& folder) {
  std::vector<std::string> recipients;
  for (const Suppression& one : stored(folder)) {
    if (one.holds(kNoon + 1h)) recipients.push_back(one.recipient);
  }
  return recipients;
}

TEST(Suppressions, AreInTheEventsOwnCommitAndInTheList) {
  const Folder folder;
  const auto list = new_list();
  Running running(options_with_rules(folder / "data", list));
  running.put(of_customer(bounces("alice", 3, 0)));
  EXPECT_THAT(holding(folder),
              ElementsAre("user0@example.com", "user1@example.com", "user2@example.com"));
  EXPECT_TRUE(list->holding("acme", "user0@example.com", kNoon));
  EXPECT_FALSE(list->holding("other", "user0@example.com", kNoon));
  // Gauges are set behind the commit.
  running.pipeline->stop();
  EXPECT_THAT(running.metrics.text(), testing::HasSubstr("watchpost_suppressions 3"));
}

TEST(Suppressions, AndWhatIsCountedAreThereAfterACrash) {
  const Folder folder;
  const auto before = new_list(), after = new_list();
  Running running(options_with_rules(folder / "data", before));
  running.put(of_customer(bounces("alice", 2, 0)));
  running.put(full_mailbox(50));
  const std::string copy = folder / "crashed";
  std::filesystem::copy(folder / "data", copy, std::filesystem::copy_options::recursive);
  Running again(options_with_rules(copy, after));
  EXPECT_TRUE(after->holding("acme", "user1@example.com", kNoon));
  EXPECT_EQ(after->last_change(), 2U);
  again.put(full_mailbox(51));
  EXPECT_EQ(after->last_change(), 3U);
  EXPECT_TRUE(after->holding("acme", "full@example.com", kNoon));
}

TEST(Suppressions, PeopleAddLiftAndImport) {
  const Folder folder;
  const auto list = new_list();
  Running running(options_with_rules(folder / "data", list));
  Pipeline& pipeline = *running.pipeline;
  const auto added = pipeline.change_suppressions(order(Act::add, "a@x.example")).value().changed;
  ASSERT_EQ(added.size(), 1U);
  EXPECT_EQ(added[0].origin, "alice");
  EXPECT_TRUE(list->holding("acme", "a@x.example", kNoon));
  EXPECT_EQ(pipeline.change_suppressions(order(Act::add, "a@x.example")).error().code,
            Code::refused);
  EXPECT_EQ(pipeline.change_suppressions(order(Act::lift, "b@x.example")).error().code,
            Code::not_found);

  SuppressionOrder import = order(Act::import, "a@x.example", "list.csv");
  for (const char* const more : {"b@x.example", "b@x.example", "c@x.example"}) {
    import.which.push_back({.recipient = more, .customer = "acme"});
  }
  EXPECT_EQ(pipeline.change_suppressions(import).value().changed.size(), 2U);
  EXPECT_EQ(stored(folder).back().origin, "alice, import list.csv");
  EXPECT_TRUE(pipeline.change_suppressions(import).value().changed.empty());

  const auto lifted = pipeline.change_suppressions(order(Act::lift, "b@x.example")).value().changed;
  EXPECT_EQ(lifted[0].lifted_by, "alice");
  EXPECT_FALSE(list->holding("acme", "b@x.example", kNoon));
  EXPECT_EQ(pipeline.change_suppressions(order(Act::lift, "b@x.example")).error().code,
            Code::refused);
  EXPECT_THAT(holding(folder), UnorderedElementsAre("a@x.example", "c@x.example"));
  // What a person lifted stays so, unless that is asked for.
  EXPECT_EQ(pipeline.change_suppressions(import).value().left_lifted, 2U);
  EXPECT_FALSE(list->holding("acme", "b@x.example", kNoon));

  std::vector<std::string> audit;
  const auto reader = store::Reader::open({.path = folder / "data"}).value();
  const auto entries = reader->audit(10).value();
  for (const AuditEntry& entry : entries) audit.push_back(entry.what);
  EXPECT_THAT(audit,
              ElementsAre("suppression lifted", "suppressions imported", "suppression added"));
  EXPECT_TRUE(reader->verify_audit());
}

class Undoing : public ::testing::Test {
 protected:
  // Six bounces of one login, of which the fifth opens an incident, and one of another.
  Undoing() {
    running.put(of_customer(bounces("alice", 4, 0)));
    running.put(of_customer(bounces("alice", 6, 0)));
    EventBatch other = of_customer(bounces("bob", 1, 0));
    other.events()[0][Field::recipient] = "bobs@example.com";
    running.put(std::move(other));
    const auto incidents = running.incidents();
    EXPECT_EQ(incidents.size(), 1U);
    incident = incidents.at(0).id;
  }
  Result<Done> ask(const std::function<Result<decide::Outcome>(decide::Decider&, Time)>& act) {
    return running.pipeline->ask(
        [&](decide::Decider& decider, detect::Watch&, Time now) { return act(decider, now); });
  }

  Result<Done> found_wrong() {
    return ask([&](decide::Decider& decider, Time now) {
      return decider.false_positive(incident, "alice", "was nothing", now);
    });
  }

  const Folder folder;
  const std::shared_ptr<suppress::List> list = new_list();
  Running running{options_with_rules(folder / "data", list)};
  IncidentId incident;
};

TEST_F(Undoing, AWrongIncidentLiftsWhatItSuppressedAlsoBeforeItOpened) {
  ASSERT_TRUE(found_wrong());
  EXPECT_THAT(holding(folder), ElementsAre("bobs@example.com"));
  EXPECT_FALSE(list->holding("acme", "user0@example.com", kNoon));
  EXPECT_EQ(stored(folder).back().lifted_by, "i-1 was found false_positive");
}

// What bounces after the incident was judged has nothing to do with it, whatever is noted there.
TEST_F(Undoing, ANoteUndoesNothingOnceMore) {
  ASSERT_TRUE(found_wrong());
  EventBatch later = of_customer(bounces("alice", 7, 0));
  later.events()[0][Field::recipient] = "dead@example.com";
  later.events()[0].id = hash128("a later bounce");
  running.put(std::move(later));
  const auto before = holding(folder);
  EXPECT_THAT(before, Contains("dead@example.com"));
  for (const char* const text : {"called them", "all is well"}) {
    ASSERT_TRUE(ask([&](decide::Decider& decider, Time now) {
      return decider.note(incident, "alice", text, now);
    }));
  }
  EXPECT_EQ(holding(folder), before);
}

TEST_F(Undoing, WhatCouldNotBeStoredIsLiftedTheNextTime) {
  // Files may not grow, as on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = 1;
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = found_wrong();
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(refused);
  EXPECT_EQ(holding(folder).size(), 7U);
  const auto done = found_wrong();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_THAT(holding(folder), ElementsAre("bobs@example.com"));
}

TEST_F(Undoing, ADecisionUndoneDoesTheSame) {
  const DecisionId decision =
      running.outbox.active_when([](const auto& all) { return !all.empty(); })[0].id;
  ASSERT_TRUE(ask([&](decide::Decider& decider, Time now) {
    return decider.revoke(decision, "alice", "", now);
  }));
  EXPECT_THAT(holding(folder), ElementsAre("bobs@example.com"));
}

TEST_F(Undoing, WhatWasRightStays) {
  ASSERT_TRUE(ask([&](decide::Decider& decider, Time now) {
    return decider.confirm(incident, Verdict::bad_list, "alice", "", now);
  }));
  ASSERT_TRUE(ask([&](decide::Decider& decider, Time now) {
    return decider.release({{{Field::credential, "alice"}}}, "alice", "list is clean", now);
  }));
  EXPECT_EQ(holding(folder).size(), 7U);
}

TEST_F(Undoing, WhileTheReceiverIsAtFaultBouncesSuppressNobody) {
  ASSERT_TRUE(ask([&](decide::Decider& decider, Time now) {
    return decider.confirm(incident, Verdict::receiver_fault, "alice", "", now);
  }));
  EXPECT_THAT(holding(folder), ElementsAre("bobs@example.com"));
  EventBatch more = of_customer(bounces("alice", 1, 77));
  more.events()[0][Field::recipient] = "later@example.com";
  running.put(std::move(more));
  const bool open = running.incidents().at(0).state == IncidentState::open;
  EXPECT_EQ(list->holding("acme", "later@example.com", kNoon).has_value(), !open);
}

TEST_F(Undoing, APersonsOwnIsLeftAlone) {
  const auto lifted = order(Act::lift, "user0@example.com");
  ASSERT_TRUE(running.pipeline->change_suppressions(lifted));
  ASSERT_TRUE(running.pipeline->change_suppressions(order(Act::add, "user0@example.com")));
  ASSERT_TRUE(found_wrong());
  EXPECT_THAT(holding(folder), UnorderedElementsAre("bobs@example.com", "user0@example.com"));
}

// As S2 of the list: what people wish stays, whatever an incident suppressed them for as well.
TEST_F(Undoing, WhatPeopleWishedBesideStays) {
  Pipeline& pipeline = *running.pipeline;
  SuppressionOrder import = order(Act::import, "user0@example.com", "list.csv");
  import.which[0].reason = SuppressionReason::unsubscribe;
  EXPECT_EQ(pipeline.change_suppressions(import).value().changed.size(), 1U);
  SuppressionOrder add = order(Act::add, "user1@example.com");
  add.which[0].reason = SuppressionReason::unsubscribe;
  EXPECT_TRUE(pipeline.change_suppressions(add));
  // A person says the same as the event did.
  SuppressionOrder dead = order(Act::import, "user2@example.com", "dead.csv");
  dead.which[0].reason = SuppressionReason::hard_bounce;
  EXPECT_EQ(pipeline.change_suppressions(dead).value().changed.size(), 1U);
  ASSERT_TRUE(found_wrong());
  EXPECT_THAT(holding(folder), UnorderedElementsAre("bobs@example.com", "user0@example.com",
                                                    "user1@example.com", "user2@example.com"));
}

TEST_F(Undoing, AlsoWhatWasBeforeARestart) {
  const std::string copy = folder / "crashed";
  std::filesystem::copy(folder / "data", copy, std::filesystem::copy_options::recursive);
  const auto after = new_list();
  Running again(options_with_rules(copy, after));
  EXPECT_TRUE(after->holding("acme", "user0@example.com", kNoon));
  ASSERT_TRUE(again.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.false_positive(incident, "alice", "was nothing", now);
  }));
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(after->holding("acme", fmt::format("user{}@example.com", i), kNoon)) << i;
  }
  EXPECT_TRUE(after->holding("acme", "bobs@example.com", kNoon));
}

// One that held before the incident is made to hold longer by it: that is all the incident did.
TEST(Suppressions, WhatHeldBeforeAnIncidentIsNotItsOwn) {
  const Folder folder;
  PipelineOptions options = options_with_rules(folder / "data", nullptr);
  options.suppress.push_back(
      suppress::make_rule(
          {.name = "for a day", .when = "class == bad_domain", .lasts = std::chrono::days(1)})
          .value());
  Running running(std::move(options));
  EventBatch early = of_customer(bounces("alice", 1, 700));
  early.events()[0].at -= std::chrono::hours(20);
  early.events()[0][Field::class_] = "bad_domain";
  running.put(std::move(early));
  const std::string recipient = stored(folder).at(0).recipient;
  running.put(of_customer(bounces("alice", 10, 0)));  // of the same recipient, too
  const auto incident = running.incidents().at(0).id;
  const auto rows = stored(folder);
  const auto extended = std::ranges::find(rows, recipient, &Suppression::recipient);
  ASSERT_NE(extended, rows.end());
  EXPECT_FALSE(extended->until);
  EXPECT_LT(extended->since, kNoon - 10h);
  ASSERT_TRUE(running.pipeline->ask([&](decide::Decider& decider, detect::Watch&, Time now) {
    return decider.false_positive(incident, "alice", "was nothing", now);
  }));
  EXPECT_THAT(holding(folder), ElementsAre(recipient));
}

TEST(Suppressions, AWithdrawalKeepsWhatWasSaidBefore) {
  const Folder folder;
  PipelineOptions options = options_with_rules(folder / "data", nullptr);
  options.suppress.push_back(
      suppress::make_rule(
          {.name = "complaint", .when = "kind == complained", .reason = "complaint"})
          .value());
  Running running(std::move(options));
  for (const EventKind kind : {EventKind::complained, EventKind::complaint_withdrawn}) {
    EventBatch batch = of_customer(bounces("alice", 1, static_cast<uint64_t>(kind)));
    batch.events()[0].kind = kind;
    batch.events()[0][Field::class_] = "";
    batch.events()[0][Field::recipient] = "a@x.example";
    running.put(std::move(batch));
  }
  const auto rows = stored(folder);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].lifted);
  EXPECT_EQ(rows[0].origin, "rule `complaint`");
  EXPECT_THAT(rows[0].evidence, testing::StartsWith("complained"));
  EXPECT_THAT(rows[0].lifted_note, testing::StartsWith("complaint_withdrawn"));
}

TEST(Suppressions, FactsOfOthersAreKept) {
  const Folder folder;
  Running running(options_with_rules(folder / "data", nullptr));
  running.pipeline->keep({"suppress/feed/hook", "7"});
  running.put(bounces("alice", 1, 0));
  running.pipeline->stop();
  const auto facts =
      store::Reader::open({.path = folder / "data"}).value()->facts("suppress/feed/").value();
  ASSERT_EQ(facts.size(), 1U);
  EXPECT_EQ(facts[0].value, "7");
}

}  // namespace
}  // namespace watchpost::ingest
