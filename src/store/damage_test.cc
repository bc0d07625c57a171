// Files that are damaged, missing, left over, or of another version.
#include "store/sqlite/database.h"
#include "store/store_fixture.h"

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watchpost::store {
namespace {

using namespace std::chrono_literals;
using sqlite::Database;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DamageTest : public StoreTest {};

TEST_F(DamageTest, RowsThatWereNeverCommittedAreCut) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    value_of(store->commit(events_only(batch)));
  }
  const std::string known = file("events/20261124T120000Z.db");
  const std::string unknown = file("events/20261124T150000Z.db");
  std::filesystem::copy_file(known, unknown);
  {
    auto database = value_of(Database::open(known, Database::Access::writer));
    value_of(database.run("INSERT INTO events SELECT 2, at, kind, body FROM events"));
    auto other = value_of(Database::open(unknown, Database::Access::writer));
    value_of(other.run("UPDATE events SET sequence = 3"));
  }
  EXPECT_THAT(all(), ElementsAre(1));  // readers do not see them
  const auto store = open();
  EXPECT_FALSE(std::filesystem::exists(unknown));
  auto database = value_of(Database::open(known, Database::Access::reader));
  EXPECT_EQ(value_of(database.number("SELECT count(*) FROM events")), 1);
}

TEST_F(DamageTest, AFileThatIsNotOursIsMovedAside) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    value_of(store->commit(events_only(batch)));
  }
  const std::string foreign = file("events/20261124T150000Z.db");
  std::filesystem::copy_file(file("events/20261124T120000Z.db"), foreign);
  EXPECT_EQ(open()->last_event(), 1u);
  EXPECT_FALSE(std::filesystem::exists(foreign));
  EXPECT_TRUE(std::filesystem::exists(foreign + ".aside"));
}

TEST_F(DamageTest, HistoryWithoutItsStateIsNotTouched) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    value_of(store->commit(events_only(batch)));
  }
  std::filesystem::remove(file("state.db"));
  const auto refused = Store::open(settings());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
  EXPECT_TRUE(std::filesystem::exists(file("events/20261124T120000Z.db")));
}

TEST_F(DamageTest, APartitionThatIsGoneDoesNotHideTheRest) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    add_event(batch, kNoon + 1h, 2);
    value_of(store->commit(events_only(batch)));
  }
  std::filesystem::remove(file("events/20261124T120000Z.db"));
  EXPECT_EQ(open()->last_event(), 2u);
  EXPECT_THAT(all(), ElementsAre(2));
}

// The measures in force are in state.db: damaged history must not keep the daemon from starting.
TEST_F(DamageTest, ADamagedPartitionIsSetAside) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    add_event(batch, kNoon + 1h, 2);
    value_of(store->commit(events_only(batch)));
  }
  const std::string path = file("events/20261124T120000Z.db");
  std::ofstream(path, std::ios::binary) << std::string(8192, 'x');
  {
    const auto store = open();
    EXPECT_EQ(store->last_event(), 2u);
    EXPECT_THAT(all(), ElementsAre(2));
    EventBatch batch;
    add_event(batch, kNoon, 3);
    value_of(store->commit(events_only(batch)));
    EXPECT_THAT(all(), ElementsAre(2, 3));
  }
  EXPECT_TRUE(std::filesystem::exists(path + ".damaged"));
  EXPECT_EQ(open()->last_event(), 3u);
}

TEST_F(DamageTest, ANewerSchemaIsRefused) {
  {
    const auto store = open();
    EventBatch batch;
    add_event(batch, kNoon, 1);
    value_of(store->commit(events_only(batch)));
  }
  for (const std::string name : {"state.db", "events/20261124T120000Z.db"}) {
    int64_t own = 0;
    {
      auto database = value_of(Database::open(file(name), Database::Access::writer));
      own = value_of(database.number("PRAGMA user_version"));
      value_of(database.run("PRAGMA user_version = 999"));
    }
    const auto refused = Store::open(settings());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::refused);
    EXPECT_THAT(refused.error().what, HasSubstr("newer version of Watchpost (schema 999"));
    EXPECT_EQ(refused.error().about, file(name));
    const auto reads = Reader::open(settings());
    EXPECT_EQ(reads ? reads.value()->events({}).error().code : reads.error().code, Code::refused);
    auto database = value_of(Database::open(file(name), Database::Access::writer));
    value_of(database.run(fmt::format("PRAGMA user_version = {}", own).c_str()));
  }
}

TEST_F(DamageTest, AFileOfAnotherKindIsCorrupt) {
  (void)open();
  std::ofstream(file("state.db"), std::ios::binary) << std::string(8192, 'x');
  const auto refused = Store::open(settings());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
}

TEST_F(DamageTest, ADamagedEventIsNamed) {
  const auto store = open();
  EventBatch batch;
  add_event(batch, kNoon, 1);
  value_of(store->commit(events_only(batch)));
  {
    auto database =
        value_of(Database::open(file("events/20261124T120000Z.db"), Database::Access::writer));
    value_of(database.run("UPDATE events SET body = x'00'"));
  }
  const auto page = reader()->events({});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::corrupt);
  EXPECT_THAT(page.error().about, HasSubstr("20261124T120000Z.db event 1"));
}

TEST_F(DamageTest, ReadersNeitherWriteNorCheckpoint) {
  const auto store = open();
  EventBatch batch;
  add_event(batch, kNoon, 1);
  value_of(store->commit(events_only(batch)));
  for (const std::string name : {"state.db", "events/20261124T120000Z.db"}) {
    const auto main = std::filesystem::file_size(file(name));
    const auto wal = std::filesystem::file_size(file(name) + "-wal");
    ASSERT_GT(wal, 0u);
    {
      auto reads = value_of(Database::open(file(name), Database::Access::reader));
      EXPECT_FALSE(reads.run("PRAGMA user_version = 5"));
      EXPECT_FALSE(reads.run("CREATE TABLE x(y)"));
      EXPECT_EQ(value_of(reads.number("PRAGMA wal_autocheckpoint")), 0);
      (void)reads.checkpoint(true);
    }
    EXPECT_THAT(all(), ElementsAre(1));
    EXPECT_EQ(std::filesystem::file_size(file(name)), main);
    EXPECT_EQ(std::filesystem::file_size(file(name) + "-wal"), wal);
  }
}

}  // namespace
}  // namespace watchpost::store
