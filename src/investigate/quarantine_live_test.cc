// The desk over the real quarantine, with its files.
#include "ingest/test_pipeline.h"
#include "investigate/quarantine_desk.h"
#include "quarantine/links.h"
#include "quarantine/quarantine_fixture.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::investigate {
namespace {

using quarantine::CopyState;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LiveHeldMail : public quarantine::QuarantineTest {
 protected:
  std::unique_ptr<QuarantineDesk> desk(quarantine::QuarantineSettings settings = {}) {
    return make_quarantine_desk({.quarantine = it(),
                                 .pipeline = *running_.pipeline,
                                 .clock = clock_,
                                 .store = {.path = data_ / "data"},
                                 .settings = std::move(settings),
                                 .reputation = &reputation_});
  }
  std::string link(const quarantine::HeldId& id, std::string_view recipient) {
    return quarantine::make_link_token(it().link_secret(), id, recipient,
                                       clock_.now() + std::chrono::hours(1));
  }

  const ingest::test::Folder data_;
  ingest::test::Running running_{ingest::test::options_in(data_ / "data")};
  relate::Reputation reputation_{{}};
};

TEST_F(LiveHeldMail, IsSeenAndReleasedForOneAndThrownAwayForAnother) {
  const auto id = keep_one({"ann@receiver.example", "bob@receiver.example"});
  const auto people = desk();
  const auto seen = people->view(id, "ops");
  ASSERT_TRUE(seen) << seen.error().text();
  EXPECT_EQ(seen->texts[0].text, "Text\n");
  EXPECT_EQ(people->bytes(id, "ops"), "Subject: 1\r\n\r\nText\r\n");
  const auto released =
      people->release(id, {.recipients = {"ann@receiver.example"}, .why = "ours"}, "ops");
  ASSERT_TRUE(released) << released.error().text();
  EXPECT_EQ(released->copies, 1U);
  EXPECT_EQ(state_of(id, 0), CopyState::due);
  EXPECT_EQ(copy_of(id, 0).by, "ops");
  EXPECT_EQ(state_of(id, 1), CopyState::held);
  EXPECT_EQ(people->discard(id, std::vector<std::string>{"bob@receiver.example"}, "ops", ""), 1U);
  EXPECT_EQ(state_of(id, 1), CopyState::discarded);
  EXPECT_EQ(people->release(id, {.recipients = {"bob@receiver.example"}}, "ops").error().code,
            Code::refused);
}

TEST_F(LiveHeldMail, AllMeansAllThatIsLeft) {
  const auto id = keep_one({"ann@receiver.example", "bob@receiver.example", "cy@receiver.example"});
  const auto people = desk();
  ASSERT_TRUE(people->discard(id, std::vector<std::string>{"ann@receiver.example"}, "ops", ""));
  EXPECT_EQ(people->release(id, {}, "ops")->copies, 2U);
  EXPECT_EQ(people->discard(id, {}, "ops", ""), 2U);
  EXPECT_EQ(people->release(id, {}, "ops").error().code, Code::refused);
}

TEST_F(LiveHeldMail, IsReleasedStepByStepAndHeldAgain) {
  for (int i = 0; i < 20; ++i) keep_one();
  const auto people = desk();
  const quarantine::HeldSearch search{.sender = "@shop.example"};
  EXPECT_EQ(people->release_found(search, true, "ops", "fine"), 20U);
  EXPECT_EQ(people->usage()->due, 20U);
  EXPECT_EQ(people->hold_again(search, "ops", "not over"), 20U);
  EXPECT_EQ(people->usage()->due, 0U);
  EXPECT_EQ(people->discard_found(search, "ops", "spam"), 20U);
  EXPECT_EQ(people->usage()->copies, 0U);
}

TEST_F(LiveHeldMail, ALinkAsksForOneCopyOnceWhateverTheCase) {
  const auto id = keep_one({"Ann@Receiver.example", "bob@receiver.example"});
  const auto people = desk();
  const std::string token = link(id, "Ann@Receiver.example");
  EXPECT_EQ(people->look_at(token), LinkState::can_ask);
  EXPECT_EQ(people->ask(token), LinkState::asked);
  EXPECT_TRUE(copy_of(id, 0).requested);
  EXPECT_FALSE(copy_of(id, 1).requested);
  EXPECT_EQ(people->ask(token).error().code, Code::refused);
  EXPECT_EQ(people->usage()->requested, 1U);
  const auto found = people->list({.requested = true});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->messages, SizeIs(1));
  const auto by_rule = desk({.self_release = {"filter lookalike"}});
  EXPECT_EQ(by_rule->ask(link(id, "bob@receiver.example")), LinkState::coming);
  EXPECT_EQ(state_of(id, 1), CopyState::due);
}

TEST_F(LiveHeldMail, ExceptionsStandUntilTheyEnd) {
  auto message = quarantine::message_for({"ann@receiver.example"});
  message.author = "jo@shop.example";
  message.dmarc = "pass";
  const auto id = keep(message, "Subject: x\r\n\r\n");
  const auto people = desk();
  const auto released = people->release(id, {.why = "ours", .accept_like = true}, "ops");
  ASSERT_TRUE(released) << released.error().text();
  ASSERT_TRUE(people->exceptions());
  ASSERT_THAT(*people->exceptions(), SizeIs(1));
  EXPECT_EQ(people->exceptions()->front().when, "author == 'jo@shop.example' and dmarc == pass");
  ASSERT_TRUE(people->end_exception(people->exceptions()->front().name, "ops", ""));
  EXPECT_THAT(*people->exceptions(), IsEmpty());
}

TEST_F(LiveHeldMail, APersonIsErased) {
  const auto id = keep_one({"ann@receiver.example"});
  const auto other = keep_one({"bob@receiver.example"});
  const auto people = desk();
  EXPECT_EQ(people->erase_person("ann@receiver.example", "ops", "asked"), 1U);
  EXPECT_FALSE(people->bytes(id, "ops"));
  EXPECT_TRUE(people->bytes(other, "ops"));
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace watchpost::investigate
