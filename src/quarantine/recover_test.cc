// An index that was lost, and mail that comes back from its files.
#include "quarantine/recover.h"

#include "base/files.h"
#include "quarantine/quarantine_fixture.h"

#include <map>

#include <gmock/gmock.h>

namespace watchpost::quarantine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class RecoverTest : public QuarantineTest {
 protected:
  void close() { quarantine_.reset(); }
  void lose_index() {
    close();
    for (const auto* const end : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder() + "/index.db" + end);
    }
  }
  Result<Recovered> try_to_recover() {
    return quarantine::recover({.folder = folder(),
                                .key_file = key_file(),
                                .now = clock_.now(),
                                .keep = 24h,
                                .unreadable = [this](const HeldId& id, const Error& error) {
                                  unreadable_[id] = error.text();
                                }});
  }
  Recovered recover() { return value_of(try_to_recover()); }

  std::map<HeldId, std::string> unreadable_;
};

TEST_F(RecoverTest, WhatANewIndexDoesNotKnowComesBack) {
  const HeldId one = keep_one({"ann@receiver.example", "bob@receiver.example"});
  const HeldId other = keep_one();
  const std::string bytes = value_of(it().read(one)).message;
  lose_index();
  EXPECT_THAT(ids({}), ElementsAre());
  close();
  clock_.pass(24h * 100);
  const Recovered recovered = recover();
  EXPECT_EQ(recovered.messages, 2U);
  EXPECT_EQ(recovered.copies, 3U);
  EXPECT_EQ(recovered.known + recovered.unreadable, 0U);
  EXPECT_THAT(ids({.recipient = "bob@receiver.example"}), ElementsAre(one));
  EXPECT_EQ(ids({.sender = "jo@shop.example"}).size(), 2U);
  const HeldMessage message = value_of(it().find(one));
  EXPECT_EQ(message.until, clock_.now() + 24h);
  EXPECT_EQ(message.copies.at(1).state, CopyState::held);
  EXPECT_EQ(message.copies.at(1).arguments, "NOTIFY=NEVER");
  EXPECT_EQ(value_of(it().read(one)).message, bytes);
  EXPECT_EQ(value_of(it().release(other, {}, {.by = "eve"})), 1U);
  close();
  EXPECT_EQ(recover().messages, 0U);
}

// However often it is started: what was there before it is not its own to sweep.
TEST_F(RecoverTest, ANewIndexSweepsNothingOfTheOneBefore) {
  const HeldId id = keep_one();
  const std::string file = file_of(id);
  lose_index();
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - 1h);
  for (int start = 0; start < 3; ++start) {
    open();
    const auto refused = it().maintain();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::refused);
    EXPECT_THAT(refused.error().what, HasSubstr("quarantine recover"));
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  close();
  EXPECT_EQ(recover().messages, 1U);
  value_of(open().maintain());
}

TEST_F(RecoverTest, OldKeysOpenAndTheNewestSeals) {
  const HeldId id = keep_one();
  lose_index();
  value_of(add_key(key_file()));
  EXPECT_EQ(recover().messages, 1U);
  EXPECT_EQ(value_of(it().read(id)).verdict, "{\"v\":1}");
  EXPECT_EQ(value_of(it().rekey()), 0U);
}

TEST_F(RecoverTest, WhatCannotBeReadIsNamedAndStays) {
  const HeldId good = keep_one();
  const HeldId bad = keep_one();
  const std::string file = file_of(bad);
  lose_index();
  value_of(replace_file(file, "WPHELD"));
  const Recovered recovered = recover();
  EXPECT_EQ(recovered.messages, 1U);
  EXPECT_EQ(recovered.unreadable, 1U);
  EXPECT_THAT(unreadable_[bad], HasSubstr("it does not begin as one does"));
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_THAT(ids({}), ElementsAre(good));
}

// Its sender handed it in again, because the index it was kept in was lost.
TEST_F(RecoverTest, MailThatIsHeldAlreadyIsNotHeldTwice) {
  const std::string bytes = "Subject: twice\r\n\r\n";
  const HeldId first = keep(message_for({"ann@receiver.example"}), bytes);
  lose_index();
  const HeldId second = keep(message_for({"ann@receiver.example"}), bytes);
  EXPECT_NE(first, second);
  close();
  const Recovered recovered = recover();
  EXPECT_EQ(recovered.messages, 0U);
  EXPECT_EQ(recovered.known, 1U);
  EXPECT_THAT(ids({}), ElementsAre(second));
  EXPECT_EQ(files(), 1U);
  value_of(it().maintain());
}

TEST_F(RecoverTest, NotBesideADaemon) {
  keep_one();
  EXPECT_EQ(try_to_recover().error().code, Code::refused);
}

}  // namespace
}  // namespace watchpost::quarantine
