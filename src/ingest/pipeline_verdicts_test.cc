// Verdicts on messages, from an offer to the store.
#include "ingest/pipeline.h"
#include "ingest/test_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::ingest {
namespace {

using namespace test;

Arrival judged(uint64_t number, std::string json) {
  Arrival arrival;
  arrival.source = "border";
  Event& event = arrival.events.add();
  event.id = {7, number};
  event.at = kNoon;
  event.kind = EventKind::judged;
  event[Field::queue_id] = arrival.events.keep(fmt::format("4F{}", number));
  arrival.verdicts.push_back({event.id, std::move(json)});
  return arrival;
}

std::vector<std::string> kept(const std::string& folder) {
  std::vector<std::string> all;
  const auto reader = store::Reader::open({.path = folder});
  EXPECT_TRUE(reader);
  const auto verdicts = (*reader)->verdicts({});
  EXPECT_TRUE(verdicts);
  for (const auto& one : *verdicts) all.push_back(one.queue_id + " " + one.json);
  return all;
}

// Behind all that was offered before.
void settle(Running& running) { running.put(bounces("bob", 1, 0)); }

TEST(PipelineVerdicts, AreKeptWithTheirEventAndOnce) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  EXPECT_TRUE(running.pipeline->offer(judged(1, R"({"v":1})")));
  EXPECT_TRUE(running.pipeline->offer(judged(1, R"({"v":1,"again":true})")));
  Arrival of_another = judged(2, "{}");
  of_another.verdicts[0].event = {7, 1};
  EXPECT_TRUE(running.pipeline->offer(std::move(of_another)));
  EXPECT_TRUE(running.pipeline->offer(judged(3, std::string(kLongestVerdict + 1, ' '))));
  EXPECT_TRUE(running.pipeline->offer(judged(4, std::string(kLongestVerdict, ' '))));
  settle(running);
  const auto all = kept(folder / "data");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].substr(0, 4), "4F4 ");
  EXPECT_EQ(all[1], R"(4F1 {"v":1})");
}

TEST(PipelineVerdicts, FollowAnEventThatIsKnownByItsMessage) {
  const Folder folder;
  PipelineOptions options = options_in(folder / "data");
  options.accepted_twice = true;
  Running running(std::move(options));
  Arrival arrival = judged(1, "{}");
  arrival.events.events()[0].kind = EventKind::accepted;
  EXPECT_TRUE(running.pipeline->offer(std::move(arrival)));
  settle(running);
  EXPECT_EQ(kept(folder / "data"), std::vector<std::string>{"4F1 {}"});
}

TEST(PipelineVerdicts, AreNotKeptWhereEventsAreNot) {
  const Folder folder;
  PipelineOptions options = options_in(folder / "data");
  options.store_events = false;
  Running running(std::move(options));
  EXPECT_TRUE(running.pipeline->offer(judged(1, "{}")));
  settle(running);
  EXPECT_TRUE(kept(folder / "data").empty());
}

TEST(PipelineVerdicts, AnOfferToAFullPipelineIsRefusedAtOnce) {
  const Folder folder;
  Running running(options_in(folder / "data"));
  settle(running);
  std::promise<void> held, go_on;
  auto holding = std::async(std::launch::async, [&] {
    return running.pipeline->look([&](const decide::Decider&, const detect::Watch&, Time) {
      held.set_value();
      go_on.get_future().wait();
    });
  });
  held.get_future().wait();
  // Each of these is as large as 256 events.
  uint64_t taken = 0;
  while (taken < 10'000 &&
         running.pipeline->offer(judged(taken, std::string(kLongestVerdict, ' '))))
    ++taken;
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 300);
  go_on.set_value();
  EXPECT_TRUE(holding.get());
  running.put(bounces("carol", 1, 0));
  EXPECT_TRUE(running.pipeline->offer(judged(20'000, "{}")));
}

}  // namespace
}  // namespace watchpost::ingest
