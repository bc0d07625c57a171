// What people do with held mail, and what time does.
#include "base/files.h"
#include "quarantine/quarantine_fixture.h"

namespace watchpost::quarantine {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
const Strings kBoth{"ann@receiver.example", "bob@receiver.example"};

class ChangesTest : public QuarantineTest {
 protected:
  // Twice, so far apart that a clock that jumped would have been set right.
  void maintain() {
    value_of(it().maintain_at(ticks_));
    ticks_ += 10min;
    value_of(it().maintain_at(ticks_));
    ticks_ += 10min;
  }
  CertainTime::Ticks ticks_;
};

TEST_F(ChangesTest, ReleasedForOneOrForAll) {
  const HeldId id = keep_one(kBoth);
  EXPECT_EQ(value_of(it().release(id, Strings{"BOB@receiver.example"}, {.by = "eve"})), 1u);
  EXPECT_EQ(state_of(id, 0), CopyState::held);
  EXPECT_EQ(state_of(id, 1), CopyState::due);
  EXPECT_EQ(value_of(it().release(id, {}, {.by = "eve"})), 1u);
  EXPECT_EQ(state_of(id, 0), CopyState::due);
  EXPECT_EQ(it().release(id, Strings{"who@receiver.example"}, {}).error().code, Code::not_found);
  EXPECT_EQ(it().release({1, 2}, {}, {}).error().code, Code::not_found);
}

TEST_F(ChangesTest, TheEarlierAndTheUnpacedReleaseWins) {
  const HeldId id = keep_one();
  value_of(it().release(id, {}, {.by = "eve", .at = kNoon + 1h, .paced = true}));
  EXPECT_TRUE(copy_of(id).paced);
  EXPECT_EQ(value_of(it().release(id, {}, {.by = "bo", .at = kNoon + 2h, .paced = true})), 0u);
  EXPECT_EQ(copy_of(id).release_at, kNoon + 1h);
  EXPECT_EQ(copy_of(id).by, "eve");
  EXPECT_EQ(value_of(it().release(id, {}, {.by = "cy", .at = kNoon, .paced = true})), 1u);
  EXPECT_EQ(copy_of(id).release_at, kNoon);
  EXPECT_TRUE(copy_of(id).paced);
  EXPECT_EQ(value_of(it().release(id, {}, {.by = "di", .at = kNoon + 1h})), 1u);
  EXPECT_EQ(copy_of(id).release_at, kNoon);
  EXPECT_FALSE(copy_of(id).paced);
}

TEST_F(ChangesTest, WhatIsOverCannotBeReleased) {
  const HeldId id = keep_one(kBoth);
  EXPECT_EQ(value_of(it().discard(id, Strings{kBoth[0]}, "eve")), 1u);
  EXPECT_EQ(it().release(id, Strings{kBoth[0]}, {}).error().code, Code::refused);
  EXPECT_EQ(it().release(id, kBoth, {}).error().code, Code::refused);
  EXPECT_EQ(state_of(id, 1), CopyState::held);
  EXPECT_EQ(value_of(it().release(id, {}, {})), 1u);  // all that can be
  EXPECT_EQ(value_of(it().discard(id, {}, "eve")), 1u);
  EXPECT_EQ(copy_of(id, 1).by, "eve");
  EXPECT_EQ(it().discard(id, {}, "eve").error().code, Code::refused);
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(value_of(it().find(id)).subject, "An offer");
}

TEST_F(ChangesTest, SharesGoOutInTheOrderOfKeeping) {
  std::vector<HeldId> all;
  for (int i = 0; i < 150; ++i) all.push_back(keep_one());
  const std::vector<PacedStep> steps{{0.01, 0s}, {0.1, 15min}, {1, 30min}};
  const ReleaseOrder order{.by = "eve", .at = kNoon + 1h, .paced = true};
  EXPECT_EQ(value_of(it().release_found({.limit = 3}, steps, order)), 150u);
  for (size_t i = 0; i < all.size(); ++i) {
    const Duration after = i < 2 ? 0min : i < 15 ? 15min : 30min;
    ASSERT_EQ(copy_of(all[i]).release_at, kNoon + 1h + after) << i;
    ASSERT_TRUE(copy_of(all[i]).paced);
  }
  // The same order once more changes nothing.
  EXPECT_EQ(value_of(it().release_found({}, steps, order)), 0u);
  EXPECT_EQ(value_of(it().hold_again({}, "eve", "incident i-4 is open again")), 150u);
  EXPECT_EQ(state_of(all[7]), CopyState::held);
  EXPECT_EQ(copy_of(all[7]).note, "incident i-4 is open again");
  EXPECT_EQ(value_of(it().release_found({}, std::vector<PacedStep>{{0.5, 0s}}, order)), 75u);
  EXPECT_EQ(value_of(it().usage()).due, 75u);
}

TEST_F(ChangesTest, ASearchForARecipientMeansItsCopiesAlone) {
  const HeldId id = keep_one(kBoth);
  EXPECT_EQ(value_of(it().release_found({.recipient = kBoth[1]}, {}, {.by = "eve"})), 1u);
  EXPECT_EQ(state_of(id, 0), CopyState::held);
  EXPECT_EQ(state_of(id, 1), CopyState::due);
  EXPECT_EQ(value_of(it().discard_found({.recipient = "@receiver.example"}, "eve")), 2u);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ChangesTest, ARequestCountsOnce) {
  const HeldId id = keep_one(kBoth);
  EXPECT_TRUE(value_of(it().request(id, "Bob@receiver.example")));
  EXPECT_FALSE(value_of(it().request(id, "bob@receiver.example")));
  EXPECT_EQ(copy_of(id, 1).requested, kNoon);
  EXPECT_EQ(state_of(id, 1), CopyState::held);
  EXPECT_EQ(value_of(it().usage()).requested, 1u);
  EXPECT_EQ(it().request(id, "eve@receiver.example").error().code, Code::not_found);
  value_of(it().discard(id, {}, "eve"));
  EXPECT_EQ(it().request(id, kBoth[0]).error().code, Code::refused);
  EXPECT_EQ(value_of(it().usage()).requested, 0u);
  HeldMessage certain = message_for(kBoth);
  certain.certain = true;
  EXPECT_EQ(it().request(keep(certain, "x"), kBoth[0]).error().code, Code::refused);
}

TEST_F(ChangesTest, ItsTimeEndsWhenThatIsCertain) {
  settings_.keep = 24h;
  const HeldId id = keep_one();
  value_of(it().maintain_at(ticks_));
  clock_.pass(25h);  // a jump, and back
  ticks_ += 5min;
  value_of(it().maintain_at(ticks_));
  EXPECT_EQ(state_of(id), CopyState::held);
  ticks_ += 5min;
  value_of(it().maintain_at(ticks_));  // the first look at that time
  EXPECT_EQ(state_of(id), CopyState::held);
  clock_.set(kNoon);
  ticks_ += 10min;
  value_of(it().maintain_at(ticks_));
  EXPECT_EQ(state_of(id), CopyState::held);
  clock_.pass(25h);
  ticks_ += 10min;
  maintain();
  EXPECT_EQ(state_of(id), CopyState::expired);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ChangesTest, WhatIsOrderedToGoOutDoesNotRunOut) {
  settings_.keep = 24h;
  const HeldId id = keep_one();
  value_of(it().release(id, {}, {.by = "eve", .at = {}}));
  clock_.pass(25h);
  maintain();
  EXPECT_EQ(state_of(id), CopyState::due);
  EXPECT_EQ(files(), 1u);
}

TEST_F(ChangesTest, ExtendedItStays) {
  settings_.keep = 24h;
  const HeldId id = keep_one();
  const HeldId other = keep_one();
  EXPECT_FALSE(it().extend(id, kNoon - 1h));
  value_of(it().extend(id, kNoon + 48h));
  EXPECT_EQ(value_of(it().find(id)).until, kNoon + 48h);
  clock_.pass(25h);
  maintain();
  EXPECT_EQ(state_of(id), CopyState::held);
  EXPECT_EQ(state_of(other), CopyState::expired);
  EXPECT_EQ(it().extend(other, kNoon + 48h).error().code, Code::refused);
}

TEST_F(ChangesTest, WhatHasEndedIsRememberedForAWhile) {
  const HeldId id = keep_one(kBoth);
  value_of(it().discard(id, {}, "eve"));
  clock_.pass(24h * 89);
  maintain();
  EXPECT_EQ(ids({.all = true}), std::vector{id});
  clock_.pass(24h * 2);
  maintain();
  EXPECT_EQ(ids({.all = true}), std::vector<HeldId>{});
  EXPECT_EQ(ids({.sender = "@shop.example", .all = true}), std::vector<HeldId>{});
  EXPECT_EQ(it().find(id).error().code, Code::not_found);
}

TEST_F(ChangesTest, WhatRecipientsWereToldIsForgottenWithTheMail) {
  const auto marks = [&] {
    auto index = value_of(store::sqlite::Database::open(folder() + "/index.db",
                                                        store::sqlite::Database::Access::reader));
    auto rows = value_of(index.prepare("SELECT COUNT(*) FROM digests"));
    value_of(rows.row());
    return rows.number(0);
  };
  settings_.keep = 24h * 30;
  keep_one({"ann@receiver.example"});
  const DigestMark mark{.day = kNoon, .told = kNoon + 1h};
  for (const auto* const recipient : {"", "ann@receiver.example", "gone@receiver.example"}) {
    value_of(it().mark_digest(recipient, mark));
  }
  clock_.pass(24h * 10);
  maintain();
  EXPECT_EQ(marks(), 3);  // a message of before that time is held
  clock_.pass(24h * 21);
  maintain();
  maintain();  // it ran out with the first
  EXPECT_EQ(marks(), 1);
}

TEST_F(ChangesTest, FilesThatNobodyKnowsAreSwept) {
  const HeldId id = keep_one();
  const std::string file = file_of(id);
  const std::string folder = file.substr(0, file.rfind('/'));
  const std::string orphan = folder + "/" + to_hex(Hash128{id.high, id.low ^ 1});
  const std::string aside = orphan + ".new";
  const std::string others = folder + "/README";
  for (const auto& path : {orphan, aside, others}) value_of(replace_file(path, "x"));
  value_of(it().maintain());
  EXPECT_FALSE(std::filesystem::exists(orphan));
  EXPECT_FALSE(std::filesystem::exists(aside));
  EXPECT_TRUE(std::filesystem::exists(others));
  EXPECT_EQ(value_of(it().read(id)).verdict, "{\"v\":1}");
}

TEST_F(ChangesTest, APersonIsErased) {
  const HeldId shared = keep_one(kBoth);
  const HeldId own = keep_one({kBoth[0]});
  HeldMessage sent = message_for({kBoth[1]}, "what ann wrote");
  sent.author = "Ann@receiver.example";
  const HeldId written = keep(sent, "Subject: written\r\n\r\n");
  const HeldId other = keep_one({kBoth[1]});
  EXPECT_EQ(value_of(it().erase_person("ANN@receiver.example", "eve")), 3u);
  EXPECT_EQ(state_of(shared, 0), CopyState::discarded);
  EXPECT_EQ(copy_of(shared, 0).recipient, "");
  EXPECT_EQ(state_of(shared, 1), CopyState::held);
  EXPECT_EQ(value_of(it().find(shared)).subject, "An offer");
  for (const HeldId& id : {own, written}) {
    const HeldMessage message = value_of(it().find(id));
    EXPECT_EQ(message.copies[0].state, CopyState::discarded);
    for (const std::string* text : {&message.subject, &message.sender, &message.author,
                                    &message.author_domain, &message.reason, &message.client_ip}) {
      EXPECT_EQ(*text, "");
    }
    EXPECT_FALSE(std::filesystem::exists(file_of(id)));
  }
  EXPECT_EQ(ids({.recipient = kBoth[0], .all = true}), std::vector<HeldId>{});
  EXPECT_EQ(ids({.sender = kBoth[0], .all = true}), std::vector<HeldId>{});
  EXPECT_EQ(ids({.recipient = kBoth[1]}), (std::vector{other, shared}));
  quarantine_->stop();
  for (const char* const name : {"/index.db", "/index.db-wal"}) {
    const auto bytes = read_file(folder() + name);
    if (!bytes) continue;
    EXPECT_EQ(bytes->find("what ann wrote"), std::string::npos) << name;
    EXPECT_EQ(bytes->find("ann@receiver"), std::string::npos) << name;
  }
}

TEST_F(ChangesTest, WhatIsOnItsWayIsErasedLater) {
  const HeldId id = keep_one({kBoth[0]});
  const HeldId other = keep_one({kBoth[0]});
  value_of(it().release(id, {}, {.by = "eve"}));
  const Attempt attempt = begin_one();
  const auto refused = it().erase_person(kBoth[0], "eve");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
  EXPECT_EQ(state_of(id), CopyState::leaving);
  EXPECT_EQ(copy_of(id).recipient, kBoth[0]);
  EXPECT_EQ(state_of(other), CopyState::discarded);
  value_of(it().end(attempt, std::vector<CopyOutcome>{
                                 {.recipient = kBoth[0], .kind = CopyOutcome::Kind::released}}));
  EXPECT_EQ(value_of(it().erase_person(kBoth[0], "eve")), 1u);
  EXPECT_EQ(state_of(id), CopyState::released);
  EXPECT_EQ(copy_of(id).recipient, "");
  EXPECT_EQ(it().erase_person("@receiver.example", "eve").error().code, Code::bad_input);
}

TEST_F(ChangesTest, ExceptionsHoldUntilTheirEnd) {
  value_of(it().except({"held-1", "author = 'jo@shop.example'", kNoon + 1h, "eve", "asked for"}));
  value_of(it().except({"held-2", "sender_domain = 'a.example'", kNoon + 3h, "eve", ""}));
  open();
  auto all = value_of(it().exceptions());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "held-1");
  EXPECT_EQ(all[0].when, "author = 'jo@shop.example'");
  EXPECT_EQ(all[0].until, kNoon + 1h);
  EXPECT_EQ(all[0].why, "asked for");
  clock_.pass(2h);
  maintain();
  all = value_of(it().exceptions());
  ASSERT_EQ(all.size(), 1u);
  value_of(it().end_exception("held-2"));
  EXPECT_TRUE(value_of(it().exceptions()).empty());
  EXPECT_EQ(it().end_exception("held-2").error().code, Code::not_found);
  EXPECT_EQ(it().except({}).error().code, Code::bad_input);
}

TEST_F(ChangesTest, UsageIsTheSameAfterAStart) {
  const HeldId first = keep_one(kBoth);
  clock_.pass(1h);
  keep_one();
  value_of(it().release(first, Strings{kBoth[0]}, {.by = "eve"}));
  value_of(it().request(first, kBoth[1]));
  for (int start = 0; start < 2; ++start) {
    const Usage usage = value_of(it().usage());
    EXPECT_EQ(usage.messages, 2u);
    EXPECT_EQ(usage.copies, 3u);
    EXPECT_EQ(usage.due, 1u);
    EXPECT_EQ(usage.requested, 1u);
    EXPECT_GT(usage.bytes, 0u);
    EXPECT_EQ(usage.oldest, kNoon);
    EXPECT_EQ(usage.trouble, "");
    open();
  }
  EXPECT_NE(metrics_.text().find("watchpost_quarantine_copies 3"), std::string::npos);
  EXPECT_NE(metrics_.text().find("watchpost_quarantine_kept_total 2"), std::string::npos);
}

TEST_F(ChangesTest, TheSecretOfLinksStays) {
  const std::string secret = it().link_secret();
  EXPECT_EQ(secret.size(), 64u);
  open();
  EXPECT_EQ(it().link_secret(), secret);
}

}  // namespace
}  // namespace watchpost::quarantine
